"""Deleted rows: hidden from every call, shown where they are asked for, and brought back."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from .blog import MAX_ID, NOT_SENT, Blog, concurrently, ids, new_email, new_user, retry_on_503, statuses, unique_word
from .problems import locations
from .schemas import Schemas, stable_fields
from .storage import Storage, as_utc

pytestmark = [pytest.mark.example, pytest.mark.mixin("soft_delete")]

SLACK = timedelta(seconds=2)


def hiding(stored: Storage, table: str, number: int) -> tuple[Any, Any]:
    """Read when the row was deleted and with which others."""
    row = stored.with_deleted.row(table, id=number)
    assert (row["deleted_at"] is None) == (row["deletion_id"] is None)
    return row["deleted_at"], row["deletion_id"]


def shown(blog: Blog, path: str) -> dict[str, Any]:
    """Read the resource at `path`, deleted or not."""
    return blog.item(path, include_deleted=True)


def test_deleted_user_and_cascaded_rows_are_kept(blog: Blog, stored: Storage) -> None:
    user, friend = blog.add_user(), blog.add_user()["id"]
    blog.put(f"/users/{user['id']}/profile", {"bio": "Hello"}, expect=201)
    own, other = blog.add_post(user["id"], tags=[unique_word()])["id"], blog.add_post(friend)["id"]
    gone = [blog.add_comment(post, author)["id"] for post, author in ((own, friend), (other, user["id"]))]
    kept = blog.add_comment(other, friend)["id"]

    before = datetime.now(UTC)
    blog.delete(f"/users/{user['id']}")

    at, deletion = hiding(stored, "users", user["id"])
    assert before - SLACK < as_utc(at) < datetime.now(UTC) + SLACK
    for table, number in (("posts", own), *(("comments", comment) for comment in gone)):
        assert hiding(stored, table, number) == (at, deletion), table
    for table, number in (("users", friend), ("posts", other), ("comments", kept)):
        assert hiding(stored, table, number) == (None, None), table
    everything = stored.with_deleted
    assert everything.row("users", id=user["id"])["email"] == user["email"]
    assert everything.count("profiles", user_id=user["id"]) == everything.count("post_tags", post_id=own) == 1


def test_deletions_are_numbered(blog: Blog, stored: Storage) -> None:
    post = blog.add_post()
    user, comment = post["author_id"], blog.add_comment(post["id"], post["author_id"])["id"]
    rows = [("comments", comment), ("posts", post["id"]), ("users", user)]
    for table, number in rows:
        blog.delete(f"/{table}/{number}")
    assert len({hiding(stored, table, number)[1] for table, number in rows}) == 3


def test_include_deleted_shows_and_counts_deleted_rows(blog: Blog, schemas: Schemas) -> None:
    word = unique_word()
    user = blog.add_user(name=word)["id"]
    profile = blog.put(f"/users/{user}/profile", {"bio": "Hello"}, expect=201).json()
    posts = [blog.add_post(user, tags=[f"!{word}"], title=f"{number}")["id"] for number in range(3)]
    blog.add_comment(posts[2], user, "first")
    blog.delete(f"/comments/{blog.add_comment(posts[2], user, 'second')['id']}")
    blog.delete(f"/posts/{posts[1]}")

    def seen(**query: bool) -> list[Any]:
        counts = blog.all_pages("/users/post-counts", min_posts=2, **query)
        tag = blog.tag(f"!{word}", **query)
        return [
            blog.items("/users", search=word, **query),
            ids(blog.items(f"/users/{user}/posts", **query)),
            [item["post_count"] for item in counts if item["id"] == user],
            ids(blog.items("/posts", author_id=user, **query)),
            [post for page in blog.cursor_pages(tag=f"!{word}", limit=1, **query) for post in ids(page["items"])],
            tag and tag["post_count"],
        ]

    post = f"/posts/{posts[2]}"
    some, newest = [posts[2], posts[0]], posts[::-1]
    assert seen() == seen(include_deleted=False) == [[listed(blog.item(f"/users/{user}"))], some, [2], some, some, 2]
    assert [comment["content"] for comment in blog.item(post)["comments"]] == ["first"]
    assert blog.page(f"{post}/comments")["total"] == 1
    assert [comment["content"] for comment in shown(blog, post)["comments"]] == ["first", "second"]
    assert blog.page(f"{post}/comments", include_deleted=True)["total"] == 2

    blog.delete(f"/users/{user}")
    detail = shown(blog, f"/users/{user}")
    schemas.check("UserDetail", detail)
    assert detail["profile"] == profile
    assert datetime.fromisoformat(detail["deleted_at"]) <= datetime.now(UTC) + SLACK
    assert seen(include_deleted=True) == [[listed(detail)], newest, [3], newest, newest, 3]
    assert [comment["content"] for comment in shown(blog, post)["comments"]] == ["first", "second"]
    assert blog.page("/users", search=word)["total"] == 0
    assert blog.items("/posts", author_id=user) == blog.items("/posts", tag=f"!{word}") == []
    assert blog.page("/users", search=word, include_deleted=True)["total"] == 1
    for path in (f"/users/{user}", f"/users/{user}/posts", post, f"{post}/comments"):
        blog.get(path, expect=404)
        blog.get(path, include_deleted=True)


def listed(user: dict[str, Any]) -> dict[str, Any]:
    """Leave out what a list of users lacks."""
    return {field: value for field, value in user.items() if field != "profile"}


def test_include_deleted_absent_row_is_404(blog: Blog) -> None:
    for path in (f"/users/{MAX_ID}", f"/users/{MAX_ID}/posts", f"/posts/{MAX_ID}", f"/posts/{MAX_ID}/comments"):
        blog.get(path, expect=404, include_deleted=True)


def test_include_deleted_is_a_boolean(blog: Blog) -> None:
    post = blog.add_post()
    user = f"/users/{post['author_id']}"
    path = f"/posts/{post['id']}"
    for call in ("/users", user, f"{user}/posts", "/users/post-counts", "/posts", path, f"{path}/comments", "/tags"):
        problem = blog.get(call, expect=422, include_deleted="maybe").json()
        assert locations(problem) == {("query", "include_deleted")}


def test_deleted_row_cannot_be_changed(blog: Blog, stored: Storage) -> None:
    other, post = blog.add_user()["id"], blog.add_post(tags=[unique_word()])
    user, comment = post["author_id"], blog.add_comment(post["id"], post["author_id"])
    blog.delete(f"/users/{user}")
    rows = [("users", user), ("posts", post["id"]), ("comments", comment["id"])]
    before = [stored.with_deleted.row(table, id=number) for table, number in rows]
    calls: list[tuple[str, str, object, int]] = [
        ("PATCH", f"/users/{user}", {"name": "Bo"}, 404),
        ("PATCH", f"/users/{user}", {}, 404),
        ("PUT", f"/users/{user}/profile", {"bio": ""}, 404),
        ("DELETE", f"/users/{user}", NOT_SENT, 404),
        ("PATCH", "/users/bulk", {"ids": [other, user], "is_active": False}, 404),
        ("POST", "/users/bulk-delete", {"ids": [other, user]}, 404),
        ("POST", "/posts", {"author_id": user, "title": "T", "content": "C"}, 422),
        ("PATCH", f"/posts/{post['id']}", {"title": "New", "tags": [unique_word()]}, 404),
        ("DELETE", f"/posts/{post['id']}", NOT_SENT, 404),
        ("POST", f"/posts/{post['id']}/comments", {"author_id": other, "content": "C"}, 404),
        ("POST", f"/posts/{blog.add_post(other)['id']}/comments", {"author_id": user, "content": "C"}, 422),
        ("DELETE", f"/comments/{comment['id']}", NOT_SENT, 404),
    ]
    for method, path, body, status in calls:
        problem = blog.call(method, path, status, body).json()
        assert status == 404 or locations(problem) == {("body", "author_id")}
    assert [stored.with_deleted.row(table, id=number) for table, number in rows] == before
    assert stored.row("users", id=other)["is_active"]


def test_email_of_deleted_user_can_be_reused(blog: Blog, stored: Storage) -> None:
    email = new_email()
    for _ in range(2):
        blog.delete(f"/users/{blog.add_user(email=email)['id']}")
    blog.post("/users/bulk", [new_user(email=email)])
    blog.post("/users/bulk-delete", {"ids": ids(stored.rows("users", email=email))}, expect=200)
    taker = blog.add_user()["id"]
    blog.patch(f"/users/{taker}", {"email": email})
    blog.post("/users", new_user(email=email), expect=409)
    blog.patch(f"/users/{blog.add_user()['id']}", {"email": email}, expect=409)
    assert stored.row("users", email=email)["id"] == taker
    assert stored.with_deleted.count("users", email=email) == 4


def test_restored_user_brings_back_cascaded_rows(blog: Blog, schemas: Schemas) -> None:
    name = unique_word()
    user, friend = blog.add_user(preferences={"a": 1}), blog.add_user()["id"]
    path = f"/users/{user['id']}"
    blog.put(f"{path}/profile", {"bio": "Hello"}, expect=201)
    own, early = (blog.add_post(user["id"], tags=[name])["id"] for _ in range(2))
    other = blog.add_post(friend)["id"]
    comments = [blog.add_comment(own, friend), blog.add_comment(own, user["id"]), blog.add_comment(other, user["id"])]
    blog.add_comment(early, friend)
    blog.delete(f"/comments/{blog.add_comment(own, friend)['id']}")
    blog.delete(f"/posts/{early}")
    before = blog.item(path), blog.item(f"/posts/{own}")

    blog.delete(path)
    restored = blog.restore(path).json()

    schemas.check("UserDetail", restored)
    assert restored == blog.item(path)
    after = restored, blog.item(f"/posts/{own}")
    for old, new in zip(before, after, strict=True):
        assert stable_fields(new) | {"comments": 0} == stable_fields(old) | {"comments": 0}
    assert ids(blog.items(f"/posts/{own}/comments")) == ids(comments[:2])
    assert ids(blog.items(f"/posts/{other}/comments")) == ids(comments[2:])
    assert ids(blog.items(f"{path}/posts")) == [own]
    tag = blog.tag(name)
    assert tag
    assert tag["post_count"] == 1
    blog.get(f"/posts/{early}", expect=404)


def test_restored_post_brings_back_its_comments(blog: Blog, stored: Storage, schemas: Schemas) -> None:
    post = blog.add_post(tags=[unique_word()])
    path = f"/posts/{post['id']}"
    comments = [blog.add_comment(post["id"], post["author_id"])["id"] for _ in range(3)]
    blog.delete(f"/comments/{comments[1]}")
    blog.delete(path)
    restored = blog.restore(path).json()
    schemas.check("PostDetail", restored)
    assert restored == blog.item(path)
    assert ids(restored["comments"]) == [comments[0], comments[2]]
    assert stable_fields(restored) == {**stable_fields(post), "comments": restored["comments"]}
    for table, number in (("posts", post["id"]), ("comments", comments[0])):
        assert hiding(stored, table, number) == (None, None)
    blog.delete(path)
    blog.get(path, expect=404)


def test_restore_of_live_row_changes_nothing(blog: Blog, stored: Storage) -> None:
    post = blog.add_post()
    comment = blog.add_comment(post["id"], post["author_id"])["id"]
    blog.delete(f"/comments/{comment}")
    rows = [("users", post["author_id"]), ("posts", post["id"]), ("comments", comment)]
    before = [stored.with_deleted.row(table, id=number) for table, number in rows]
    assert blog.restore(f"/users/{post['author_id']}").json() == blog.item(f"/users/{post['author_id']}")
    assert blog.restore(f"/posts/{post['id']}").json() == post
    assert [stored.with_deleted.row(table, id=number) for table, number in rows] == before


def test_restore_of_absent_row_is_404(blog: Blog) -> None:
    blog.restore(f"/users/{MAX_ID}", expect=404)
    blog.restore(f"/posts/{MAX_ID}", expect=404)


@pytest.mark.crud
def test_restore_with_taken_email_is_409(blog: Blog, stored: Storage) -> None:
    post = blog.add_post()
    user = blog.item(f"/users/{post['author_id']}")
    path = f"/users/{user['id']}"
    blog.delete(path)
    taker = blog.add_user(email=user["email"])["id"]
    rows = [("users", user["id"]), ("posts", post["id"])]
    before = [stored.with_deleted.row(table, id=number) for table, number in rows]
    blog.restore(path, expect=409)
    assert [stored.with_deleted.row(table, id=number) for table, number in rows] == before
    blog.get(path, expect=404)
    blog.delete(f"/users/{taker}")
    blog.restore(path)
    blog.restore(f"/users/{taker}", expect=409)
    assert blog.item(f"/posts/{post['id']}")["author"]["id"] == user["id"]


def test_post_of_deleted_author_cannot_be_restored(blog: Blog) -> None:
    early = blog.add_post()
    author = early["author_id"]
    late = blog.add_post(author)["id"]
    blog.delete(f"/posts/{early['id']}")
    blog.delete(f"/users/{author}")
    for post in (early["id"], late):
        blog.restore(f"/posts/{post}", expect=409)
    blog.restore(f"/users/{author}")
    blog.get(f"/posts/{late}")
    blog.get(f"/posts/{early['id']}", expect=404)
    blog.restore(f"/posts/{early['id']}")


@pytest.mark.parametrize("restored", [(0, 1), (1, 0)], ids=["ab", "ba"])
@pytest.mark.parametrize("deleted", [(0, 1), (1, 0), None], ids=["ab", "ba", "at once"])
def test_comment_is_hidden_while_its_post_or_author_is(
    blog: Blog, stored: Storage, deleted: tuple[int, int] | None, restored: tuple[int, int]
) -> None:
    post = blog.add_post()
    owners = [post["author_id"], blog.add_user()["id"]]
    comment = blog.add_comment(post["id"], owners[1])["id"]
    if deleted is None:
        blog.post("/users/bulk-delete", {"ids": owners}, expect=200)
    else:
        for number in deleted:
            blog.delete(f"/users/{owners[number]}")
    first, second = (f"/users/{owners[number]}" for number in restored)
    blog.restore(first)
    assert stored.count("comments", id=comment) == 0
    blog.get(second, expect=404)
    blog.restore(second)
    assert ids(blog.items(f"/posts/{post['id']}/comments")) == [comment]
    assert ids(blog.item(f"/posts/{post['id']}")["comments"]) == [comment]
    assert hiding(stored, "comments", comment) == (None, None)


def test_comment_of_deleted_author_is_not_restored_with_its_post(blog: Blog, stored: Storage) -> None:
    post, friend = blog.add_post(), blog.add_user()["id"]
    path = f"/posts/{post['id']}"
    comment = blog.add_comment(post["id"], friend)["id"]
    blog.delete(path)
    blog.delete(f"/users/{friend}")
    assert blog.restore(path).json()["comments"] == []
    assert stored.count("comments", id=comment) == 0
    blog.restore(f"/users/{friend}")
    assert ids(blog.item(path)["comments"]) == [comment]


@pytest.mark.crud
@pytest.mark.mixin("timestamps")
def test_delete_and_restore_change_updated_at(blog: Blog) -> None:
    post = blog.add_post()
    user = f"/users/{post['author_id']}"
    blog.add_comment(post["id"], post["author_id"])

    def updates() -> list[datetime]:
        read = shown(blog, f"/posts/{post['id']}")
        return [datetime.fromisoformat(row["updated_at"]) for row in (shown(blog, user), read, *read["comments"])]

    made = updates()
    blog.delete(user)
    deleted = updates()
    blog.restore(user)
    restored = updates()
    for moments in zip(made, deleted, restored, strict=True):
        assert moments[0] < moments[1] < moments[2]


def test_one_of_concurrent_restores_to_an_email_succeeds(blog: Blog, stored: Storage) -> None:
    for _ in range(2):
        email = new_email()
        deleted = []
        for _ in range(3):
            deleted.append(blog.add_user(email=email)["id"])
            blog.delete(f"/users/{deleted[-1]}")
        restores = [partial(blog.restore, f"/users/{user}", expect=(200, 409)) for user in deleted]
        make = partial(blog.post, "/users", new_user(email=email), expect=(201, 409))
        assert statuses([*restores, make])[409] == 3
        assert stored.count("users", email=email) == 1


@pytest.mark.locks
def test_concurrent_restores_of_author_and_post_bring_back_comment(blog: Blog) -> None:
    for _ in range(2):
        posts = [blog.add_post() for _ in range(2)]
        users = [post["author_id"] for post in posts]
        comments = [blog.add_comment(post["id"], other)["id"] for post, other in zip(posts, users[::-1], strict=True)]
        for user in users:
            blog.delete(f"/users/{user}")
        concurrently([partial(retry_on_503, blog.restore, f"/users/{user}", expect=(200,)) for user in users])
        assert [ids(blog.items(f"/posts/{post['id']}/comments")) for post in posts] == [[number] for number in comments]


@pytest.mark.locks
def test_restore_concurrent_with_deletion_leaves_deleted_user_hidden(blog: Blog, stored: Storage) -> None:
    for _ in range(2):
        post, friends = blog.add_post(), [blog.add_user()["id"] for _ in range(3)]
        for friend in friends:
            blog.add_comment(post["id"], friend)
        blog.delete(f"/users/{post['author_id']}")
        restore = partial(retry_on_503, blog.restore, f"/users/{post['author_id']}", expect=(200,))
        deletes = [partial(retry_on_503, blog.delete, f"/users/{friend}", expect=(204,)) for friend in friends]
        concurrently([restore, *deletes])
        assert stored.count("comments", post_id=post["id"]) == 0
        for friend in friends:
            blog.restore(f"/users/{friend}")
        assert {comment["author_id"] for comment in blog.items(f"/posts/{post['id']}/comments")} == set(friends)


@pytest.mark.crud
def test_deleted_rows_are_hidden_shown_on_demand_and_restored(blog: Blog, stored: Storage, schemas: Schemas) -> None:
    word = unique_word()
    post = blog.add_post(blog.add_user(name=word)["id"], tags=[word])
    path, user = f"/posts/{post['id']}", f"/users/{post['author_id']}"
    comment = blog.add_comment(post["id"], post["author_id"])["id"]
    rows = {"users": post["author_id"], "posts": post["id"], "comments": comment}

    blog.delete(user)
    deletions = {stored.with_deleted.row(table, id=number)["deletion_id"] for table, number in rows.items()}
    assert len(deletions) == 1
    for call in (user, path, f"{user}/posts", f"{path}/comments"):
        blog.get(call, expect=404)
    for query, count in (({}, 0), ({"include_deleted": True}, 1)):
        assert len(blog.items("/users", search=word, **query)) == count
        assert len(blog.items("/posts", author_id=post["author_id"], **query)) == count
        assert len(blog.items("/posts", tag=word, **query)) == count
    total = blog.page("/users/post-counts", include_deleted=True)["total"]
    assert total == stored.with_deleted.count("users") > blog.page("/users/post-counts")["total"]
    shown = blog.item(path, include_deleted=True)
    schemas.check("PostDetail", shown)
    assert datetime.fromisoformat(shown["deleted_at"]).utcoffset() == timedelta(0)
    assert ids(shown["comments"]) == [comment]
    blog.patch(path, {"title": "New"}, expect=404)
    blog.restore(path, expect=409)

    restored = blog.restore(user).json()
    schemas.check("UserDetail", restored)
    assert restored == blog.item(user)
    assert ids(blog.item(path)["comments"]) == [comment]
    assert {stored.row(table, id=number)["deleted_at"] for table, number in rows.items()} == {None}
    blog.delete(path)
    assert stable_fields(blog.restore(path).json()) == stable_fields(blog.item(path))
    blog.restore(f"/users/{MAX_ID}", expect=404)
