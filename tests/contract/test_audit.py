"""The audit log: an entry for each row that a request wrote, whichever way it was written."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from .blog import MAX_ID, Blog, concurrently, ids, new_email, new_user, unique_word
from .problems import locations
from .schemas import Schemas
from .storage import Storage, as_json

pytestmark = pytest.mark.mixin("audit_log")
example = pytest.mark.example

SLACK = timedelta(seconds=2)
NO_COLUMNS = {"profile", "author", "comments", "tags"}
MASK = "***"
Written = tuple[str, str, str]


def entries(blog: Blog, table: str, record: int | str) -> list[dict[str, Any]]:
    """Read the entries of one row, newest first."""
    return blog.items("/audit", table_name=table, record_id=record, limit=100)


def latest(blog: Blog, table: str, record: int | str) -> dict[str, Any]:
    """Read the newest entry of one row."""
    return entries(blog, table, record)[0]


def changed(before: dict[str, Any], after: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Make the changes that lead from one body of a record to another; `{}` is a row that isn't there."""
    columns = (before.keys() | after.keys()) - NO_COLUMNS
    pairs = {name: {"old": before.get(name), "new": after.get(name)} for name in columns}
    return {name: masked(name, pair) for name, pair in pairs.items() if pair["old"] != pair["new"]}


def masked(name: str, pair: dict[str, Any]) -> dict[str, Any]:
    """Hide what is secret in the change of a column."""
    return (
        {side: MASK if value is not None else None for side, value in pair.items()} if name == "preferences" else pair
    )


def text_of(author: int, tags: list[str]) -> dict[str, Any]:
    """Make the body of a post."""
    return {"author_id": author, "title": "T", "content": "C", "tags": tags}


def written(stored: Storage, actor: str) -> list[Written]:
    """Read what `actor` did to which rows, sorted."""
    rows = stored.rows("audit_log", actor=actor)
    return sorted((row["action"], row["table_name"], row["record_id"]) for row in rows)


def done(action: str, table: str, records: Iterable[int | str]) -> list[Written]:
    """Write down that each of `records` was done the same to."""
    return [(action, table, str(record)) for record in records]


@example
def test_create_is_logged_with_all_columns(blog: Blog, schemas: Schemas) -> None:
    before = datetime.now(UTC)
    post = blog.add_post(published=True)
    user = blog.add_user(role="admin", is_active=False, preferences={"a": 1})
    comment = blog.add_comment(post["id"], user["id"])
    for table, body in (("users", user), ("posts", post), ("comments", comment)):
        (entry,) = entries(blog, table, body["id"])
        schemas.check("AuditEntry", entry)
        assert before - SLACK <= datetime.fromisoformat(entry["created_at"]) <= datetime.now(UTC) + SLACK
        assert entry["changes"] == changed({}, body)
        assert {**entry, "id": 0, "created_at": "", "changes": {}} == {
            "id": 0,
            "table_name": table,
            "record_id": body["id"],
            "action": "create",
            "changes": {},
            "actor": None,
            "created_at": "",
        }


@example
def test_update_is_logged_with_changed_columns(blog: Blog) -> None:
    user, post = blog.add_user(), blog.add_post()
    patches: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        ("users", user, {"name": "Bo"}),
        ("users", user, {"role": "author", "is_active": False, "name": "Bo"}),
        ("posts", post, {"title": "New", "published": True}),
        ("posts", post, {"content": "New"}),
    ]
    for table, row, patch in patches:
        path = f"/{table}/{row['id']}"
        before = blog.item(path)
        after = blog.patch(path, patch).json()
        entry = latest(blog, table, row["id"])
        assert (entry["action"], entry["changes"]) == ("update", changed(before, after))
    assert [entry["action"] for entry in entries(blog, "users", user["id"])] == ["update", "update", "create"]


@example
def test_write_without_change_is_not_logged(blog: Blog, stored: Storage) -> None:
    actor, post = unique_word(), blog.add_post(tags=[unique_word()])
    user = f"/users/{post['author_id']}"
    before = blog.item(user)
    blog.patch(user, {}, x_actor=actor)
    blog.patch(f"/posts/{post['id']}", {}, x_actor=actor)
    blog.api.get(f"/api/v1{user}", headers={"x-actor": actor})
    assert written(stored, actor) == []
    after = blog.patch(user, {"name": before["name"], "preferences": {}}, x_actor=actor).json()
    moved = changed(before, after)
    assert [as_json(row["changes"]) for row in stored.rows("audit_log", actor=actor)] == ([moved] if moved else [])


@example
def test_preferences_are_not_logged(blog: Blog, stored: Storage) -> None:
    secret = unique_word()
    users = blog.add_users([{"name": unique_word(), "preferences": {secret: secret}} for _ in range(2)])
    path = f"/users/{users[0]['id']}"
    blog.patch(path, {"preferences": {"key": f"{secret} 2"}})
    changes = latest(blog, "users", users[0]["id"])["changes"]
    assert changes["preferences"] == {"old": MASK, "new": MASK}
    blog.delete(path)
    for user in users:
        assert secret not in blog.get("/audit", table_name="users", record_id=user["id"]).text
        assert secret not in str(stored.rows("audit_log", table_name="users", record_id=str(user["id"])))


@example
def test_true_in_place_of_1_is_logged(blog: Blog) -> None:
    user = blog.add_user(preferences={"a": 1})
    blog.patch(f"/users/{user['id']}", {"preferences": {"a": True}})
    assert latest(blog, "users", user["id"])["changes"]["preferences"] == {"old": MASK, "new": MASK}


@example
def test_tags_and_their_links_to_posts_are_logged(blog: Blog, stored: Storage) -> None:
    actor, names = unique_word(), [unique_word() for _ in range(3)]
    old = blog.add_post(tags=names[:1])
    post = blog.create("/posts", text_of(old["author_id"], names[:2]), x_actor=actor)
    tags = [stored.row("tags", name=name)["id"] for name in names[:2]]
    links = [f"{post['id']}/{tag}" for tag in tags]
    assert written(stored, actor) == sorted(
        [*done("create", "posts", [post["id"]]), *done("create", "tags", tags[1:]), *done("create", "post_tags", links)]
    )
    (made,) = entries(blog, "tags", tags[1])
    assert made["changes"] == changed({}, {"id": tags[1], "name": names[1]})
    (linked,) = entries(blog, "post_tags", links[0])
    assert linked["record_id"] == links[0]
    assert linked["changes"] == changed({}, {"post_id": post["id"], "tag_id": tags[0]})

    actor, path = unique_word(), f"/posts/{post['id']}"
    after = blog.patch(path, {"tags": names[1:]}, x_actor=actor).json()
    new = stored.row("tags", name=names[2])["id"]
    touched = done("update", "posts", [post["id"]]) if changed(post, after) else []
    assert written(stored, actor) == sorted(
        [
            *touched,
            *done("create", "tags", [new]),
            *done("create", "post_tags", [f"{post['id']}/{new}"]),
            *done("delete", "post_tags", links[:1]),
        ]
    )
    assert latest(blog, "post_tags", links[0])["changes"] == changed({"post_id": post["id"], "tag_id": tags[0]}, {})
    if touched:
        assert latest(blog, "posts", post["id"])["changes"] == changed(post, after)


@example
def test_tag_created_by_concurrent_posts_is_logged_once(blog: Blog, stored: Storage) -> None:
    actor, author, names = unique_word(), blog.add_user()["id"], [unique_word() for _ in range(3)]
    orders = [names[turn:] + names[:turn] for turn in range(3)] * 2
    posts = concurrently([partial(blog.create, "/posts", text_of(author, order), x_actor=actor) for order in orders])
    tags = [stored.row("tags", name=name)["id"] for name in names]
    assert written(stored, actor) == sorted(
        [
            *done("create", "posts", ids(posts)),
            *done("create", "tags", tags),
            *done("create", "post_tags", [f"{post['id']}/{tag}" for post in posts for tag in tags]),
        ]
    )


@example
def test_profile_is_logged_as_create_then_update(blog: Blog, stored: Storage) -> None:
    user = blog.add_user()["id"]
    avatar = "https://example.com/ada.png"
    steps: list[tuple[int, dict[str, Any], dict[str, Any]]] = [
        (201, {"bio": "One", "avatar_url": avatar}, changed({}, {"user_id": user, "bio": "One", "avatar_url": avatar})),
        (200, {"bio": "Two", "avatar_url": avatar}, changed({"bio": "One"}, {"bio": "Two"})),
        (200, {"bio": "Two"}, changed({"avatar_url": avatar}, {"avatar_url": None})),
        (200, {"bio": "Two"}, {}),
    ]
    for status, body, changes in steps:
        actor, before = unique_word(), blog.item(f"/users/{user}")
        blog.put(f"/users/{user}/profile", body, expect=status, x_actor=actor)
        touched = done("update", "users", [user]) if changed(before, blog.item(f"/users/{user}")) else []
        action = "create" if status == 201 else "update"
        assert written(stored, actor) == [*(done(action, "profiles", [user]) if changes else []), *touched]
        if changes:
            assert latest(blog, "profiles", user)["changes"] == changes


@example
def test_bulk_writes_of_1000_rows_are_logged_row_by_row(blog: Blog, stored: Storage) -> None:
    actor, word = unique_word(), unique_word()
    users = [
        {"email": f"{word}.{number}@example.com", "name": word, "preferences": {"a": 1}} for number in range(1_000)
    ]
    blog.post("/users/bulk", users, x_actor=actor)
    made = ids(stored.rows("users", name=word))
    created = sorted(done("create", "users", made))
    assert written(stored, actor) == created
    listed = {user["id"]: user for user in blog.items("/users", search=word, size=3)}
    for number, user in listed.items():
        assert latest(blog, "users", number)["changes"] == changed({}, user)

    blog.patch("/users/bulk", {"ids": made, "is_active": False}, x_actor=actor)
    updated = sorted(done("update", "users", made))
    assert written(stored, actor) == created + updated
    for user in blog.items("/users", search=word, size=3):
        assert latest(blog, "users", user["id"])["changes"] == changed(listed[user["id"]], user)

    blog.post("/users/bulk-delete", {"ids": made}, expect=200, x_actor=actor)
    assert written(stored, actor) == sorted(created + updated + done("delete", "users", made))


@pytest.mark.crud
@example
def test_bulk_calls_log_changed_rows_only(blog: Blog) -> None:
    word = unique_word()
    users = blog.add_users([{"name": word, "is_active": active} for active in (True, False)])
    blog.patch("/users/bulk", {"ids": ids(users), "is_active": False})
    for user in users:
        moved = changed(user, blog.item(f"/users/{user['id']}"))
        *later, first = entries(blog, "users", user["id"])
        assert (first["action"], first["changes"]) == ("create", changed({}, user))
        assert [entry["changes"] for entry in later] == ([moved] if moved else [])
    blog.post("/users/bulk-delete", {"ids": ids(users)}, expect=200)
    assert [latest(blog, "users", user["id"])["action"] for user in users] == ["delete", "delete"]


@example
@pytest.mark.parametrize("call", ["alone", "in bulk"])
def test_deleted_user_is_logged_with_cascaded_rows(blog: Blog, stored: Storage, call: str) -> None:
    actor, post = unique_word(), blog.add_post(tags=[unique_word(), unique_word()])
    user, friend = post["author_id"], blog.add_user()["id"]
    blog.put(f"/users/{user}/profile", {"bio": "Hello"}, expect=201)
    other = blog.add_post(friend, tags=[unique_word()])["id"]
    comments = [
        blog.add_comment(post["id"], friend),
        blog.add_comment(post["id"], user),
        blog.add_comment(other, user),
    ]
    blog.add_comment(other, friend)
    links = [f"{post['id']}/{link['tag_id']}" for link in stored.rows("post_tags", post_id=post["id"])]
    before = [("users", blog.item(f"/users/{user}")), ("posts", post), *(("comments", comment) for comment in comments)]

    if call == "alone":
        blog.delete(f"/users/{user}", x_actor=actor)
    else:
        blog.post("/users/bulk-delete", {"ids": [user]}, expect=200, x_actor=actor)

    gone = [*done("delete", "profiles", [user]), *done("delete", "post_tags", links)]
    hidden = [hit for table, body in before for hit in done("delete", table, [body["id"]])]
    assert written(stored, actor) == sorted(hidden if stored.hides else hidden + gone)
    for table, body in before:
        changes = latest(blog, table, body["id"])["changes"]
        if stored.hides:
            assert (
                {"deleted_at", "deletion_id"}
                <= changes.keys()
                <= {"deleted_at", "deletion_id", "updated_at", "version"}
            )
        else:
            assert changes == changed(body, {})
    if not stored.hides:
        bio = latest(blog, "profiles", user)["changes"]
        assert bio == changed({"user_id": user, "bio": "Hello"}, {})


@example
def test_deleted_post_and_comment_are_logged(blog: Blog, stored: Storage) -> None:
    post = blog.add_post(tags=[unique_word()])
    first, second = (blog.add_comment(post["id"], post["author_id"])["id"] for _ in range(2))
    (link,) = stored.rows("post_tags", post_id=post["id"])
    actor = unique_word()
    blog.delete(f"/comments/{first}", x_actor=actor)
    assert written(stored, actor) == done("delete", "comments", [first])
    actor = unique_word()
    blog.delete(f"/posts/{post['id']}", x_actor=actor)
    links = [] if stored.hides else done("delete", "post_tags", [f"{post['id']}/{link['tag_id']}"])
    assert written(stored, actor) == [
        *done("delete", "comments", [second]),
        *links,
        *done("delete", "posts", [post["id"]]),
    ]


@pytest.mark.crud
@example
@pytest.mark.mixin("soft_delete")
def test_soft_delete_and_restore_are_logged(blog: Blog, stored: Storage) -> None:
    post = blog.add_post(tags=[unique_word()])
    user, comment = post["author_id"], blog.add_comment(post["id"], post["author_id"])["id"]
    blog.put(f"/users/{user}/profile", {"bio": "Hello"}, expect=201)
    paths = {("users", user): f"/users/{user}", ("posts", post["id"]): f"/posts/{post['id']}"}
    deleter, restorer = unique_word(), unique_word()

    def read() -> list[dict[str, Any]]:
        return [blog.item(path, include_deleted=True) for path in paths.values()]

    made = read()
    blog.delete(f"/users/{user}", x_actor=deleter)
    deletion = stored.with_deleted.row("users", id=user)["deletion_id"]
    deleted = read()
    blog.restore(f"/users/{user}", x_actor=restorer)
    blog.restore(f"/users/{user}", x_actor=restorer)
    restored = read()

    rows = [*paths, ("comments", comment)]
    for actor, action in ((deleter, "delete"), (restorer, "restore")):
        assert written(stored, actor) == sorted(hit for table, row in rows for hit in done(action, table, [row]))
    for number, (table, row) in enumerate(paths):
        back, gone = entries(blog, table, row)[:2]
        assert gone["changes"] == {
            **changed(made[number], deleted[number]),
            "deletion_id": {"old": None, "new": deletion},
        }
        assert back["changes"] == {
            **changed(deleted[number], restored[number]),
            "deletion_id": {"old": deletion, "new": None},
        }


@example
def test_failed_request_is_not_logged(blog: Blog, stored: Storage) -> None:
    actor, taken, user = unique_word(), blog.add_user()["email"], blog.add_user()["id"]
    batch = [*(new_user() for _ in range(3)), new_user(email=taken)]
    blog.post("/users", new_user(email=taken), expect=409, x_actor=actor)
    blog.post("/users/bulk", batch, expect=409, x_actor=actor)
    blog.patch(f"/users/{user}", {"name": "Bo", "email": taken}, expect=409, x_actor=actor)
    blog.patch("/users/bulk", {"ids": [user, MAX_ID], "is_active": False}, expect=404, x_actor=actor)
    blog.post("/users/bulk-delete", {"ids": [user, MAX_ID]}, expect=404, x_actor=actor)
    blog.put(f"/users/{MAX_ID}/profile", {"bio": ""}, expect=404, x_actor=actor)
    blog.post("/posts", text_of(MAX_ID, [unique_word()]), expect=422, x_actor=actor)
    blog.patch(f"/posts/{MAX_ID}", {"tags": [unique_word()]}, expect=404, x_actor=actor)
    assert written(stored, actor) == []


@pytest.mark.crud
@example
@pytest.mark.mixin("optimistic_locking")
def test_stale_request_is_not_logged(blog: Blog, stored: Storage) -> None:
    actor, post = unique_word(), blog.add_post()["id"]
    blog.patch(f"/posts/{post}", {"title": "New", "tags": [unique_word()]}, expect=412, if_match='"7"', x_actor=actor)
    blog.delete(f"/posts/{post}", expect=412, if_match='"7"', x_actor=actor)
    assert written(stored, actor) == []


@example
def test_concurrent_requests_keep_their_actors(blog: Blog) -> None:
    actors = [unique_word() if number % 4 else None for number in range(12)]

    path = f"/posts/{blog.add_post()['id']}/comments"

    def make(actor: str | None) -> list[tuple[str, int]]:
        headers = {"x_actor": actor} if actor else {}
        user = blog.create("/users", new_user(), **headers)["id"]
        comment = blog.create(path, {"author_id": user, "content": "C"}, **headers)["id"]
        return [("users", user), ("comments", comment)]

    for actor, made in zip(actors, concurrently([partial(make, actor) for actor in actors]), strict=True):
        assert [latest(blog, table, row)["actor"] for table, row in made] == [actor, actor]


@example
def test_actor_is_cut_at_200_characters(blog: Blog, stored: Storage) -> None:
    longest = unique_word().ljust(200, "x")
    user = blog.create("/users", new_user(), x_actor=longest)["id"]
    assert latest(blog, "users", user)["actor"] == longest
    email = new_email()
    problem = blog.post("/users", new_user(email=email), expect=422, x_actor=longest + "x").json()
    assert [[str(step).lower() for step in place] for place in locations(problem)] == [["header", "x-actor"]]
    assert stored.count("users", email=email) == 0


@example
@pytest.mark.parametrize(
    ("header", "actor"),
    [
        (b"", None),
        (b"\xe9", "\xe9"),
        (b"Jos\xc3\xa9", "Jos\xe9"),
        (b"\xf0\x9f\x8d\xa3", "\U0001f363"),
        (b"\xff" * 200, "\xff" * 200),
        (("\xe9" * 200).encode(), "\xe9" * 200),
        (b"\"'; --", "\"'; --"),
        (b"a\tb", "a\tb"),
    ],
    ids=ascii,
)
def test_odd_actor_is_logged_as_sent(blog: Blog, header: bytes, actor: str | None) -> None:
    headers = [(b"content-type", b"application/json"), (b"x-actor", header)]
    user = blog.api.post("/api/v1/users", json=new_user(), headers=headers).raise_for_status().json()
    assert latest(blog, "users", user["id"])["actor"] == actor


@example
def test_entries_are_paged_newest_first(blog: Blog, schemas: Schemas) -> None:
    user = blog.add_user()["id"]
    for number in range(5):
        blog.patch(f"/users/{user}", {"name": f"{number}"})
    whole = entries(blog, "users", user)
    names = [entry["changes"]["name"]["new"] for entry in whole]
    assert names == ["4", "3", "2", "1", "0", "Ada"]
    assert ids(whole) == sorted(set(ids(whole)), reverse=True)
    for limit in (1, 2, 3, 6, 100):
        pages = list(blog.cursor_pages("/audit", table_name="users", record_id=user, limit=limit))
        assert [entry for page in pages for entry in page["items"]] == whole
        assert len(pages) == -(-6 // limit)
        schemas.check("CursorPage", pages[0], of="AuditEntry")
    newest = ids(blog.items("/audit", limit=9))
    assert newest == sorted(set(newest), reverse=True)
    assert whole[0]["id"] in newest


@example
def test_entries_are_filtered_by_table_and_record(blog: Blog) -> None:
    post = blog.add_post()
    comment = blog.add_comment(post["id"], post["author_id"])["id"]
    assert {entry["table_name"] for entry in blog.items("/audit", table_name="comments", limit=5)} == {"comments"}
    assert blog.items("/audit", table_name="comments", limit=1)[0]["record_id"] == comment
    found = blog.items("/audit", record_id=comment, limit=100)
    assert {entry["record_id"] for entry in found} == {comment}
    assert "comments" in {entry["table_name"] for entry in found}


@pytest.mark.crud
def test_unknown_table_or_record_has_no_entries(blog: Blog) -> None:
    nothing: dict[str, Any] = {"items": [], "next_cursor": None}
    assert blog.page("/audit", table_name=unique_word()) == blog.page("/audit", table_name="USERS") == nothing
    assert blog.page("/audit", record_id=unique_word()) == nothing
    assert blog.page("/audit", table_name="users", record_id=MAX_ID) == nothing


def test_audit_limit_is_1_to_100(blog: Blog) -> None:
    for cursor in ("not a cursor!", "\0", "9" * 40, "bnVsbA", "W10", "e30", "MQ==!"):
        blog.get("/audit", expect=400, cursor=cursor)
    for limit in (1, 100):
        blog.get("/audit", limit=limit)
    for bad in ("0", "101", "-1", "x", ""):
        assert locations(blog.get("/audit", expect=422, limit=bad).json()) == {("query", "limit")}
    for name in ("table_name", "record_id"):
        assert locations(blog.call("GET", "/audit", 422, params={name: "a\0b"}).json()) == {("query", name)}
        blog.call("GET", "/audit", (200, 422), params={name: "x" * 5_000})


@pytest.mark.crud
@example
def test_each_written_row_leaves_an_entry(blog: Blog, stored: Storage, schemas: Schemas) -> None:
    actor = unique_word()
    user = blog.create("/users", new_user(), x_actor=actor)
    path = f"/users/{user['id']}"
    changed_user = blog.patch(path, {"name": "Bo"}, x_actor=actor).json()
    blog.patch(path, {}, x_actor=actor)
    updated, created = entries(blog, "users", user["id"])
    schemas.check("AuditEntry", created)
    assert (created["action"], created["actor"], created["changes"]) == ("create", actor, changed({}, user))
    assert (updated["action"], updated["changes"]) == ("update", changed(user, changed_user))
    post = blog.create("/posts", text_of(user["id"], [unique_word()]), x_actor=actor)
    blog.create(f"/posts/{post['id']}/comments", {"author_id": user["id"], "content": "C"}, x_actor=actor)
    actions = sorted((action, table) for action, table, _ in written(stored, actor))
    made = ["comments", "post_tags", "posts", "tags", "users"]
    assert actions == [*(("create", table) for table in made), ("update", "users")]

    actor = unique_word()
    blog.put(f"{path}/profile", {"bio": "Hello"}, expect=201, x_actor=actor)
    assert ("create", "profiles", str(user["id"])) in written(stored, actor)
    actor = unique_word()
    blog.delete(path, x_actor=actor)
    gone = ["comments", "posts", "users", *([] if stored.hides else ["post_tags", "profiles"])]
    assert [row[:2] for row in written(stored, actor)] == [("delete", table) for table in sorted(gone)]
    assert latest(blog, "users", user["id"])["action"] == "delete"
