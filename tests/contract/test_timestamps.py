"""When a row was made and last changed."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from .blog import Blog, unique_word
from .schemas import STAMPS
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


CHANGES: dict[str, list[dict[str, Any]]] = {
    "users": [{"name": "New"}, {"preferences": {"a": 1}}, {"is_active": False}],
    "posts": [{"title": "New"}, {"content": "New"}, {"published": True}, {"tags": ["new"]}],
}


@pytest.mark.crud
def test_timestamps_are_exact_and_each_write_changes_updated_at_only(blog: Blog, stored: Storage) -> None:
    before = datetime.now(UTC)
    made, other = one_of_each(blog), blog.add_user()
    for table, body in made.items():
        created, updated = (moment(body[field]) for field in STAMPS)
        assert before - SLACK <= created == updated <= datetime.now(UTC) + SLACK
        row = stored.row(table, id=body["id"])
        assert (as_utc(row["created_at"]), as_utc(row["updated_at"])) == (created, updated), table
    assert any(moment(body["created_at"]).microsecond % 1_000 for body in made.values())

    user, path = made["users"], f"/users/{made['users']['id']}"
    writes: list[Callable[[], object]] = [
        partial(blog.patch, path, {"name": "Bo"}),
        partial(blog.patch, "/users/bulk", {"ids": [user["id"]], "is_active": False}),
        partial(blog.put, f"{path}/profile", {"bio": "Hello"}, 201),
        partial(blog.put, f"{path}/profile", {"bio": "Good bye"}),
    ]
    for write in writes:
        last = moment(user["updated_at"])
        write()
        user = blog.item(path)
        assert user["created_at"] == made["users"]["created_at"]
        assert moment(user["updated_at"]) > last
    assert as_utc(stored.row("users", id=user["id"])["updated_at"]) == moment(user["updated_at"])
    assert blog.item(f"/users/{other['id']}") == other
    (bulk,) = blog.add_users([{"name": unique_word()}])
    assert all(before - SLACK <= moment(bulk[field]) <= datetime.now(UTC) + SLACK for field in STAMPS)


def test_patch_changes_updated_at_only(blog: Blog, stored: Storage) -> None:
    made = one_of_each(blog)
    for table, changes in CHANGES.items():
        path = f"/{table}/{made[table]['id']}"
        for change in changes:
            before = blog.item(path)
            patched = blog.patch(path, change).json()
            assert moment(patched["updated_at"]) > moment(before["updated_at"])
            assert patched["created_at"] == before["created_at"]
            assert blog.item(path) == patched
            assert as_utc(stored.row(table, id=before["id"])["updated_at"]) == moment(patched["updated_at"])


def test_post_and_comment_leave_updated_at_of_their_parents(blog: Blog) -> None:
    user = blog.add_user()
    post = blog.add_post(user["id"])
    comment = blog.add_comment(post["id"], user["id"])
    assert blog.item(f"/posts/{post['id']}") == {**post, "comments": [comment]}
    blog.delete(f"/comments/{comment['id']}")
    assert blog.item(f"/posts/{post['id']}") == post
    blog.delete(f"/posts/{post['id']}")
    assert blog.item(f"/users/{user['id']}") == user


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
