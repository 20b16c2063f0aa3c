"""What each mixin adds to the example, alone and beside others, over HTTP and in its rows."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from tests.contract.blog import MAX_ID, ids, new_user, unique_word
from tests.contract.problems import locations
from tests.contract.schemas import stable_fields
from tests.contract.storage import as_utc
from tests.every_variant.checks import Service, check, entries, stamps, written


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
    word = unique_word()
    s.blog.post("/users/bulk", [new_user(name=word)])
    assert abs(stamps(s.blog.items("/users", search=word)[0])[1] - datetime.now(UTC)) < timedelta(minutes=1)


@check("example", "soft_delete")
def deleted_rows_are_hidden_shown_on_demand_and_restored(s: Service) -> None:
    word = unique_word()
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
    s.schemas.check("PostDetail", shown)
    assert datetime.fromisoformat(shown["deleted_at"]).utcoffset() == timedelta(0)
    assert ids(shown["comments"]) == [comment]
    s.blog.patch(path, {"title": "New"}, expect=404)
    s.blog.restore(path, expect=409)

    restored = s.blog.restore(user).json()
    s.schemas.check("UserDetail", restored)
    assert restored == s.blog.item(user)
    assert ids(s.blog.item(path)["comments"]) == [comment]
    assert {s.stored.row(table, id=number)["deleted_at"] for table, number in rows.items()} == {None}
    s.blog.delete(path)
    assert stable_fields(s.blog.restore(path).json()) == stable_fields(s.blog.item(path))
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


@check("example", "audit_log")
def each_written_row_leaves_an_entry(s: Service) -> None:
    actor = unique_word()
    user = s.blog.create("/users", new_user(), x_actor=actor)
    path = f"/users/{user['id']}"
    s.blog.patch(path, {"name": "Bo"}, x_actor=actor)
    s.blog.patch(path, {}, x_actor=actor)
    created, updated = entries(s, "users", user["id"])
    s.schemas.check("AuditEntry", created)
    assert (created["action"], created["actor"], updated["action"]) == ("create", actor, "update")
    assert created["changes"]["email"] == {"old": None, "new": user["email"]}
    assert created["changes"]["preferences"] == {"old": None, "new": "***"}
    assert updated["changes"]["name"] == {"old": "Ada", "new": "Bo"}
    assert updated["changes"].keys() <= {"name", "updated_at", "version"}
    assert written(s, actor) == [("create", "users"), ("update", "users")]

    actor = unique_word()
    post = s.blog.create(
        "/posts", {"author_id": user["id"], "title": "T", "content": "C", "tags": [unique_word()]}, x_actor=actor
    )
    assert written(s, actor) == [("create", "post_tags"), ("create", "posts"), ("create", "tags")]
    s.blog.add_comment(post["id"], user["id"])
    actor = unique_word()
    s.blog.put(f"{path}/profile", {"bio": "Hello"}, expect=201, x_actor=actor)
    assert ("create", "profiles") in written(s, actor)
    actor = unique_word()
    s.blog.delete(path, x_actor=actor)
    removed = [] if s.stored.hides else [("delete", "post_tags"), ("delete", "profiles")]
    assert written(s, actor) == sorted([("delete", "comments"), ("delete", "posts"), ("delete", "users"), *removed])
    assert entries(s, "users", user["id"])[-1]["action"] == "delete"


@check("example", "audit_log")
def bulk_calls_leave_an_entry_for_each_row_and_failed_ones_none(s: Service) -> None:
    actor, word = unique_word(), unique_word()
    s.blog.post("/users/bulk", [new_user(name=word) for _ in range(3)], x_actor=actor)
    made = ids(s.stored.rows("users", name=word))
    s.blog.patch("/users/bulk", {"ids": made, "is_active": False}, x_actor=actor)
    s.blog.post("/users/bulk-delete", {"ids": made}, expect=200, x_actor=actor)
    assert written(s, actor) == [(action, "users") for action in ("create", "delete", "update") for _ in range(3)]
    actor = unique_word()
    s.blog.post("/users/bulk", [new_user(email=f"{word}@example.com")] * 2, expect=409, x_actor=actor)
    s.blog.put(f"/users/{MAX_ID}/profile", {"bio": ""}, expect=404, x_actor=actor)
    assert written(s, actor) == []


@check("example", "audit_log", "soft_delete")
def restoring_leaves_entries(s: Service) -> None:
    actor, post = unique_word(), s.blog.add_post()
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


@check("example", "optimistic_locking")
def etag_changes_with_the_body_and_each_write_compares_it(s: Service) -> None:
    post = s.blog.add_post()
    path, user = f"/posts/{post['id']}", f"/users/{post['author_id']}"
    comment = {"author_id": post["author_id"], "content": "C"}
    bare = s.blog.get(path).headers["etag"]
    made = s.blog.post(f"{path}/comments", comment, if_match=bare)
    commented = s.blog.get(path).headers["etag"]
    s.blog.post(f"{path}/comments", comment, expect=412, if_match=bare)
    s.blog.patch(user, {"name": "Bo"})
    assert len({bare, commented, s.blog.get(path).headers["etag"]}) == 3
    s.blog.put(f"{user}/profile", {"bio": "Hello"}, expect=412, if_match='"1"')
    s.blog.put(f"{user}/profile", {"bio": "Hello"}, expect=201, if_match=s.blog.get(user).headers["etag"])
    s.blog.delete(f"/comments/{made.json()['id']}", expect=412, if_match='"7"')
    s.blog.delete(f"/comments/{made.json()['id']}", if_match=made.headers["etag"])
    assert s.stored.count("comments", post_id=post["id"]) == 0


@check("example", "optimistic_locking", "soft_delete")
def deleting_and_restoring_move_the_version(s: Service) -> None:
    path = f"/users/{s.blog.add_user()['id']}"
    s.blog.delete(path)
    assert s.blog.item(path, include_deleted=True)["version"] == 2
    assert s.blog.restore(path).json()["version"] == 3


@check("example", "optimistic_locking", "audit_log")
def request_at_a_stale_version_leaves_no_entry(s: Service) -> None:
    actor, path = unique_word(), f"/posts/{s.blog.add_post()['id']}"
    s.blog.patch(path, {"title": "New"}, expect=412, if_match='"7"', x_actor=actor)
    s.blog.delete(path, expect=412, if_match='"7"', x_actor=actor)
    assert written(s, actor) == []


def found(s: Service, text: str) -> list[int]:
    """List the posts that a search finds, best match first."""
    return ids(s.blog.items("/posts/search", q=text))


@check("example", "full_text_search")
def search_finds_whole_words_best_match_first(s: Service) -> None:
    word, other = unique_word(), unique_word()
    body = s.blog.add_post(content=f"More of {word}.")["id"]
    title = s.blog.add_post(title=f"On {word}")
    s.schemas.check("Found", s.blog.page("/posts/search", q=word), of="PostSummary")
    assert found(s, word) == found(s, word.upper()) == [title["id"], body]
    assert found(s, word[:-1]) == []
    s.blog.patch(f"/posts/{body}", {"content": other})
    assert (found(s, word), found(s, other)) == ([title["id"]], [body])
    s.blog.delete(f"/posts/{body}")
    s.blog.delete(f"/users/{title['author_id']}")
    assert found(s, word) == found(s, other) == []
    for odd in ('c++ "(', "a -", "*", "'; --", "NOT a", ":a & | !", "%s", "漢字"):
        s.blog.get("/posts/search", q=odd)
    assert locations(s.blog.get("/posts/search", expect=422, q=" ").json()) == {("query", "q")}


@check("example", "full_text_search", "soft_delete")
def restored_post_is_found_again(s: Service) -> None:
    word = unique_word()
    post = s.blog.add_post(title=word)
    s.blog.delete(f"/users/{post['author_id']}")
    assert found(s, word) == []
    s.blog.restore(f"/users/{post['author_id']}")
    assert found(s, word) == [post["id"]]
