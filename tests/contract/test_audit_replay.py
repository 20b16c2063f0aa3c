"""The audit log replayed gives the tables, whatever ran at once."""

import random
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from .blog import Blog, concurrently, ids, new_user, unique_word
from .storage import Storage, as_json, as_utc

pytestmark = [pytest.mark.mixin("audit_log"), pytest.mark.example, pytest.mark.each_base]

CLIENTS = 8
CALLS = 40
KEYS = {
    "users": ("id",),
    "profiles": ("user_id",),
    "posts": ("id",),
    "comments": ("id",),
    "tags": ("id",),
    "post_tags": ("post_id", "tag_id"),
}
MOMENTS = {"created_at", "updated_at", "deleted_at"}
BOOLEANS = {"is_active", "published"}
# A secret, and what the database computes.
UNLOGGED = {"preferences", "is_live", "search"}
POSSIBLE = (200, 201, 204, 404, 409, 422, 503)

Row = dict[str, Any]
Rows = dict[tuple[str, str], Row]


class Storm:
    """Calls of one client that picks records by chance among those that all clients write to."""

    def __init__(self, blog: Blog, seed: int, users: list[int], posts: list[int], comments: list[int]) -> None:
        """Write to `users`, `posts` and `comments`, and to those that are added to them."""
        self.blog = blog
        self.random = random.Random(seed)  # noqa: S311
        self.records = {"users": users, "posts": posts, "comments": comments}
        self.tags = [f"{unique_word()}"[:6] for _ in range(2)]

    def run(self) -> None:
        """Make the calls."""
        calls = [self.change, self.delete, self.restore, self.bulk, self.put_profile, self.tag, self.add]
        for call in self.random.choices(calls, weights=[8, 2, 4, 2, 2, 2, 1], k=CALLS):
            call()

    def pick(self, table: str) -> int:
        """Choose one of the newest two records."""
        return self.random.choice(self.records[table][-2:])

    def call(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """Call as a client without a precondition does; of a refusal give nothing."""
        response = self.blog.call(method, path, POSSIBLE, {} if body is None and method != "DELETE" else body)
        made: dict[str, Any] = response.json() if response.status_code == 201 else {}
        return made

    def change(self) -> None:
        """Change a user or a post."""
        name = self.random.choice(("users", "posts"))
        field = "name" if name == "users" else "title"
        self.call("PATCH", f"/{name}/{self.pick(name)}", {field: unique_word()})

    def delete(self) -> None:
        """Delete a user, a post or a comment."""
        name = self.random.choice(("users", "posts", "comments"))
        self.blog.call("DELETE", f"/{name}/{self.pick(name)}", POSSIBLE)

    def restore(self) -> None:
        """Restore a user and a post; without the mixin there is no such call."""
        for name in ("users", "posts"):
            self.blog.call("POST", f"/{name}/{self.pick(name)}/restore", POSSIBLE)

    def bulk(self) -> None:
        """Change or delete some users with one statement."""
        chosen = sorted({self.pick("users") for _ in range(2)})
        if self.random.random() < 0.9:
            self.call("PATCH", "/users/bulk", {"ids": chosen, "is_active": self.random.random() < 0.5})
        else:
            self.blog.call("POST", "/users/bulk-delete", POSSIBLE, {"ids": chosen})

    def put_profile(self) -> None:
        """Create or replace a profile."""
        self.call("PUT", f"/users/{self.pick('users')}/profile", {"bio": unique_word()})

    def tag(self) -> None:
        """Give a post other tags."""
        self.call("PATCH", f"/posts/{self.pick('posts')}", {"tags": self.random.sample(self.tags, 1)})

    def add(self) -> None:
        """Add a record."""
        author, post = self.pick("users"), self.pick("posts")
        name, path, body = self.random.choice(
            (
                ("users", "/users", new_user()),
                ("posts", "/posts", {"author_id": author, "title": "T", "content": "C", "tags": self.tags}),
                ("comments", f"/posts/{post}/comments", {"author_id": author, "content": unique_word()}),
            )
        )
        if made := self.call("POST", path, body):
            self.records[name].append(made["id"])


def replayed(stored: Storage) -> Rows:
    """Make the rows that the entries of the log lead to."""
    rows: Rows = {}
    for entry in sorted(stored.rows("audit_log"), key=lambda row: row["id"]):
        place = entry["table_name"], entry["record_id"]
        changes: dict[str, Row] = as_json(entry["changes"])  # type: ignore[assignment]
        news = {name: change["new"] for name, change in changes.items()}
        if entry["action"] == "delete" and all(value is None for value in news.values()):
            rows.pop(place)
        elif entry["action"] == "create":
            rows[place] = news
        else:
            rows[place].update(news)
    return {place: comparable(row) for place, row in rows.items()}


def kept(stored: Storage) -> Rows:
    """Read the rows of every table."""
    return {
        (table, "/".join(str(row[name]) for name in key)): comparable(row)
        for table, key in KEYS.items()
        for row in stored.with_deleted.rows(table)
    }


def comparable(row: Row) -> Row:
    """Leave out what the log doesn't show, and NULLs, and bring the rest into one form."""
    return {name: normalized(name, value) for name, value in row.items() if name not in UNLOGGED and value is not None}


def normalized(name: str, value: object) -> object:
    """Bring a value as the database has it, or as the log does, into one form."""
    if name in MOMENTS:
        return as_utc(value)
    return bool(value) if name in BOOLEANS else value


def test_replayed_log_equals_tables(blog: Blog, stored: Storage) -> None:
    unlogged = kept(stored).keys() - replayed(stored).keys()
    users = ids(blog.add_users([{"name": unique_word()} for _ in range(2)]))
    posts = [blog.add_post(user)["id"] for user in users]
    comments = [blog.add_comment(post, users[0])["id"] for post in posts]
    storms = [Storm(blog, seed, users, posts, comments) for seed in range(CLIENTS)]
    before = len(stored.rows("audit_log"))
    concurrently([partial(storm.run) for storm in storms])
    assert len(stored.rows("audit_log")) > before + CLIENTS
    rows = {place: row for place, row in kept(stored).items() if place not in unlogged}
    assert replayed(stored) == rows


@pytest.mark.mixin("soft_delete")
@pytest.mark.each_database
def test_change_concurrent_with_restore_is_logged(blog: Blog, stored: Storage) -> None:
    users = [blog.add_user()["id"] for _ in range(2)]

    def change() -> None:
        for _ in range(CALLS):
            blog.patch(f"/users/{users[0]}", {"name": unique_word()}, expect=POSSIBLE)
            blog.patch(f"/users/{users[1]}", {"name": unique_word()}, expect=POSSIBLE)

    def delete_and_restore(user: int) -> None:
        for _ in range(CALLS):
            blog.delete(f"/users/{user}", expect=POSSIBLE)
            blog.restore(f"/users/{user}", expect=POSSIBLE)

    calls: list[Callable[[], None]] = [partial(delete_and_restore, user) for user in users]
    concurrently([*calls, change, change, change, change])
    places = [("users", str(user)) for user in users]
    logged, rows = replayed(stored), kept(stored)
    assert [logged[place] for place in places] == [rows[place] for place in places]
