"""Bulk calls: up to 1,000 rows, all of them or none."""

from typing import Any

import pytest

from .blog import MAX_ID, Blog, ids, new_email, new_user, unique_word
from .problems import locations
from .schemas import Schemas
from .storage import Storage, as_json

pytestmark = pytest.mark.example


def batch(count: int, word: str) -> list[dict[str, Any]]:
    """Bodies of `count` users whose name is `word`."""
    return [{"email": f"{word}.{number}@example.com", "name": word} for number in range(count)]


def test_bulk_create_update_and_delete_of_1000_users(blog: Blog, stored: Storage, schemas: Schemas) -> None:
    word = unique_word()
    made = blog.post("/users/bulk", batch(1_000, word)).json()
    schemas.check("BulkResult", made)
    assert made == {"count": 1_000}
    rows = stored.rows("users", name=word)
    assert {row["email"] for row in rows} == {user["email"] for user in batch(1_000, word)}
    assert all(row["is_active"] for row in rows)

    assert blog.patch("/users/bulk", {"ids": ids(rows), "is_active": False}).json() == {"count": 1_000}
    assert not any(row["is_active"] for row in stored.rows("users", name=word))

    assert blog.post("/users/bulk-delete", {"ids": ids(rows)}, expect=200).json() == {"count": 1_000}
    assert stored.count("users", name=word) == 0


def test_user_created_in_bulk_equals_user_created_alone(blog: Blog, stored: Storage, schemas: Schemas) -> None:
    word = unique_word()
    given = new_user(name=word, role="author", is_active=False, preferences={"é": [1, "🍣"]})
    bare = {"email": f" {new_email().upper()} ", "name": f" {word} "}
    assert blog.post("/users/bulk", [given, bare]).json() == {"count": 2}
    found = blog.items("/users", search=word, sort="id")
    details = [blog.item(f"/users/{user['id']}") for user in found]
    for user in details:
        schemas.check("UserDetail", user)
    first, second = sorted(details, key=lambda user: bool(user["is_active"]))
    assert first.items() >= {**given, "profile": None}.items()
    assert second["email"] == bare["email"].strip().lower()
    assert (second["name"], second["role"], second["preferences"]) == (word, "reader", {})
    assert as_json(stored.row("users", id=first["id"])["preferences"]) == {"é": [1, "🍣"]}


def test_bulk_of_one_user(blog: Blog) -> None:
    word = unique_word()
    assert blog.post("/users/bulk", batch(1, word)).json() == {"count": 1}
    user = blog.items("/users", search=word)[0]["id"]
    assert blog.patch("/users/bulk", {"ids": [user], "is_active": False}).json() == {"count": 1}
    assert blog.post("/users/bulk-delete", {"ids": [user]}, expect=200).json() == {"count": 1}


def test_over_1000_users_is_422(blog: Blog, stored: Storage) -> None:
    word = unique_word()
    blog.post("/users/bulk", batch(1_001, word), expect=422)
    assert stored.count("users", name=word) == 0


@pytest.mark.parametrize("body", [[], {}, None, "x", [[]], [None], [1], {"items": []}], ids=repr)
def test_empty_bulk_is_422(blog: Blog, body: object) -> None:
    blog.post("/users/bulk", body, expect=422)


@pytest.mark.parametrize("second", ["same", "upper", "padded"])
def test_repeated_email_is_409_and_creates_none(blog: Blog, stored: Storage, second: str) -> None:
    word = unique_word()
    users = batch(50, word)
    email = users[7]["email"]
    users[49]["email"] = {"same": email, "upper": email.upper(), "padded": f" {email} "}[second]
    blog.post("/users/bulk", users, expect=409)
    assert stored.count("users", name=word) == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "x"),
        ("name", " "),
        ("role", "owner"),
        ("is_active", None),
        ("preferences", []),
        ("extra", 1),
    ],
)
def test_one_invalid_user_is_422_and_creates_none(blog: Blog, stored: Storage, field: str, value: object) -> None:
    word = unique_word()
    users = batch(3, word)
    users[1][field] = value
    problem = blog.post("/users/bulk", users, expect=422).json()
    assert [error["location"][:3] for error in problem["errors"]] == [["body", 1, field]]
    assert stored.count("users", name=word) == 0


def test_bulk_update_counts_users_that_had_the_value_before(blog: Blog, stored: Storage) -> None:
    users = [blog.add_user(is_active=active)["id"] for active in (True, False)]
    for active in (False, False, True):
        assert blog.patch("/users/bulk", {"ids": users, "is_active": active}).json() == {"count": 2}
        assert [bool(stored.row("users", id=user)["is_active"]) for user in users] == [
            active,
            active,
        ]


def test_repeated_id_counts_once(blog: Blog) -> None:
    one, other = blog.add_user()["id"], blog.add_user()["id"]
    repeated = [one, other, one, one]
    assert blog.patch("/users/bulk", {"ids": repeated, "is_active": False}).json() == {"count": 2}
    assert blog.post("/users/bulk-delete", {"ids": repeated}, expect=200).json() == {"count": 2}


def test_bulk_delete_cascades(blog: Blog, stored: Storage) -> None:
    one, two, friend = (blog.add_user()["id"] for _ in range(3))
    blog.put(f"/users/{one}/profile", {"bio": ""}, expect=201)
    own, other = blog.add_post(one, tags=[unique_word()])["id"], blog.add_post(friend)["id"]
    blog.add_comment(own, friend)
    blog.add_comment(other, two)
    assert blog.post("/users/bulk-delete", {"ids": [one, two]}, expect=200).json() == {"count": 2}
    assert stored.count("users", id=one) + stored.count("users", id=two) == 0
    assert stored.count("profiles", user_id=one) == 0
    assert stored.count("posts", author_id=one) == 0
    assert stored.count("post_tags", post_id=own) == 0
    assert stored.count("comments", post_id=own) == 0
    assert blog.item(f"/posts/{other}")["comments"] == []


BAD_IDS = [
    [],
    None,
    1,
    "1",
    [0],
    [-1],
    [2**63],
    [10**30],
    ["x"],
    ["1"],
    [None],
    [True],
    [1.5],
    [[1]],
    {"a": 1},
]


@pytest.mark.parametrize("bad", BAD_IDS, ids=repr)
def test_invalid_ids_are_422(blog: Blog, bad: object) -> None:
    for problem in (
        blog.patch("/users/bulk", {"ids": bad, "is_active": True}, expect=422).json(),
        blog.post("/users/bulk-delete", {"ids": bad}, expect=422).json(),
    ):
        assert locations(problem) == {("body", "ids")}


def test_over_1000_ids_is_422(blog: Blog) -> None:
    thousand = [MAX_ID - number for number in range(1_000)]
    more = [*thousand, MAX_ID - 1_000]
    blog.patch("/users/bulk", {"ids": thousand, "is_active": True}, expect=404)
    blog.post("/users/bulk-delete", {"ids": thousand}, expect=404)
    blog.patch("/users/bulk", {"ids": more, "is_active": True}, expect=422)
    blog.post("/users/bulk-delete", {"ids": more}, expect=422)


def test_bulk_update_takes_ids_and_is_active_only(blog: Blog, stored: Storage) -> None:
    user = blog.add_user()["id"]
    bodies: list[dict[str, Any]] = [
        {"ids": [user]},
        {"is_active": False},
        {"ids": [user], "is_active": None},
        {"ids": [user], "is_active": "no"},
        {"ids": [user], "is_active": False, "role": "admin"},
    ]
    for body in bodies:
        blog.patch("/users/bulk", body, expect=422)
    blog.post("/users/bulk-delete", {"ids": [user], "force": True}, expect=422)
    assert stored.row("users", id=user)["is_active"]
