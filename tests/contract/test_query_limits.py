"""The limits of path and query parameters, on both sides of each."""

import pytest

from .blog import MAX_ID, NOT_SENT, Blog, unique_word
from .problems import locations
from .valid_requests import sample

pytestmark = pytest.mark.example

PAGED = ["/users", "/users/post-counts", "/users/{user}/posts", "/posts/{post}/comments", "/tags"]
BAD_IDS = ["0", str(2**63)]
ODD_IDS = [
    *BAD_IDS,
    "-1",
    str(10**30),
    "abc",
    "1.5",
    "0x1",
    "%00",
    "%ED%A0%80",
    "1%20OR%201=1",
]


@pytest.mark.parametrize("path", PAGED)
def test_page_and_size_have_limits(blog: Blog, path: str) -> None:
    user, post = sample(blog)
    path = path.format(user=user, post=post)
    for page, size in ((1, 1), (1_000_000, 100)):
        blog.get(path, page=page, size=size)
    for page, size in ((0, 0), (1_000_001, 101)):
        check_refused(blog, path, page=page, size=size)


@pytest.mark.parametrize("text", ["-1", "", "x", "1.5", str(2**63), str(10**30)])
def test_page_other_than_number_is_422(blog: Blog, text: str) -> None:
    check_refused(blog, "/users", page=text, size=text)


def check_refused(blog: Blog, path: str, **query: str | int) -> None:
    """Assert that each value of `query` is refused at its place."""
    problem = blog.call("GET", path, 422, params={**query}).json()
    assert locations(problem) == {("query", name) for name in query}


def test_limit_is_1_to_100(blog: Blog) -> None:
    for limit in (1, 100):
        blog.get("/posts", limit=limit)
    for text in ("0", "-1", "101", str(10**30), "x", ""):
        check_refused(blog, "/posts", limit=text)


@pytest.mark.parametrize(
    ("method", "path", "numbers"),
    [
        ("GET", "/users/{}", ODD_IDS),
        ("PATCH", "/users/{}", BAD_IDS),
        ("DELETE", "/users/{}", BAD_IDS),
        ("PUT", "/users/{}/profile", BAD_IDS),
        ("GET", "/users/{}/posts", BAD_IDS),
        ("GET", "/posts/{}", BAD_IDS),
        ("PATCH", "/posts/{}", BAD_IDS),
        ("DELETE", "/posts/{}", BAD_IDS),
        ("GET", "/posts/{}/comments", BAD_IDS),
        ("DELETE", "/comments/{}", BAD_IDS),
    ],
)
def test_impossible_id_is_404_or_422(blog: Blog, method: str, path: str, numbers: list[str]) -> None:
    bodies: dict[str, object] = {"PUT": {"bio": ""}, "PATCH": {}}
    for number in numbers:
        blog.call(method, path.format(number), (404, 422), bodies.get(method, NOT_SENT))


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/users", {"role": "owner", "is_active": "maybe", "search": "a\0b"}),
        ("/users", {"sort": "name\0"}),
        ("/users", {"role": "Admin", "is_active": "2"}),
        ("/users", {"role": "", "is_active": ""}),
        ("/users/post-counts", {"min_posts": "x"}),
        ("/posts", {"author_id": "0", "published": "maybe", "tag": "a\0b", "limit": "0"}),
        ("/posts", {"author_id": "-1", "published": ""}),
        ("/posts", {"author_id": str(2**63)}),
        ("/posts", {"author_id": str(10**30)}),
        ("/posts", {"author_id": "x"}),
    ],
)
def test_invalid_query_value_is_422(blog: Blog, path: str, query: dict[str, str]) -> None:
    check_refused(blog, path, **query)


def test_min_posts_is_0_to_a_million(blog: Blog) -> None:
    for number in (-1, 1_000_001, 2**31, 2**63, 10**30):
        blog.get("/users/post-counts", expect=422, min_posts=number)


@pytest.mark.parametrize("query", ["search=%ED%A0%80", "search=%FF", "tag=%ED%A0%80", "tag=%FF", "sort=%ED%A0%80"])
def test_invalid_utf8_in_query_is_not_500(blog: Blog, query: str) -> None:
    path = "/posts" if query.startswith("tag") else "/users"
    blog.get(f"{path}?{query}", expect=(200, 400, 422))


def test_filters_by_absent_values_find_nothing(blog: Blog) -> None:
    assert blog.items("/posts", author_id=MAX_ID) == []
    assert blog.items("/posts", tag=unique_word()) == []
