"""The rules of the fields that bodies have, on both sides of each limit."""

from typing import Any

import pytest

from .blog import Blog, new_user, unique_word
from .problems import locations
from .valid_requests import REQUESTS, REQUIRED, rounds, valid_request

pytestmark = pytest.mark.example

SITE = "https://example.com/"

GOOD: dict[str, list[Any]] = {
    "name": ["x", "x" * 100, "🍣" * 100, " " + "x" * 100 + "\n"],
    "role": ["admin", "author", "reader"],
    "is_active": [True, False],
    "bio": ["", " ", "x" * 2_000, "🍣" * 2_000],
    "avatar_url": [
        None,
        SITE + "a.png",
        "http://example.com/a?b=c&d=%20#e",
        SITE + "x" * (2_000 - len(SITE)),
    ],
    "title": ["x", "x" * 200, "🍣" * 200, "\t" + "é" * 200 + " "],
    "content": ["x", " ", "x" * 2_000, "🍣" * 2_000, "a\r\n\tb\u2028c"],
    "published": [True, False],
    "tags": [[], ["x"], ["x" * 50], ["🍣" * 50], [" " + "x" * 50 + " "]],
}
BAD: dict[str, list[Any]] = {
    "email": [
        "",
        " ",
        "plain",
        "a@",
        "@example.com",
        "a b@example.com",
        "a@b@example.com",
        "=?utf-8?q?=61nn?=@example.com",
        None,
        1,
        ["a@example.com"],
        {},
    ],
    "name": ["", " ", "\t\n", "x" * 101, "🍣" * 101, None, 1, True, ["x"], {}],
    "role": ["owner", "Admin", "", " admin", None, 1, ["admin"]],
    "is_active": [None, "yes", "true", "", 0, 1, [], {}],
    "preferences": [None, [], [["a", 1]], "x", "{}", 1, True],
    "bio": ["x" * 2_001, "🍣" * 2_001, None, 1, []],
    "avatar_url": [
        "",
        " ",
        "x",
        "/a.png",
        "ftp://example.com/a",
        "javascript:alert(1)",
        "https://",
        SITE + "x" * 2_000,
        1,
        [],
    ],
    "author_id": [None, 0, -1, 2**63, 10**30, -(2**63), "x", "1", True, 1.5, [], {}],
    "title": ["", " ", "\n\t", "x" * 201, "🍣" * 201, None, 1, []],
    "content": ["", "x" * 10_001, "🍣" * 10_001, None, 1, []],
    "published": [None, "yes", "false", "", 0, 1, []],
    "tags": [
        None,
        "x",
        {},
        [""],
        [" "],
        ["x" * 51],
        ["🍣" * 51],
        [None],
        [1],
        [["x"]],
        [f"{n}" for n in range(21)],
    ],
}


def kept(field: str, value: Any) -> object:
    """Tell what the service makes of a good `value`."""
    if field in {"name", "title"}:
        return value.strip()
    return [tag.strip() for tag in value] if field == "tags" else value


@pytest.mark.parametrize("name", REQUESTS)
def test_values_at_their_limits_are_kept(blog: Blog, name: str) -> None:
    for values in rounds(name, GOOD):
        body = valid_request(blog, name).send(blog, values).json()
        assert {field: body[field] for field in values} == {field: kept(field, values[field]) for field in values}


@pytest.mark.parametrize("name", REQUESTS)
def test_values_beyond_their_limits_are_422(blog: Blog, name: str) -> None:
    for values in rounds(name, BAD):
        problem = valid_request(blog, name).send(blog, values, expect=422).json()
        assert locations(problem) == {("body", field) for field in values}, values


@pytest.mark.parametrize("name", REQUESTS)
def test_one_invalid_field_is_422(blog: Blog, name: str) -> None:
    for field in next(rounds(name, BAD)):
        problem = valid_request(blog, name).send(blog, {field: BAD[field][0]}, expect=422).json()
        assert locations(problem) == {("body", field)}


def test_email_over_254_characters_is_422(blog: Blog) -> None:
    local = unique_word().ljust(64, "x")
    domain = ".".join(["d" * 61, "d" * 61, "d" * 61, "de"])
    longest = f"{local}@{domain}"
    assert len(longest) == 253
    longest = f"{local}@d{domain}"
    assert len(longest) == 254
    assert blog.add_user(email=f" {longest.upper()} ")["email"] == longest
    blog.post("/users", new_user(email=f"{local}@dd{domain}"), expect=422)
    blog.patch(f"/users/{blog.add_user()['id']}", {"email": f"{local}@dd{domain}"}, expect=422)


def test_email_that_grows_in_lower_case_is_not_500(blog: Blog) -> None:
    email = "İ" * 64 + "@" + ".".join(["d" * 60, unique_word().ljust(60, "x"), "de"])
    blog.post("/users", new_user(email=email), expect=(201, 422))


def test_avatar_url_that_grows_when_encoded_is_not_500(blog: Blog) -> None:
    path = f"/users/{blog.add_user()['id']}/profile"
    for url in (SITE + "é" * 1_900, "https://" + "é" * 30 + ".example/" + "🍣" * 1_900):
        blog.put(path, {"bio": "", "avatar_url": url}, expect=(200, 201, 422))


def test_post_content_over_10000_characters_is_422(blog: Blog) -> None:
    author = blog.add_user()["id"]
    for letter in ("x", "🍣"):
        post = blog.add_post(author, content=letter * 10_000)
        assert blog.item(f"/posts/{post['id']}")["content"] == letter * 10_000


def test_comment_content_over_2000_characters_is_422(blog: Blog) -> None:
    for letter in ("x", "🍣"):
        valid_request(blog, "comment").send(blog, {"content": letter * 2_001}, expect=422)


def test_long_tag_is_422_with_its_index(blog: Blog) -> None:
    problem = valid_request(blog, "new post").send(blog, {"tags": ["a", "x" * 51]}, expect=422).json()
    assert [error["location"] for error in problem["errors"]] == [["body", "tags", 1]]


@pytest.mark.parametrize("name", REQUESTS)
def test_unknown_fields_are_422(blog: Blog, name: str) -> None:
    extra = ("id", "extra", "created_at", "updated_at", "", "é", "\0")
    problem = valid_request(blog, name).send(blog, dict.fromkeys(extra, 1), expect=422).json()
    assert len(problem["errors"]) == len(extra)
    for field in ("extra", "\ud800"):
        valid_request(blog, name).send(blog, {field: 1}, expect=422)


def test_over_10_unknown_fields_are_one_error(blog: Blog) -> None:
    unknown = {f"{number:x}": 1 for number in range(80_000)}
    response = blog.post("/users", new_user(**unknown), expect=422)
    assert locations(response.json()) == {("body",)}
    some = {f"{number:x}": 1 for number in range(50)}
    problem = blog.post("/users/bulk", [new_user(**some) for _ in range(1_000)], expect=422).json()
    assert [error["location"] for error in problem["errors"]] == [["body", row] for row in range(100)]


def test_first_100_errors_are_listed(blog: Blog) -> None:
    wrong = {"email": 1, "name": 1, "role": 1, "is_active": 1, "preferences": 1}
    problem = blog.post("/users/bulk", [wrong] * 1_000, expect=422).json()
    assert len(problem["errors"]) == 100
    assert problem["detail"].endswith("These are the first 100 of 5000.")
    problem = blog.post("/users/bulk", [wrong] * 20, expect=422).json()
    assert len(problem["errors"]) == 100
    assert "first" not in problem["detail"]


@pytest.mark.parametrize("name", REQUIRED)
def test_missing_required_fields_are_422(blog: Blog, name: str) -> None:
    given = valid_request(blog, name)
    given.body.clear()
    problem = given.send(blog, {}, expect=422).json()
    assert locations(problem) == {("body", field) for field in REQUIRED[name]}


def test_every_invalid_field_is_reported(blog: Blog) -> None:
    body = {"email": "x", "name": "", "role": "owner", "extra": 1}
    problem = blog.post("/users", body, expect=422).json()
    assert {error["location"][1] for error in problem["errors"]} == set(body)


def test_refused_patch_changes_nothing(blog: Blog) -> None:
    user, post = blog.add_user(), blog.add_post(tags=[unique_word()])
    blog.patch(f"/users/{user['id']}", {"name": "Eve", "role": "owner"}, expect=422)
    blog.patch(f"/posts/{post['id']}", {"title": "New", "tags": ["a", ""]}, expect=422)
    assert blog.item(f"/users/{user['id']}") == user
    assert blog.item(f"/posts/{post['id']}") == post
