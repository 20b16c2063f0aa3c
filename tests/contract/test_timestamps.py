"""When a row was made and last changed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from .blog import Blog, ids, unique_word
from .schemas import STAMPS, stable_fields
from .storage import Storage, as_utc

pytestmark = [pytest.mark.example, pytest.mark.mixin("timestamps")]

SLACK = timedelta(seconds=2)


def moment(text: str) -> datetime:
    """Read the moment that `text` names, which must be in UTC."""
    value = datetime.fromisoformat(text)
    assert value.utcoffset() == timedelta(0)
    return value


def one_of_each(blog: Blog) -> dict[str, dict[str, Any]]:
    """Make a row of each table that has timestamps."""
    post = blog.add_post()
    return {
        "users": blog.add_user(),
        "posts": post,
        "comments": blog.add_comment(post["id"], post["author_id"]),
    }


def test_new_row_has_current_timestamps(blog: Blog) -> None:
    before = datetime.now(UTC)
    made = one_of_each(blog)
    after = datetime.now(UTC)
    for body in made.values():
        created, updated = (moment(body[field]) for field in STAMPS)
        assert before - SLACK <= created == updated <= after + SLACK


def test_database_stores_microseconds(blog: Blog, stored: Storage) -> None:
    for table, body in one_of_each(blog).items():
        row = stored.row(table, id=body["id"])
        for field in STAMPS:
            assert as_utc(row[field]) == moment(body[field]), f"{table}.{field}"


def test_microseconds_are_returned(blog: Blog) -> None:
    made = [moment(blog.add_user()["created_at"]) for _ in range(5)]
    assert any(at.microsecond % 1_000 for at in made)
    assert made == sorted(made)


def test_timestamps_are_the_same_in_all_responses(blog: Blog) -> None:
    made = one_of_each(blog)
    user, post = made["users"], made["posts"]
    author = post["author_id"]
    reads = {
        "users": [blog.item(f"/users/{user['id']}"), *blog.items("/users", search=user["email"])],
        "posts": [
            blog.item(f"/posts/{post['id']}"),
            *blog.items("/posts", author_id=author),
            *blog.items(f"/users/{author}/posts"),
        ],
        "comments": [
            *blog.item(f"/posts/{post['id']}")["comments"],
            *blog.items(f"/posts/{post['id']}/comments"),
        ],
    }
    for table, found in reads.items():
        assert len(found) > 1
        for body in found:
            assert [body[field] for field in STAMPS] == [made[table][field] for field in STAMPS]


@pytest.mark.parametrize("change", [{"name": "New"}, {"preferences": {"a": 1}}, {"role": "admin", "is_active": False}])
def test_patch_of_user_changes_updated_at_only(blog: Blog, stored: Storage, change: dict[str, Any]) -> None:
    user = blog.add_user()
    patched = blog.patch(f"/users/{user['id']}", change).json()
    assert moment(patched["updated_at"]) > moment(user["updated_at"])
    assert patched["created_at"] == user["created_at"]
    assert blog.item(f"/users/{user['id']}") == patched
    assert as_utc(stored.row("users", id=user["id"])["updated_at"]) == moment(patched["updated_at"])


@pytest.mark.parametrize("change", [{"title": "New"}, {"content": "New"}, {"published": True}, {"tags": ["new"]}])
def test_patch_of_post_changes_updated_at_only(blog: Blog, change: dict[str, Any]) -> None:
    post = blog.add_post()
    patched = blog.patch(f"/posts/{post['id']}", change).json()
    assert moment(patched["updated_at"]) > moment(post["updated_at"])
    assert patched["created_at"] == post["created_at"]
    assert blog.item(f"/posts/{post['id']}") == patched


def test_profile_changes_updated_at_of_its_user_only(blog: Blog) -> None:
    user, other = blog.add_user(), blog.add_user()
    path = f"/users/{user['id']}"
    for bio, status in (("Hello", 201), ("Good bye", 200)):
        before = blog.item(path)
        profile = blog.put(f"{path}/profile", {"bio": bio}, expect=status).json()
        after = blog.item(path)
        assert moment(after["updated_at"]) > moment(before["updated_at"])
        assert stable_fields(after) == {**stable_fields(before), "profile": profile}
    assert blog.item(f"/users/{other['id']}") == other


def test_post_and_comment_leave_updated_at_of_their_parents(blog: Blog) -> None:
    user = blog.add_user()
    post = blog.add_post(user["id"])
    comment = blog.add_comment(post["id"], user["id"])
    assert blog.item(f"/posts/{post['id']}") == {**post, "comments": [comment]}
    blog.delete(f"/comments/{comment['id']}")
    assert blog.item(f"/posts/{post['id']}") == post
    blog.delete(f"/posts/{post['id']}")
    assert blog.item(f"/users/{user['id']}") == user


def test_bulk_update_changes_updated_at(blog: Blog) -> None:
    users, other = [blog.add_user() for _ in range(3)], blog.add_user()
    blog.patch("/users/bulk", {"ids": ids(users), "is_active": False})
    for user in users:
        read = blog.item(f"/users/{user['id']}")
        assert moment(read["updated_at"]) > moment(user["updated_at"])
        assert read["created_at"] == user["created_at"]
    assert blog.item(f"/users/{other['id']}") == other


def test_users_created_in_bulk_have_timestamps(blog: Blog) -> None:
    word, before = unique_word(), datetime.now(UTC)
    blog.post("/users/bulk", [{"email": f"{n}.{word}@example.com", "name": word} for n in range(3)])
    for user in blog.items("/users", search=word):
        for field in STAMPS:
            assert before - SLACK <= moment(user[field]) <= datetime.now(UTC) + SLACK


def test_read_and_empty_patch_leave_updated_at(blog: Blog, stored: Storage) -> None:
    made = one_of_each(blog)
    before = {table: stored.row(table, id=body["id"]) for table, body in made.items()}
    user, post = made["users"]["id"], made["posts"]["id"]
    assert blog.patch(f"/users/{user}", {}).json() == made["users"]
    blog.patch(f"/posts/{post}", {})
    blog.get(f"/users/{user}")
    blog.get(f"/posts/{post}")
    blog.get(f"/posts/{post}/comments")
    for table, row in before.items():
        assert stored.row(table, id=row["id"]) == row


def test_refused_patch_leaves_updated_at(blog: Blog) -> None:
    taken, user = blog.add_user()["email"], blog.add_user()
    blog.patch(f"/users/{user['id']}", {"email": taken}, expect=409)
    blog.patch(f"/users/{user['id']}", {"name": ""}, expect=422)
    blog.patch("/users/bulk", {"ids": [user["id"], 2**63 - 1], "is_active": False}, expect=404)
    assert blog.item(f"/users/{user['id']}") == user
