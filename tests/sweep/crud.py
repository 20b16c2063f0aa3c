"""What every variant's service must do with each resource and each mixin that it has, over HTTP and in its rows.

A check is a function marked with what it needs: mixins, and the example or, where that is absent, a first model of the
owner's. It makes its rows itself. The same checks run on all variants; `tests/contract/` has the details.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from httpx2 import Client

from tests.contract.blog import MAX_ID, Blog, ids, new_email, new_user, token
from tests.contract.problems import check_problem, places
from tests.contract.shapes import STAMPS, Shapes, without_moves
from tests.contract.storage import Storage, as_json, as_utc


@dataclass(frozen=True)
class Service:
    """A running service: a way to call it, what its bodies look like, and its rows."""

    api: Client
    blog: Blog
    shapes: Shapes
    stored: Storage
    features: frozenset[str]


Check = Callable[[Service], None]
CHECKS: list[tuple[frozenset[str], Check]] = []


def check(*needs: str) -> Callable[[Check], Check]:
    """Let a check run on each variant that has all of `needs`: `example` or `first model`, and mixins."""

    def register(function: Check) -> Check:
        CHECKS.append((frozenset(needs), function))
        return function

    return register


# Every variant


@check()
def health_and_documentation(s: Service) -> None:
    for path in ("/health/live", "/health/ready"):
        response = s.api.get(path)
        assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert s.api.get("/health/pool").status_code == 200
    assert "text/html" in s.api.get("/docs").headers["content-type"]
    check_problem(s.api.get("/nothing"), 404)


@check()
def routes_are_those_of_the_answers(s: Service) -> None:
    assert s.api.get("/api/v1/users").status_code == (200 if "example" in s.features else 404)
    assert s.api.get("/api/v1/audit").status_code == (200 if "audit_log" in s.features else 404)
    if "example" not in s.features:  # its document takes long to make; the contract's tests read it
        paths = s.api.get("/openapi.json").json()["paths"]
        assert ("/api/v1/audit" in paths) == ("audit_log" in s.features)
        return
    found = s.api.get("/api/v1/posts/search", params={"q": "word"}).status_code
    assert (found == 200) == ("full_text_search" in s.features)
    user = s.blog.add_user()["id"]
    assert s.api.post(f"/api/v1/users/{user}/restore").status_code == (200 if "soft_delete" in s.features else 404)


@check("audit_log")
def audit_log_is_read_in_pages(s: Service) -> None:
    s.shapes.check("CursorPage", s.blog.page("/audit", limit=5), of="AuditEntry")
    assert s.blog.page("/audit", table_name=token()) == {"items": [], "next_cursor": None}
    s.blog.get("/audit", expect=400, cursor="not a cursor!")
    assert places(s.blog.get("/audit", expect=422, limit=0).json()) == {("query", "limit")}


# Users


@check("example")
def user_is_created_read_changed_and_deleted(s: Service) -> None:
    email = new_email()
    response = s.blog.post("/users", {"email": f" {email.upper()} ", "name": " Ada ", "preferences": {"a": [1, None]}})
    user = response.json()
    path = f"/users/{user['id']}"
    s.shapes.check("UserDetail", user)
    assert response.headers["location"] == f"/api/v1{path}"
    expected = {"email": email, "name": "Ada", "role": "reader", "is_active": True, "preferences": {"a": [1, None]}}
    assert user.items() >= {**expected, "profile": None}.items()
    assert s.blog.item(path) == user
    row = s.stored.row("users", id=user["id"])
    assert {**row, "preferences": as_json(row["preferences"])}.items() >= expected.items()

    assert s.blog.patch(path, {}).json() == user
    changed = s.blog.patch(path, {"name": "Bo", "role": "admin", "is_active": False}).json()
    assert without_moves(changed) == without_moves({**user, "name": "Bo", "role": "admin", "is_active": False})
    assert s.blog.item(path) == changed
    row = s.stored.row("users", id=user["id"])
    assert (row["name"], row["role"], bool(row["is_active"]), row["email"]) == ("Bo", "admin", False, email)

    s.blog.delete(path)
    assert s.stored.count("users", id=user["id"]) == 0
    for method in ("GET", "DELETE"):
        s.blog.call(method, path, 404)
    s.blog.patch(path, {"name": "Cy"}, expect=404)
    s.blog.get(f"/users/{MAX_ID}", expect=404)


@check("example")
def taken_email_is_409(s: Service) -> None:
    taken, other = s.blog.add_user()["email"], s.blog.add_user()
    s.blog.post("/users", new_user(email=taken.upper()), expect=409)
    s.blog.patch(f"/users/{other['id']}", {"name": "Eve", "email": taken}, expect=409)
    s.blog.post("/users/bulk", [new_user(name=taken), new_user(name=taken, email=taken)], expect=409)
    assert s.blog.item(f"/users/{other['id']}") == other
    assert s.stored.count("users", email=taken) == 1
    assert s.stored.count("users", name=taken) == 0


@check("example")
def invalid_input_is_422_and_changes_nothing(s: Service) -> None:
    user = s.blog.add_user()
    path, word = f"/users/{user['id']}", token()
    for body, field in (
        ({"email": "no address", "name": word}, "email"),
        ({"email": new_email(), "name": ""}, "name"),
        (new_user(name=word, role="king"), "role"),
        (new_user(name=word, unknown=1), "unknown"),
    ):
        assert places(s.blog.post("/users", body, expect=422).json()) == {("body", field)}
    assert places(s.blog.patch(path, {"name": None}, expect=422).json()) == {("body", "name")}
    assert places(s.blog.get("/users", expect=422, size=0).json()) == {("query", "size")}
    assert places(s.blog.get("/users", expect=422, sort="preferences").json()) == {("query", "sort")}
    s.blog.call("POST", "/users", 400, content="{", headers={"content-type": "application/json"})
    assert s.stored.count("users", name=word) == 0
    assert s.blog.item(path) == user


@check("example")
def profile_is_created_then_replaced(s: Service) -> None:
    user = s.blog.add_user()
    path = f"/users/{user['id']}"
    first = s.blog.put(
        f"{path}/profile", {"bio": "Hello", "avatar_url": "https://example.com/a.png"}, expect=201
    ).json()
    s.shapes.check("Profile", first)
    second = s.blog.put(f"{path}/profile", {"bio": "Bye"}).json()
    assert second == {"bio": "Bye", "avatar_url": None}
    row = s.stored.row("profiles", user_id=user["id"])
    assert (row["bio"], row["avatar_url"]) == ("Bye", None)
    assert without_moves(s.blog.item(path)) == {**without_moves(user), "profile": second}
    s.blog.put(f"/users/{MAX_ID}/profile", {"bio": ""}, expect=404)


@check("example")
def users_are_listed_filtered_searched_and_sorted(s: Service) -> None:
    word = token()
    users = s.blog.add_users(
        [
            {"name": f"{word} {letter}", "role": role, "is_active": letter != "a"}
            for letter, role in zip("bac", ("admin", "admin", "author"), strict=True)
        ]
    )
    b, a, c = ids(users)
    page = s.blog.page("/users", search=word.upper(), sort="-name", size=2)
    s.shapes.check("Page", page, of="User")
    assert ids(page["items"]) == [c, b]
    assert {key: page[key] for key in ("total", "page", "size", "pages")} == {
        "total": 3,
        "page": 1,
        "size": 2,
        "pages": 2,
    }
    assert s.blog.items("/users", search=word, sort="-name", size=2, page=2) == [users[1]]
    assert ids(s.blog.items("/users", search=word)) == [b, a, c]
    assert ids(s.blog.items("/users", search=word, role="admin", is_active=True)) == [b]
    assert ids(s.blog.items("/users", search=word, is_active=False)) == [a]
    assert s.blog.items("/users", search=f"{word}%") == []
    if "timestamps" in s.features:
        s.blog.patch(f"/users/{a}", {"role": "reader"})
        assert ids(s.blog.items("/users", search=word, sort="-updated_at"))[0] == a
    else:
        s.blog.get("/users", expect=422, sort="created_at")


@check("example")
def users_are_created_changed_and_deleted_in_bulk(s: Service) -> None:
    word = token()
    assert s.blog.post("/users/bulk", [new_user(name=word) for _ in range(3)]).json() == {"count": 3}
    made = sorted(ids(s.stored.rows("users", name=word)))
    chosen = made[:2]
    assert s.blog.patch("/users/bulk", {"ids": chosen, "is_active": False}).json() == {"count": 2}
    assert ids(s.blog.items("/users", search=word, is_active=False)) == chosen
    s.blog.patch("/users/bulk", {"ids": [made[2], MAX_ID], "is_active": False}, expect=404)
    s.blog.post("/users/bulk-delete", {"ids": [made[2], MAX_ID]}, expect=404)
    assert s.stored.row("users", id=made[2])["is_active"]
    assert s.blog.post("/users/bulk-delete", {"ids": chosen}, expect=200).json() == {"count": 2}
    assert ids(s.stored.rows("users", name=word)) == ids(s.blog.items("/users", search=word)) == made[2:]


# Posts, comments and tags


@check("example")
def post_is_created_read_changed_and_deleted(s: Service) -> None:
    author, tags = s.blog.add_user(name="Ada")["id"], sorted([token(), token()])
    given = {"author_id": author, "title": "Notes", "content": "Text", "published": True}
    response = s.blog.post("/posts", {**given, "tags": tags[::-1]})
    post = response.json()
    path = f"/posts/{post['id']}"
    s.shapes.check("Post", post)
    assert response.headers["location"] == f"/api/v1{path}"
    assert post.items() >= {**given, "tags": tags, "comments": [], "author": {"id": author, "name": "Ada"}}.items()
    assert s.blog.item(path) == post
    assert s.stored.row("posts", id=post["id"]).items() >= given.items()
    assert s.stored.count("post_tags", post_id=post["id"]) == 2

    assert s.blog.patch(path, {}).json() == post
    changed = s.blog.patch(path, {"title": "New", "published": False, "tags": tags[:1]}).json()
    assert without_moves(changed) == without_moves({**post, "title": "New", "published": False, "tags": tags[:1]})
    assert s.blog.item(path) == changed
    row = s.stored.row("posts", id=post["id"])
    assert (row["title"], row["content"], bool(row["published"])) == ("New", "Text", False)
    assert s.stored.count("post_tags", post_id=post["id"]) == 1

    comment = s.blog.add_comment(post["id"], author)
    s.blog.delete(path)
    for table, values in (
        ("posts", {"id": post["id"]}),
        ("comments", {"id": comment["id"]}),
        ("post_tags", {"post_id": post["id"]}),
    ):
        assert s.stored.count(table, **values) == 0, table
    assert s.stored.count("tags", name=tags[0]) == 1
    s.blog.get(path, expect=404)
    s.blog.patch(path, {}, expect=404)
    s.blog.delete(path, expect=404)
    problem = s.blog.post("/posts", {**given, "author_id": MAX_ID}, expect=422).json()
    assert places(problem) == {("body", "author_id")}


@check("example")
def posts_are_listed_newest_first_by_cursor(s: Service) -> None:
    author, tag = s.blog.add_user()["id"], token()
    posts = [s.blog.add_post(author, published=number > 1, tags=[tag, "other"][: number % 3]) for number in range(5)]
    pages = list(s.blog.cursor_pages(author_id=author, limit=2))
    for page in pages:
        s.shapes.check("CursorPage", page, of="PostSummary")
    listed = [post for page in pages for post in page["items"]]
    assert [len(page["items"]) for page in pages] == [2, 2, 1]
    assert listed == [{field: post[field] for field in listed[0]} for post in reversed(posts)]
    assert ids(s.blog.items("/posts", tag=tag)) == [posts[number]["id"] for number in (4, 2, 1)]
    assert ids(s.blog.items("/posts", tag=tag, published=False)) == [posts[1]["id"]]
    assert ids(s.blog.items("/posts", tag=tag, author_id=s.blog.add_user()["id"])) == []
    s.blog.get("/posts", expect=400, cursor="not a cursor!")

    page = s.blog.page(f"/users/{author}/posts", size=2, page=3)
    s.shapes.check("Page", page, of="PostSummary")
    assert (page["items"], page["total"], page["pages"]) == (listed[4:], 5, 3)
    counts = s.blog.page("/users/post-counts", min_posts=5)
    s.shapes.check("Page", counts, of="UserPostCount")
    assert [counted["post_count"] for counted in counts["items"] if counted["id"] == author] == [5]
    assert s.blog.page("/users/post-counts")["total"] == s.stored.count("users")


@check("example")
def comments_are_created_listed_and_deleted(s: Service) -> None:
    post, author = s.blog.add_post(), s.blog.add_user()["id"]
    path = f"/posts/{post['id']}/comments"
    comments = [s.blog.add_comment(post["id"], author, f"Number {number}") for number in range(3)]
    s.shapes.check("Comment", comments[0])
    given = {"post_id": post["id"], "author_id": author, "content": "Number 0"}
    assert s.stored.row("comments", id=comments[0]["id"]).items() >= given.items()
    page = s.blog.page(path, size=2)
    s.shapes.check("Page", page, of="Comment")
    assert page == {"items": comments[:2], "total": 3, "page": 1, "size": 2, "pages": 2}
    s.blog.delete(f"/comments/{comments[1]['id']}")
    assert s.blog.items(path) == s.blog.item(f"/posts/{post['id']}")["comments"] == [comments[0], comments[2]]
    assert s.stored.count("comments", post_id=post["id"]) == 2
    s.blog.delete(f"/comments/{comments[1]['id']}", expect=404)
    s.blog.post(f"/posts/{MAX_ID}/comments", {"author_id": author, "content": "C"}, expect=404)
    problem = s.blog.post(path, {"author_id": MAX_ID, "content": "C"}, expect=422).json()
    assert places(problem) == {("body", "author_id")}


@check("example")
def tags_are_shared_and_counted(s: Service) -> None:
    name = f"!{token()}"  # sorts before those of other checks
    posts = [s.blog.add_post(tags=[name, f"{name}2"]), s.blog.add_post(tags=[name])]
    page = s.blog.page("/tags", size=100)
    s.shapes.check("Page", page, of="Tag")
    own = [(tag["name"], tag["post_count"]) for tag in page["items"] if tag["name"].startswith(name)]
    assert own == [(name, 2), (f"{name}2", 1)]
    assert page["total"] == s.stored.count("tags")
    s.blog.delete(f"/posts/{posts[0]['id']}")
    assert [tag["post_count"] for tag in s.blog.items("/tags", size=100) if tag["name"].startswith(name)] == [1, 0]
    assert s.stored.count("tags", name=name) == 1


@check("example")
def deleted_user_takes_profile_posts_and_comments_along(s: Service) -> None:
    user, friend = s.blog.add_user()["id"], s.blog.add_user()["id"]
    s.blog.put(f"/users/{user}/profile", {"bio": "Hello"}, expect=201)
    own, other = s.blog.add_post(user, tags=[token()])["id"], s.blog.add_post(friend)["id"]
    gone = [s.blog.add_comment(own, friend)["id"], s.blog.add_comment(other, user)["id"]]
    kept = s.blog.add_comment(other, friend)
    s.blog.delete(f"/users/{user}")
    s.blog.get(f"/posts/{own}", expect=404)
    assert s.blog.item(f"/posts/{other}")["comments"] == [kept]
    for table, column in (("users", "id"), ("profiles", "user_id"), ("posts", "author_id"), ("comments", "author_id")):
        assert s.stored.count(table, **{column: user}) == 0, table
    assert s.stored.count("post_tags", post_id=own) == 0
    assert not any(s.stored.count("comments", id=comment) for comment in gone)


# Mixins


def stamps(body: dict[str, Any]) -> tuple[datetime, datetime]:
    """Read when a row was made and last changed, which must be in UTC."""
    created, updated = (datetime.fromisoformat(body[field]) for field in STAMPS)
    assert created.utcoffset() == updated.utcoffset() == timedelta(0)
    return created, updated


@check("example", "timestamps")
def timestamps_are_exact_and_move_with_each_write(s: Service) -> None:
    post = s.blog.add_post()
    user, comment = s.blog.item(f"/users/{post['author_id']}"), s.blog.add_comment(post["id"], post["author_id"])
    made = {"users": user, "posts": post, "comments": comment}
    for table, body in made.items():
        created, updated = stamps(body)
        assert created == updated
        assert abs(created - datetime.now(UTC)) < timedelta(minutes=1)
        row = s.stored.row(table, id=body["id"])
        assert (as_utc(row["created_at"]), as_utc(row["updated_at"])) == (created, updated), table
    assert any(stamps(body)[0].microsecond % 1_000 for body in made.values())

    path = f"/users/{user['id']}"
    writes: list[Callable[[], object]] = [
        lambda: s.blog.patch(path, {"name": "Bo"}),
        lambda: s.blog.patch("/users/bulk", {"ids": [user["id"]], "is_active": False}),
        lambda: s.blog.put(f"{path}/profile", {"bio": "Hello"}, expect=201),
    ]
    created, last = stamps(user)
    for write in writes:
        write()
        now = stamps(s.blog.item(path))
        assert now[0] == created
        assert now[1] > last
        last = now[1]
    assert as_utc(s.stored.row("users", id=user["id"])["updated_at"]) == last
    assert stamps(s.blog.patch(f"/posts/{post['id']}", {"tags": ["new"]}).json())[1] > stamps(post)[1]
    word = token()
    s.blog.post("/users/bulk", [new_user(name=word)])
    assert abs(stamps(s.blog.items("/users", search=word)[0])[1] - datetime.now(UTC)) < timedelta(minutes=1)


@check("example", "soft_delete")
def deleted_rows_are_hidden_shown_on_demand_and_restored(s: Service) -> None:
    word = token()
    post = s.blog.add_post(s.blog.add_user(name=word)["id"], tags=[word])
    path, user = f"/posts/{post['id']}", f"/users/{post['author_id']}"
    comment = s.blog.add_comment(post["id"], post["author_id"])["id"]
    rows = {"users": post["author_id"], "posts": post["id"], "comments": comment}

    s.blog.delete(user)
    deletions = {s.stored.with_deleted.row(table, id=number)["deletion_id"] for table, number in rows.items()}
    assert len(deletions) == 1
    for call in (user, path, f"{user}/posts", f"{path}/comments"):
        s.blog.get(call, expect=404)
    for query, count in (({}, 0), ({"include_deleted": True}, 1)):
        assert len(s.blog.items("/users", search=word, **query)) == count
        assert len(s.blog.items("/posts", author_id=post["author_id"], **query)) == count
        assert len(s.blog.items("/posts", tag=word, **query)) == count
    total = s.blog.page("/users/post-counts", include_deleted=True)["total"]
    assert total == s.stored.with_deleted.count("users") > s.blog.page("/users/post-counts")["total"]
    shown = s.blog.item(path, include_deleted=True)
    s.shapes.check("Post", shown)
    assert datetime.fromisoformat(shown["deleted_at"]).utcoffset() == timedelta(0)
    assert ids(shown["comments"]) == [comment]
    s.blog.patch(path, {"title": "New"}, expect=404)
    s.blog.restore(path, expect=409)

    restored = s.blog.restore(user).json()
    s.shapes.check("UserDetail", restored)
    assert restored == s.blog.item(user)
    assert ids(s.blog.item(path)["comments"]) == [comment]
    assert {s.stored.row(table, id=number)["deleted_at"] for table, number in rows.items()} == {None}
    s.blog.delete(path)
    assert without_moves(s.blog.restore(path).json()) == without_moves(s.blog.item(path))
    s.blog.restore(f"/users/{MAX_ID}", expect=404)


@check("example", "soft_delete")
def email_of_a_deleted_user_is_free_until_it_is_taken(s: Service) -> None:
    user = s.blog.add_user()
    path = f"/users/{user['id']}"
    s.blog.delete(path)
    taker = s.blog.add_user(email=user["email"])["id"]
    s.blog.post("/users", new_user(email=user["email"]), expect=409)
    s.blog.restore(path, expect=409)
    assert s.stored.row("users", email=user["email"])["id"] == taker
    assert s.stored.with_deleted.count("users", email=user["email"]) == 2
    s.blog.post("/users/bulk-delete", {"ids": [taker]}, expect=200)
    assert s.blog.restore(path).json()["email"] == user["email"]


@check("example", "soft_delete", "timestamps")
def deleting_and_restoring_move_the_update(s: Service) -> None:
    user = s.blog.add_user()
    path = f"/users/{user['id']}"
    s.blog.delete(path)
    deleted = s.blog.item(path, include_deleted=True)
    restored = s.blog.restore(path).json()
    assert stamps(user)[1] < stamps(deleted)[1] < stamps(restored)[1]


def entries(s: Service, table: str, record: int | str) -> list[dict[str, Any]]:
    """Read what the audit log has of one row, oldest first."""
    return s.blog.items("/audit", table_name=table, record_id=record, limit=100)[::-1]


def written(s: Service, actor: str) -> list[tuple[str, str]]:
    """Read what an actor did to rows of which tables, sorted."""
    return sorted((row["action"], row["table_name"]) for row in s.stored.rows("audit_log", actor=actor))


@check("example", "audit_log")
def each_written_row_leaves_an_entry(s: Service) -> None:
    actor = token()
    user = s.blog.made("/users", new_user(), x_actor=actor)
    path = f"/users/{user['id']}"
    s.blog.patch(path, {"name": "Bo"}, x_actor=actor)
    s.blog.patch(path, {}, x_actor=actor)
    created, updated = entries(s, "users", user["id"])
    s.shapes.check("AuditEntry", created)
    assert (created["action"], created["actor"], updated["action"]) == ("create", actor, "update")
    assert created["changes"]["email"] == {"old": None, "new": user["email"]}
    assert created["changes"]["preferences"] == {"old": None, "new": "***"}
    assert updated["changes"]["name"] == {"old": "Ada", "new": "Bo"}
    assert updated["changes"].keys() <= {"name", "updated_at", "version"}
    assert written(s, actor) == [("create", "users"), ("update", "users")]

    actor = token()
    post = s.blog.made(
        "/posts", {"author_id": user["id"], "title": "T", "content": "C", "tags": [token()]}, x_actor=actor
    )
    assert written(s, actor) == [("create", "post_tags"), ("create", "posts"), ("create", "tags")]
    s.blog.add_comment(post["id"], user["id"])
    actor = token()
    s.blog.put(f"{path}/profile", {"bio": "Hello"}, expect=201, x_actor=actor)
    assert ("create", "profiles") in written(s, actor)
    actor = token()
    s.blog.delete(path, x_actor=actor)
    removed = [] if s.stored.hides else [("delete", "post_tags"), ("delete", "profiles")]
    assert written(s, actor) == sorted([("delete", "comments"), ("delete", "posts"), ("delete", "users"), *removed])
    assert entries(s, "users", user["id"])[-1]["action"] == "delete"


@check("example", "audit_log")
def bulk_calls_leave_an_entry_for_each_row_and_failed_ones_none(s: Service) -> None:
    actor, word = token(), token()
    s.blog.post("/users/bulk", [new_user(name=word) for _ in range(3)], x_actor=actor)
    made = ids(s.stored.rows("users", name=word))
    s.blog.patch("/users/bulk", {"ids": made, "is_active": False}, x_actor=actor)
    s.blog.post("/users/bulk-delete", {"ids": made}, expect=200, x_actor=actor)
    assert written(s, actor) == [(action, "users") for action in ("create", "delete", "update") for _ in range(3)]
    actor = token()
    s.blog.post("/users/bulk", [new_user(email=f"{word}@example.com")] * 2, expect=409, x_actor=actor)
    s.blog.put(f"/users/{MAX_ID}/profile", {"bio": ""}, expect=404, x_actor=actor)
    assert written(s, actor) == []


@check("example", "audit_log", "soft_delete")
def restoring_leaves_entries(s: Service) -> None:
    actor, post = token(), s.blog.add_post()
    s.blog.delete(f"/users/{post['author_id']}")
    s.blog.restore(f"/users/{post['author_id']}", x_actor=actor)
    assert written(s, actor) == [("restore", "posts"), ("restore", "users")]
    assert entries(s, "posts", post["id"])[-1]["changes"]["deleted_at"]["new"] is None


@check("example", "optimistic_locking")
def stale_if_match_is_412_and_each_write_moves_the_version(s: Service) -> None:
    post = s.blog.add_post()
    for table, number, change in (
        ("posts", post["id"], {"title": "New"}),
        ("users", post["author_id"], {"name": "Bo"}),
    ):
        path = f"/{table}/{number}"
        read = s.blog.get(path)
        stale = read.headers["etag"]
        assert read.json()["version"] == s.stored.row(table, id=number)["version"] == 1
        changed = s.blog.patch(path, change, if_match=stale)
        assert changed.json()["version"] == s.stored.row(table, id=number)["version"] == 2
        assert changed.headers["etag"] == s.blog.get(path).headers["etag"] != stale
        s.blog.patch(path, change, expect=412, if_match=stale)
        s.blog.delete(path, expect=412, if_match=stale)
        assert s.blog.item(path) == changed.json()
    user = f"/users/{post['author_id']}"
    s.blog.put(f"{user}/profile", {"bio": "Hello"}, expect=201)
    s.blog.patch("/users/bulk", {"ids": [post["author_id"]], "is_active": False})
    assert s.blog.item(user)["version"] == 4
    s.blog.patch(f"/users/{MAX_ID}", change, expect=404, if_match=stale)
    s.blog.delete(user, if_match=s.blog.get(user).headers["etag"])
    s.blog.get(user, expect=404)


@check("example", "optimistic_locking", "soft_delete")
def deleting_and_restoring_move_the_version(s: Service) -> None:
    path = f"/users/{s.blog.add_user()['id']}"
    s.blog.delete(path)
    assert s.blog.item(path, include_deleted=True)["version"] == 2
    assert s.blog.restore(path).json()["version"] == 3


@check("example", "optimistic_locking", "audit_log")
def request_at_a_stale_version_leaves_no_entry(s: Service) -> None:
    actor, path = token(), f"/posts/{s.blog.add_post()['id']}"
    s.blog.patch(path, {"title": "New"}, expect=412, if_match='"7"', x_actor=actor)
    s.blog.delete(path, expect=412, if_match='"7"', x_actor=actor)
    assert written(s, actor) == []


def found(s: Service, text: str) -> list[int]:
    """List the posts that a search finds, best match first."""
    return ids(s.blog.items("/posts/search", q=text))


@check("example", "full_text_search")
def search_finds_whole_words_best_match_first(s: Service) -> None:
    word, other = token(), token()
    body = s.blog.add_post(content=f"More of {word}.")["id"]
    title = s.blog.add_post(title=f"On {word}")
    s.shapes.check("Found", s.blog.page("/posts/search", q=word), of="PostSummary")
    assert found(s, word) == found(s, word.upper()) == [title["id"], body]
    assert found(s, word[:-1]) == []
    s.blog.patch(f"/posts/{body}", {"content": other})
    assert (found(s, word), found(s, other)) == ([title["id"]], [body])
    s.blog.delete(f"/posts/{body}")
    s.blog.delete(f"/users/{title['author_id']}")
    assert found(s, word) == found(s, other) == []
    for odd in ('c++ "(', "a -", "*", "'; --", "NOT a", ":a & | !", "%s", "漢字"):
        s.blog.get("/posts/search", q=odd)
    assert places(s.blog.get("/posts/search", expect=422, q=" ").json()) == {("query", "q")}


@check("example", "full_text_search", "soft_delete")
def restored_post_is_found_again(s: Service) -> None:
    word = token()
    post = s.blog.add_post(title=word)
    s.blog.delete(f"/users/{post['author_id']}")
    assert found(s, word) == []
    s.blog.restore(f"/users/{post['author_id']}")
    assert found(s, word) == [post["id"]]


# A first model in a project without the example


def new_book(**fields: str) -> dict[str, str]:
    """Make the body of a book that can be made."""
    return {"title": "Moby-Dick", "isbn": token(), **fields}


def books_of(s: Service, **query: bool) -> list[int]:
    """List the books."""
    return ids(s.blog.items("/books", size=100, **query))


@check("first model")
def first_model_is_created_changed_and_deleted(s: Service) -> None:
    book = s.blog.made("/books", new_book())
    path, added = f"/books/{book['id']}", s.shapes.added.keys()
    assert book.keys() == {"id", "title", "isbn", *added}
    assert book in s.blog.items("/books", size=100)
    assert s.stored.row("books", id=book["id"]).items() >= {"title": "Moby-Dick", "isbn": book["isbn"]}.items()
    s.blog.post("/books", new_book(isbn=book["isbn"]), expect=409)
    changed = s.blog.put(path, new_book(isbn=book["isbn"], title="Emma")).json()
    assert without_moves(changed) == without_moves({**book, "title": "Emma"})
    assert s.stored.row("books", id=book["id"])["title"] == "Emma"
    if "timestamps" in s.features:
        assert stamps(book)[0] == stamps(book)[1] == stamps(changed)[0] < stamps(changed)[1]
        assert as_utc(s.stored.row("books", id=book["id"])["updated_at"]) == stamps(changed)[1]
    s.blog.delete(path)
    assert book["id"] not in books_of(s)
    s.blog.delete(path, expect=404)
    assert s.stored.with_deleted.count("books", id=book["id"]) == ("soft_delete" in s.features)


@check("first model")
def first_model_is_changed_in_bulk(s: Service) -> None:
    actor, books = token(), [s.blog.made("/books", new_book()) for _ in range(2)]
    s.blog.call("POST", "/books/bulk", 204, ids(books), params={"title": "Emma"}, headers={"x-actor": actor})
    for book in books:
        row = s.stored.row("books", id=book["id"])
        assert row["title"] == "Emma"
        assert "timestamps" not in s.features or as_utc(row["updated_at"]) > stamps(book)[1]
        assert "optimistic_locking" not in s.features or row["version"] == 2
    if "audit_log" in s.features:
        assert written(s, actor) == [("update", "books")] * 2
    s.blog.call("POST", "/books/bulk", 404, [books[0]["id"], MAX_ID], params={"title": "None"})
    assert s.stored.count("books", title="None") == 0


@check("first model", "soft_delete")
def first_model_is_hidden_and_restored(s: Service) -> None:
    book = s.blog.made("/books", new_book())["id"]
    isbn = s.stored.row("books", id=book)["isbn"]
    s.blog.delete(f"/books/{book}")
    assert book not in books_of(s)
    assert book in books_of(s, include_deleted=True)
    taker = s.blog.made("/books", new_book(isbn=isbn))["id"]
    s.blog.post(f"/books/{book}/restore", expect=409)
    s.blog.delete(f"/books/{taker}")
    s.blog.post(f"/books/{book}/restore", expect=204)
    assert book in books_of(s)


@check("first model", "audit_log")
def first_model_leaves_entries(s: Service) -> None:
    actor = token()
    book = s.blog.made("/books", new_book(), x_actor=actor)
    s.blog.put(f"/books/{book['id']}", new_book(title="Emma"), x_actor=actor)
    s.blog.delete(f"/books/{book['id']}", x_actor=actor)
    assert written(s, actor) == [("create", "books"), ("delete", "books"), ("update", "books")]
    created, updated, deleted = entries(s, "books", book["id"])
    assert (created["actor"], created["changes"]["isbn"]["new"]) == (actor, book["isbn"])
    assert updated["changes"]["title"] == {"old": "Moby-Dick", "new": "Emma"}
    assert ("deleted_at" if "soft_delete" in s.features else "isbn") in deleted["changes"]


@check("first model", "optimistic_locking")
def first_model_is_changed_at_its_version_alone(s: Service) -> None:
    book = s.blog.made("/books", new_book())
    path = f"/books/{book['id']}"
    assert (book["version"], s.blog.put(path, new_book(), if_match='"1"').json()["version"]) == (1, 2)
    s.blog.put(path, new_book(), expect=412, if_match='"1"')
    s.blog.delete(path, expect=412, if_match='"1"')
    s.blog.delete(path, if_match='"2"')


@check("first model", "full_text_search")
def first_model_is_found(s: Service) -> None:
    word, other = token(), token()
    path = f"/books/{s.blog.made('/books', new_book(title=f'On {word}'))['id']}"

    def found_by(text: str) -> int:
        return len(s.api.get("/api/v1/books/search", params={"q": text}).json())

    assert (found_by(word), found_by(other)) == (1, 0)
    s.blog.put(path, new_book(title=other))
    assert (found_by(word), found_by(other)) == (0, 1)
    s.blog.delete(path)
    assert found_by(other) == 0
