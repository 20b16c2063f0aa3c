"""The limits of path and query parameters, on both sides of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .blog import MAX_ID, token

if TYPE_CHECKING:
    from .blog import Blog

pytestmark = pytest.mark.example

PAGED = ["/users", "/users/post-counts", "/users/{user}/posts", "/posts/{post}/comments", "/tags"]
ODD_IDS = [
    "0",
    "-1",
    str(2**63),
    str(10**30),
    "abc",
    "1.5",
    "0x1",
    "%00",
    "%ED%A0%80",
    "1%20OR%201=1",
]


def filled(blog: Blog, path: str) -> str:
    """`path` with the ids of a post and its author."""
    if "{" not in path:
        return path
    post = blog.add_post()
    return path.format(post=post["id"], user=post["author_id"])


@pytest.mark.parametrize("path", PAGED)
def test_page_and_size_have_limits(blog: Blog, path: str) -> None:
    path = filled(blog, path)
    for query in ({"page": 1}, {"page": 1_000_000, "size": 100}, {"size": 1}, {"size": 100}):
        blog.get(path, **query)
    for number in ("0", "-1", "1000001", str(2**63), str(10**30), "", "x", "1.5"):
        problem = blog.get(path, expect=422, page=number).json()
        assert problem["errors"][0]["location"] == ["query", "page"]
    for number in ("0", "-1", "101", str(2**63), str(10**30), "", "x"):
        problem = blog.get(path, expect=422, size=number).json()
        assert problem["errors"][0]["location"] == ["query", "size"]


def test_limit_goes_from_1_to_100(blog: Blog) -> None:
    for limit in (1, 100):
        blog.get("/posts", limit=limit)
    for text in ("0", "-1", "101", str(10**30), "x", ""):
        problem = blog.get("/posts", expect=422, limit=text).json()
        assert problem["errors"][0]["location"] == ["query", "limit"]


@pytest.mark.parametrize("number", ODD_IDS)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/users/{}"),
        ("PATCH", "/users/{}"),
        ("DELETE", "/users/{}"),
        ("PUT", "/users/{}/profile"),
        ("GET", "/users/{}/posts"),
        ("GET", "/posts/{}"),
        ("PATCH", "/posts/{}"),
        ("DELETE", "/posts/{}"),
        ("GET", "/posts/{}/comments"),
        ("DELETE", "/comments/{}"),
    ],
)
def test_an_id_that_no_row_can_have_is_404_or_422(blog: Blog, method: str, path: str, number: str) -> None:
    body = {"bio": ""} if method == "PUT" else {}
    if method in {"PUT", "PATCH"}:
        blog.call(method, path.format(number), (404, 422), body)
    else:
        blog.call(method, path.format(number), (404, 422))


@pytest.mark.parametrize(
    ("path", "name", "value"),
    [
        ("/users", "role", "owner"),
        ("/users", "role", "Admin"),
        ("/users", "role", ""),
        ("/users", "is_active", "maybe"),
        ("/users", "search", "a\0b"),
        ("/users", "sort", "name\0"),
        ("/users/post-counts", "min_posts", "x"),
        ("/posts", "author_id", "0"),
        ("/posts", "author_id", "-1"),
        ("/posts", "author_id", str(2**63)),
        ("/posts", "author_id", str(10**30)),
        ("/posts", "author_id", "x"),
        ("/posts", "published", "maybe"),
        ("/posts", "tag", "a\0b"),
    ],
)
def test_a_query_value_that_breaks_its_rule_is_422(blog: Blog, path: str, name: str, value: str) -> None:
    problem = blog.get(path, expect=422, **{name: value}).json()
    assert [error["location"] for error in problem["errors"]] == [["query", name]]


@pytest.mark.parametrize("number", ["-1", str(2**63 - 1), str(2**63), str(10**30)])
def test_min_posts_may_be_any_number(blog: Blog, number: str) -> None:
    blog.get("/users/post-counts", expect=(200, 422), min_posts=number)


@pytest.mark.parametrize("query", ["search=%ED%A0%80", "search=%FF", "tag=%ED%A0%80", "tag=%FF", "sort=%ED%A0%80"])
def test_bytes_that_are_no_text_are_refused_or_find_nothing(blog: Blog, query: str) -> None:
    path = "/posts" if query.startswith("tag") else "/users"
    response = blog.get(f"{path}?{query}", expect=(200, 400, 422))
    assert response.status_code != 200 or response.json()["items"] == []


def test_filters_by_what_does_not_exist_find_nothing(blog: Blog) -> None:
    assert blog.items("/posts", author_id=MAX_ID) == []
    assert blog.items("/posts", tag=token()) == []
