"""Preferences: any JSON object within bounds, kept value for value."""

from typing import Any

import pytest

from .blog import JSON, REFUSED, Blog, new_email, new_user
from .storage import Storage, as_json

pytestmark = pytest.mark.example


def nested(levels: int, *, lists: bool = False) -> dict[str, Any]:
    """Make an object of that many levels, itself the first."""
    value: Any = {} if levels == 1 or not lists else []
    for level in range(levels - 1):
        inner = lists and level < levels - 2
        value = [value] if inner else {"a": value}
    return dict(value)


KEPT: list[dict[str, Any]] = [
    {},
    {"a": None, "b": True, "c": False, "d": "", "e": [], "f": {}},
    {"a": [1, "1", 1.5, None, [True, {"b": []}]]},
    {"": {"": [{}]}},
    {"integer": 2**63 - 1, "negative": -(2**63), "zero": 0},
    {"unsafe in a double": 2**53 + 1},
    {
        "fraction": 0.1,
        "small": 5e-324,
        "large": 9.2e18,
        "exact": 1e15,
        "negative": -2.5e-10,
    },
    {"%s :a $1": "' \" \\ `", "__proto__": 1, "$": 2, "a.b": 3},
    {f"key {number}": number for number in range(500)},
    {"text": "x" * 50_000},
]


@pytest.mark.parametrize("preferences", KEPT, ids=lambda value: ",".join(value)[:30])
def test_preferences_round_trip(blog: Blog, stored: Storage, preferences: dict[str, Any]) -> None:
    user = blog.add_user(preferences=preferences)
    assert user["preferences"] == preferences
    read = blog.item(f"/users/{user['id']}")["preferences"]
    assert read == preferences
    assert stored.count("users", id=user["id"]) == 1
    assert blog.patch(f"/users/{user['id']}", {"preferences": read}).json()["preferences"] == preferences


def test_true_is_not_1_in_preferences(blog: Blog, stored: Storage) -> None:
    given = {"a": True, "b": 1, "c": False, "d": 0, "e": "1", "f": None}
    user = blog.add_user(preferences=given)
    read = blog.item(f"/users/{user['id']}")["preferences"]
    assert {key: type(value) for key, value in read.items()} == {key: type(value) for key, value in given.items()}
    assert as_json(stored.row("users", id=user["id"])["preferences"]) == given
    blog.patch(f"/users/{user['id']}", {"preferences": {"a": 1}})
    blog.patch(f"/users/{user['id']}", {"preferences": {"a": True}})
    assert blog.item(f"/users/{user['id']}")["preferences"]["a"] is True


@pytest.mark.parametrize("lists", [False, True])
def test_preferences_over_20_levels_are_422(blog: Blog, lists: bool) -> None:  # noqa: FBT001
    deepest = nested(20, lists=lists)
    user = blog.add_user(preferences=deepest)
    assert blog.item(f"/users/{user['id']}")["preferences"] == deepest
    deeper = {"preferences": nested(21, lists=lists)}
    for problem in (
        blog.post("/users", new_user(**deeper), expect=422).json(),
        blog.patch(f"/users/{user['id']}", deeper, expect=422).json(),
    ):
        assert problem["errors"][0]["location"][:2] == ["body", "preferences"]


@pytest.mark.parametrize("letter", ["k", "é", "😀"])
def test_key_of_preferences_over_1000_characters_is_422(blog: Blog, letter: str) -> None:
    longest = {"a": [{letter * 1000: 1}]}
    user = blog.add_user(preferences=longest)
    assert blog.item(f"/users/{user['id']}")["preferences"] == longest
    for longer in ({letter * 1001: 1}, {"a": [{letter * 70_000: 1}]}):
        for problem in (
            blog.post("/users", new_user(preferences=longer), expect=422).json(),
            blog.patch(f"/users/{user['id']}", {"preferences": longer}, expect=422).json(),
        ):
            assert problem["errors"][0]["location"][:2] == ["body", "preferences"]


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 2**64, 10**4_000, 1e23, -1.8e308 / 2])
def test_number_beyond_64_bits_is_422(blog: Blog, number: float) -> None:
    blog.post("/users", new_user(preferences={"a": number}), expect=422)
    blog.post("/users/bulk", [new_user(preferences={"a": [{"b": number}]})], expect=422)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400", "-1e400", "9" * 5_000, "1" * 100_000])
@pytest.mark.parametrize("place", ['{"a": %s}', '{"a": [{"b": %s}]}'])
def test_infinite_number_is_refused(blog: Blog, number: str, place: str) -> None:
    body = f'{{"email": "{new_email()}", "name": "Ada", "preferences": {place % number}}}'
    blog.call("POST", "/users", REFUSED, content=body, headers=JSON)


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
@pytest.mark.parametrize("depth", [500, 100_000])
def test_very_deep_preferences_are_not_500(blog: Blog, opening: str, closing: str, depth: int) -> None:
    value = f'{{"a": {opening * depth}1{closing * depth}}}'
    body = f'{{"email": "{new_email()}", "name": "Ada", "preferences": {value}}}'
    blog.call("POST", "/users", REFUSED, content=body, headers=JSON)


def test_many_lists_that_are_too_deep_are_one_error(blog: Blog) -> None:
    items = [nested(30, lists=True)["a"]] * 5_000
    preferences: dict[str, Any] = {"a": items}
    for _ in range(230):
        preferences = {"a": preferences}
    problem = blog.post("/users", new_user(preferences=preferences), expect=422).json()
    assert [error["location"] for error in problem["errors"]] == [["body", "preferences"]]
