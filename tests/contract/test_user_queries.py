"""Lists of users: pages, search, filters, sorting and counts."""

from collections import Counter
from typing import Any

import pytest

from .blog import Blog, ids, unique_word
from .schemas import Schemas
from .storage import Storage

pytestmark = pytest.mark.example

MARKS = ("%", "_", "\\", "'", '"', "`", "[a]", "*", "?", "^", "\\%", ";--", "/")


def test_listed_user_lacks_profile(blog: Blog) -> None:
    word = unique_word()
    user = blog.add_user(name=word, preferences={"a": [1]})
    user.pop("profile")
    assert blog.items("/users", search=word) == [user]


def test_total_counts_all_users(blog: Blog, stored: Storage) -> None:
    blog.add_user()
    page = blog.get("/users").json()
    assert page["total"] == stored.count("users")
    assert page["size"] == 20
    assert page["pages"] == -(-page["total"] // 20)


def test_search_matches_name_or_email(blog: Blog) -> None:
    word = unique_word()
    by_name = blog.add_user(name=f"x {word} y")
    by_email = blog.add_user(email=f"x{word}y@example.com")
    assert ids(blog.items("/users", search=word, sort="id")) == ids([by_name, by_email])


def test_search_is_literal(blog: Blog) -> None:
    word = unique_word()
    users = blog.add_users([{"name": f"{word}{part}z"} for part in ("", "a", *MARKS)])
    for user, mark in zip(users[2:], MARKS, strict=True):
        assert ids(blog.items("/users", search=f"{word}{mark}z")) == [user["id"]]
        assert blog.items("/users", search=f"{word}{mark}{mark}z") == []


def test_search_is_case_insensitive(blog: Blog) -> None:
    word = unique_word()
    names = ["MiXed", "Élodie Ñandú", "ЖАННА", "Ωμέγα", "Ǆ"]
    users = blog.add_users([{"name": f"{word} {name}"} for name in names])
    for user, name in zip(users, names, strict=True):
        for text in (name.lower(), name.upper(), name):
            assert ids(blog.items("/users", search=f"{word.upper()} {text}")) == [user["id"]]


def test_search_is_accent_sensitive(blog: Blog) -> None:
    word = unique_word()
    pairs = [("Élodie", "elodie"), ("か", "が"), ("🍣", "🍺"), ("ab", "a\u200bb")]
    users = blog.add_users([{"name": f"{word}{name}"} for name, _ in pairs])
    for user, (name, other) in zip(users, pairs, strict=True):
        assert blog.items("/users", search=f"{word}{other}") == []
        assert ids(blog.items("/users", search=f"{word}{name}")) == [user["id"]]


@pytest.mark.parametrize("text", ["_" * 30_000, "%" * 10_000, "é" * 5_000], ids=["underscores", "percent", "accents"])
def test_search_may_be_long(blog: Blog, text: str) -> None:
    response = blog.get("/users", expect=(200, 422), search=text)
    assert response.status_code == 422 or response.json()["items"] == []


def test_no_match_is_empty_first_page(blog: Blog) -> None:
    page = blog.get("/users", search=unique_word()).json()
    assert page == {"items": [], "total": 0, "page": 1, "size": 20, "pages": 0}


@pytest.mark.parametrize("number", [2, 1_000_000])
def test_page_past_the_end_is_empty(blog: Blog, number: int) -> None:
    word = unique_word()
    blog.add_user(name=word)
    page = blog.get("/users", search=word, page=number, size=100).json()
    assert page == {"items": [], "total": 1, "page": number, "size": 100, "pages": 1}


def test_users_are_sorted_by_each_allowed_field(blog: Blog) -> None:
    word = unique_word()
    blog.add_users([{"name": f"{word} {letter}", "email": f"{letter}.{word}@example.com"} for letter in "bca"])
    for field in ("id", "email", "name"):
        up = [user[field] for user in blog.items("/users", search=word, sort=field)]
        down = [user[field] for user in blog.items("/users", search=word, sort=f"-{field}")]
        assert len(up) == 3
        assert up == down[::-1] == sorted(up)


def test_users_are_sorted_by_several_fields(blog: Blog) -> None:
    word = unique_word()
    pairs = [("a", "y"), ("b", "x"), ("a", "z"), ("b", "w")]
    made = ids(blog.add_users([{"name": f"{word} {name}", "email": f"{at}{word}@example.com"} for name, at in pairs]))
    found = ids(blog.items("/users", search=word, sort="-name,email"))
    assert found == [made[3], made[1], made[0], made[2]]


def test_id_breaks_ties_of_sort(blog: Blog) -> None:
    word = unique_word()
    made = ids(blog.add_users([{"name": word}] * 7))
    for sort in ("name", "-name"):
        pages = [blog.items("/users", search=word, sort=sort, size=3, page=page) for page in (1, 2, 3)]
        walked = [user["id"] for page in pages for user in page]
        assert walked == made or (sort == "-name" and walked == made[::-1])


def test_names_are_sorted_by_code_point(blog: Blog) -> None:
    word = unique_word()
    names = [f"{word}{end}" for end in ("a", "B", "é", "e", "Z", "_", "-", " c", "я", "🍣", "\uff5e")]
    blog.add_users([{"name": name} for name in names])
    assert [user["name"] for user in blog.items("/users", search=word, sort="name")] == sorted(names)


@pytest.mark.parametrize(
    "sort",
    [
        "password",
        "role",
        "preferences",
        "name,unknown",
        "name,name",
        "name,-name",
        "-",
        "--name",
        "name;",
        "1",
        "users.id",
    ],
)
def test_sort_by_unknown_or_repeated_field_is_422(blog: Blog, sort: str) -> None:
    problem = blog.get("/users", expect=422, sort=sort).json()
    assert [error["location"] for error in problem["errors"]] == [["query", "sort"]]


@pytest.mark.mixin("timestamps")
def test_users_are_sorted_by_timestamps(blog: Blog) -> None:
    word = unique_word()
    made = [blog.add_user(name=word)["id"] for _ in range(3)]
    blog.patch(f"/users/{made[1]}", {"role": "admin"})
    assert ids(blog.items("/users", search=word, sort="-created_at")) == made[::-1]
    assert ids(blog.items("/users", search=word, sort="-updated_at"))[0] == made[1]
    assert ids(blog.items("/users", search=word, sort="updated_at,name"))[-1] == made[1]


def test_post_counts_are_sorted_by_count_then_id(blog: Blog, stored: Storage, schemas: Schemas) -> None:
    users = [blog.add_user(name=unique_word()) for _ in range(3)]
    for user, posts in zip(users, (0, 2, 2), strict=True):
        for _ in range(posts):
            blog.add_post(user["id"])
    page = blog.get("/users/post-counts", size=100).json()
    schemas.check("Page", page, of="UserPostCount")
    assert page["total"] == stored.count("users")
    posts_of = Counter(post["author_id"] for post in stored.rows("posts"))
    expected = sorted(ids(stored.rows("users")), key=lambda user: (-posts_of[user], user))
    assert ids(page["items"]) == expected[:100]
    last = page["pages"]
    assert ids(blog.items("/users/post-counts", size=100, page=last)) == expected[(last - 1) * 100 :]

    counted = blog.all_pages("/users/post-counts", min_posts=2)
    assert all(user["post_count"] >= 2 for user in counted)
    own: list[dict[str, Any]] = [user for user in counted if user["id"] in ids(users)]
    assert own == [{"id": user["id"], "name": user["name"], "post_count": 2} for user in users[1:]]


def test_min_posts_1_leaves_out_users_without_posts(blog: Blog, stored: Storage) -> None:
    blog.add_user()
    blog.add_post()
    authors = {post["author_id"] for post in stored.rows("posts")}
    assert blog.get("/users/post-counts", min_posts=0).json()["total"] == stored.count("users")
    assert blog.get("/users/post-counts", min_posts=1).json()["total"] == len(authors)
    assert blog.get("/users/post-counts", min_posts=1_000_000).json()["total"] == 0


def test_comments_and_tags_do_not_multiply_post_counts(blog: Blog) -> None:
    user = blog.add_user()["id"]
    posts = [blog.add_post(user, tags=[unique_word(), unique_word()])["id"] for _ in range(3)]
    for post in posts:
        blog.add_comment(post, user)
        blog.add_comment(post, user)
    counted = blog.all_pages("/users/post-counts", min_posts=3)
    assert [item["post_count"] for item in counted if item["id"] == user] == [3]
