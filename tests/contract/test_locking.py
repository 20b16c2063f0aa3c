"""ETags: changed with the body, compared where a client names one, and versions moved by every write."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from httpx2 import Response

from .blog import MAX_ID, NOT_SENT, Blog, concurrently, ids, new_user, statuses, unique_word
from .problems import check_problem
from .schemas import Schemas
from .storage import Storage

pytestmark = [pytest.mark.example, pytest.mark.mixin("optimistic_locking")]

THREADS = 8
CHANGES: dict[str, dict[str, Any]] = {"users": {"name": "New"}, "posts": {"title": "New", "tags": ["new"]}}
CURRENT = ('"2"', "*", '"2", "7"', '"7","8" ,  "2"', ', , "2"', 'W/"1", "2"', '"a,b", "2"')
STALE = (
    'W/"2"',
    'w/"2"',
    '"1", W/"2"',
    "2",
    '"2',
    "'2'",
    '"02"',
    '"+2"',
    '" 2"',
    '"2.0"',
    '"\N{SUPERSCRIPT TWO}"',
    "",
    '""',
    '"*"',
    "**",
    '"1,2"',
    ", ,",
    f'"{"2" * 5_000}"',
)


def rows(blog: Blog) -> dict[str, int]:
    """Make a user and a post whose version is 2, and give their ids by table."""
    post = blog.add_post()
    made = {"users": post["author_id"], "posts": post["id"]}
    for table, number in made.items():
        assert blog.patch(f"/{table}/{number}", {}).json()["version"] == 1
        assert blog.patch(f"/{table}/{number}", CHANGES[table]).json()["version"] == 2
    return made


def etag(blog: Blog, path: str, **query: str | int | bool) -> str:
    """Read the ETag of `path`."""
    tag: str = blog.call("GET", path, 200, params=query or None).headers["etag"]
    return tag


def sent(blog: Blog, method: str, path: str, match: str) -> Response:
    """Send a change of `path` with `match` as it is, letters beyond ASCII included."""
    headers = [(b"content-type", b"application/json"), (b"if-match", match.encode("latin-1"))]
    return blog.api.request(method, f"/api/v1{path}", content=b"{}" if method == "PATCH" else None, headers=headers)


def test_responses_with_one_record_have_etag(blog: Blog) -> None:
    made = blog.post("/users", new_user())
    user = f"/users/{made.json()['id']}"
    text = blog.post("/posts", {"author_id": made.json()["id"], "title": "T", "content": "C"})
    post = f"/posts/{text.json()['id']}"
    assert made.headers["etag"] == etag(blog, user) == '"1"'
    assert text.headers["etag"] == etag(blog, post)
    for path, change in ((user, {"name": "Bo"}), (post, {"title": "New"})):
        before = etag(blog, path)
        assert blog.patch(path, change).headers["etag"] == etag(blog, path) != before
    for status in (201, 200):
        assert blog.put(f"{user}/profile", {"bio": ""}, status).headers["etag"] == etag(blog, user)
    comment = blog.post(f"{post}/comments", {"author_id": made.json()["id"], "content": "C"})
    assert (comment.headers["etag"], comment.json()["version"]) == ('"1"', 1)
    for answer in (blog.get("/users"), blog.get("/posts"), blog.get(f"{post}/comments")):
        assert "etag" not in answer.headers
    assert "etag" not in blog.get(f"/users/{MAX_ID}", expect=404).headers


def test_known_body_is_304(blog: Blog) -> None:
    made = rows(blog)
    for path in (f"/users/{made['users']}", f"/posts/{made['posts']}"):
        read = blog.get(path)
        tag = read.headers["etag"]
        for method in ("GET", "HEAD"):
            for match in (tag, f"W/{tag}", f'"7", {tag}', "*"):
                known = blog.api.request(method, f"/api/v1{path}", headers={"if-none-match": match})
                assert (known.status_code, known.content) == (304, b"")
                assert {*read.headers} - {*known.headers} == {"content-length", "content-type"}
                assert known.headers["etag"] == tag
        for match in ('"7"', tag.strip('"'), "", '*, "7"', "W/*"):
            assert blog.api.get(f"/api/v1{path}", headers={"if-none-match": match}).json() == read.json()
    assert blog.api.get("/api/v1/users", headers={"if-none-match": "*"}).status_code == 200
    assert blog.api.get(f"/api/v1/users/{MAX_ID}", headers={"if-none-match": "*"}).status_code == 404


def of_post(blog: Blog) -> dict[str, Callable[[], Response]]:
    """Make a post with two comments, and give each change of its body."""
    author, friend = blog.add_user()["id"], blog.add_user()["id"]
    post = blog.add_post(author, tags=["old"])["id"]
    comment = blog.add_comment(post, author)["id"]
    blog.add_comment(post, friend)
    path = f"/posts/{post}"
    return {
        "": partial(blog.get, path),
        "title": partial(blog.patch, path, {"title": "New"}),
        "same title": partial(blog.patch, path, {"title": "New"}),
        "tags": partial(blog.patch, path, {"tags": ["new"]}),
        "new comment": partial(blog.post, f"{path}/comments", {"author_id": friend, "content": "New"}),
        "deleted comment": partial(blog.delete, f"/comments/{comment}"),
        "name of the author": partial(blog.patch, f"/users/{author}", {"name": "Bo"}),
        "deleted author of comments": partial(blog.delete, f"/users/{friend}"),
    }


def of_user(blog: Blog) -> dict[str, Callable[[], Response]]:
    """Make a user, and give each change of its body."""
    user = blog.add_user()["id"]
    path = f"/users/{user}"
    return {
        "": partial(blog.get, path),
        "name": partial(blog.patch, path, {"name": "Bo"}),
        "same name": partial(blog.patch, path, {"name": "Bo"}),
        "bulk": partial(blog.patch, "/users/bulk", {"ids": [user], "is_active": False}),
        "new profile": partial(blog.put, f"{path}/profile", {"bio": "Hello"}, 201),
        "other profile": partial(blog.put, f"{path}/profile", {"bio": "Good bye"}),
    }


def writes(path: str, commenter: int = 1) -> list[tuple[str, str, object]]:
    """List the writes that compare the ETag of the record at `path`, deleting it aside: method, path and body."""
    if path.startswith("/users"):
        return [("PATCH", path, CHANGES["users"]), ("PUT", f"{path}/profile", {"bio": "Hello"})]
    comment = {"author_id": commenter, "content": "Indeed"}
    return [("PATCH", path, CHANGES["posts"]), ("POST", f"{path}/comments", comment)]


@pytest.mark.parametrize("changes_of", [of_post, of_user])
def test_changed_body_changes_etag_and_old_etag_is_412(
    blog: Blog, changes_of: Callable[[Blog], dict[str, Callable[[], Response]]]
) -> None:
    changes = changes_of(blog)
    read = changes.pop("")
    path = read().request.url.path.removeprefix("/api/v1")
    for name, change in changes.items():
        before = read()
        change()
        after = read()
        assert after.json() != before.json(), name
        assert after.headers["etag"] != before.headers["etag"], name
        for method, target, body in [*writes(path), ("DELETE", path, NOT_SENT)]:
            blog.call(method, target, 412, body, headers={"if_match": before.headers["etag"]})
        assert (read().json(), read().headers["etag"]) == (after.json(), after.headers["etag"])


@pytest.mark.mixin("soft_delete")
def test_restored_body_changes_etag_and_old_etag_is_412(blog: Blog) -> None:
    author, friend = blog.add_user()["id"], blog.add_user()["id"]
    path = f"/posts/{blog.add_post(author)['id']}"
    blog.add_comment(int(path.rpartition("/")[2]), friend)
    seen = [etag(blog, path)]
    for record in (f"/users/{friend}", path, f"/users/{author}"):
        blog.delete(record)
        seen.append(etag(blog, path, include_deleted=True))
        live = etag(blog, record, include_deleted=True)
        for match in {*seen, '"1"'} - {live}:
            blog.restore(record, expect=412, if_match=match)
        restored = blog.restore(record, if_match=live).headers["etag"]
        assert restored == etag(blog, record) != live
        seen.append(etag(blog, path))
    assert len(set(seen)) == len(seen)


@pytest.mark.mixin("soft_delete")
def test_deleted_comment_changes_etag_of_body_that_shows_it(blog: Blog) -> None:
    post = blog.add_post()
    path = f"/posts/{post['id']}"
    live, shown = etag(blog, path), [etag(blog, path, include_deleted=True)]
    for _ in range(2):
        comment = blog.add_comment(post["id"], post["author_id"])["id"]
        blog.delete(f"/comments/{comment}")
        assert etag(blog, path) == live
        shown.append(etag(blog, path, include_deleted=True))
    assert len(set(shown)) == 3
    blog.restore(path, expect=412, if_match=shown[1])
    blog.patch(path, {}, expect=412, if_match=shown[1])
    for query in ({}, {"include_deleted": True}):
        blog.restore(path, if_match=etag(blog, path, **query))
        patched = blog.patch(path, CHANGES["posts"], if_match=etag(blog, path, **query))
        assert patched.json() == blog.item(path)
        assert patched.headers["etag"] == etag(blog, path)


@pytest.mark.crud
def test_comment_is_deleted_with_if_match(blog: Blog, stored: Storage) -> None:
    post = blog.add_post()
    body = {"author_id": post["author_id"], "content": "C"}
    made = blog.post(f"/posts/{post['id']}/comments", body)
    path = f"/comments/{made.json()['id']}"
    for match in ('"2"', 'W/"1"', etag(blog, f"/posts/{post['id']}")):
        blog.delete(path, expect=412, if_match=match)
    assert stored.count("comments", id=made.json()["id"]) == 1
    blog.delete(path, if_match=made.headers["etag"])
    blog.delete(path, expect=404, if_match=made.headers["etag"])
    blog.delete(path, expect=404, if_match="*")


def test_current_etag_matches(blog: Blog) -> None:
    user, post = blog.add_user()["id"], blog.add_post()
    blog.put(f"/users/{user}/profile", {"bio": "Hello"}, 201, if_match='"1"')
    blog.put(f"/users/{user}/profile", {"bio": "Hello"}, if_match='"2"')
    blog.put(f"/users/{user}/profile", {"bio": "Hello"}, 412, if_match='"2"')
    path = f"/posts/{post['id']}"
    comment = {"author_id": user, "content": "Indeed"}
    uncommented = etag(blog, path)
    for match in (uncommented, "*"):
        blog.post(f"{path}/comments", comment, if_match=match)
    blog.post(f"{path}/comments", comment, expect=412, if_match=uncommented)
    commented = etag(blog, path)
    blog.patch(f"/users/{post['author_id']}", {"name": "Bo"})
    assert etag(blog, path) not in {uncommented, commented}
    for target, body in ((f"/users/{MAX_ID}/profile", {"bio": ""}), (f"/posts/{MAX_ID}/comments", comment)):
        method = "PUT" if "bio" in body else "POST"
        for match in ('"1"', "*"):
            blog.call(method, target, 404, body, headers={"if_match": match})


def test_version_is_the_same_in_all_responses(blog: Blog) -> None:
    word = unique_word()
    post = blog.add_post(blog.add_user(name=word)["id"])
    user, comment = post["author_id"], blog.add_comment(post["id"], post["author_id"])
    blog.patch(f"/users/{user}", {"name": f"{word} 2"})
    blog.patch(f"/posts/{post['id']}", {"title": "New"})
    read = blog.item(f"/posts/{post['id']}")
    found = [
        *blog.items("/users", search=word),
        *blog.items("/posts", author_id=user),
        *blog.items(f"/users/{user}/posts"),
    ]
    assert [row["version"] for row in found] == [2, 2, 2]
    assert read["comments"] == blog.items(f"/posts/{post['id']}/comments") == [comment]


def test_current_version_matches(blog: Blog) -> None:
    for table, number in reversed(rows(blog).items()):
        path = f"/{table}/{number}"
        assert blog.patch(path, CHANGES[table], if_match=etag(blog, path)).json()["version"] == 3
        assert blog.patch(path, CHANGES[table], if_match="*").json()["version"] == 4
        blog.delete(path, if_match=etag(blog, path))
        blog.get(path, expect=404)
        other = f"/{table}/{rows(blog)[table]}"
        blog.delete(other, if_match="*")
        blog.get(other, expect=404)


def test_if_match_forms_that_match(blog: Blog) -> None:
    for table, number in rows(blog).items():
        path = f"/{table}/{number}"
        for match in CURRENT:
            named = match.replace('"2"', etag(blog, path))
            assert blog.patch(path, {}, if_match=named).json()["version"] == 2


def test_if_match_forms_that_do_not_match(blog: Blog) -> None:
    for table, number in rows(blog).items():
        for match in STALE:
            for method in ("PATCH", "DELETE"):
                path = f"/{table}/{number}"
                tag = etag(blog, path)
                response = sent(blog, method, path, match.replace("2", tag.strip('"')))
                assert response.status_code == 412, match
                problem = check_problem(response, 412)
                assert problem["detail"] == f"If-Match isn't the record's ETag, which is {tag}."


def test_repeated_if_match_headers_are_one_list(blog: Blog) -> None:
    path = f"/users/{rows(blog)['users']}"
    for lines, status in ((('"9"', '"2"'), 200), (('"2"', '"9"'), 200), (('"8"', '"9"'), 412)):
        headers = [("content-type", "application/json"), *(("if-match", line) for line in lines)]
        assert blog.api.request("PATCH", f"/api/v1{path}", content=b"{}", headers=headers).status_code == status


@pytest.mark.parametrize("match", ['"1"', "*", "none"])
def test_absent_row_is_404_with_any_if_match(blog: Blog, match: str) -> None:
    deleted = blog.add_post()
    blog.delete(f"/posts/{deleted['id']}")
    blog.delete(f"/users/{deleted['author_id']}")
    for path in (f"/users/{MAX_ID}", f"/posts/{MAX_ID}", f"/users/{deleted['author_id']}", f"/posts/{deleted['id']}"):
        blog.patch(path, {}, expect=404, if_match=match)
        blog.delete(path, expect=404, if_match=match)


def test_each_write_of_user_increments_version(blog: Blog, schemas: Schemas) -> None:
    user, friend = blog.add_user(), blog.add_user()
    path = f"/users/{user['id']}"
    writes: list[Callable[[], Response]] = [
        partial(blog.patch, path, {"name": "Bo"}),
        partial(blog.patch, path, {"name": "Bo"}),
        partial(blog.patch, path, {"preferences": {"a": 1}, "role": "admin"}),
        partial(blog.patch, "/users/bulk", {"ids": [user["id"], user["id"]], "is_active": False}),
        partial(blog.patch, "/users/bulk", {"ids": [user["id"]], "is_active": False}),
        partial(blog.put, f"{path}/profile", {"bio": "Hello"}, 201),
        partial(blog.put, f"{path}/profile", {"bio": "Good bye"}),
        partial(blog.put, f"{path}/profile", {"bio": "Good bye"}),
    ]
    for version, write in enumerate(writes, start=2):
        write()
        read = blog.item(path)
        schemas.check("UserDetail", read)
        assert read["version"] == version
    assert blog.item(f"/users/{friend['id']}") == friend


def test_each_write_of_post_increments_version(blog: Blog) -> None:
    post, name = blog.add_post(), unique_word()
    changes: list[dict[str, Any]] = [
        {"title": "New"},
        {"title": "New"},
        {"content": "New", "published": True},
        {"tags": [name, unique_word()]},
        {"tags": [name]},
        {"tags": [name]},
        {"tags": []},
    ]
    for version, change in enumerate(changes, start=2):
        assert blog.patch(f"/posts/{post['id']}", change).json()["version"] == version


def test_other_requests_leave_version(blog: Blog, stored: Storage) -> None:
    taken, made = blog.add_user()["email"], rows(blog)
    before = [stored.row(table, id=number) for table, number in made.items()]
    user, post = f"/users/{made['users']}", f"/posts/{made['posts']}"
    for path in (user, post):
        blog.get(path)
        assert blog.patch(path, {}).json()["version"] == 2
    blog.patch(user, {"email": taken}, expect=409)
    blog.patch(user, {"name": ""}, expect=422)
    blog.patch(user, {"version": 7}, expect=422)
    blog.patch(post, {"tags": [""]}, expect=422)
    blog.patch("/users/bulk", {"ids": [made["users"], MAX_ID], "is_active": False}, expect=404)
    blog.delete(f"/comments/{blog.add_comment(made['posts'], made['users'])['id']}")
    blog.add_comment(made["posts"], made["users"])
    blog.delete(f"/posts/{blog.add_post(made['users'], tags=['new'])['id']}")
    assert [stored.row(table, id=number) for table, number in made.items()] == before


@pytest.mark.parametrize("table", CHANGES)
def test_one_of_concurrent_writers_at_a_version_wins(blog: Blog, stored: Storage, table: str) -> None:
    number = rows(blog)[table]
    path = f"/{table}/{number}"
    patch = partial(blog.patch, path, CHANGES[table], expect=(200, 412), if_match=etag(blog, path))
    assert statuses([patch] * THREADS) == {200: 1, 412: THREADS - 1}
    assert stored.row(table, id=number)["version"] == 3

    tag = etag(blog, path)
    delete = partial(blog.delete, path, expect=(204, 404, 412), if_match=tag)
    patch = partial(blog.patch, path, CHANGES[table], expect=(200, 404, 412), if_match=tag)
    found = statuses([delete, patch] * (THREADS // 2))
    assert found[200] + found[204] == 1
    assert stored.count(table, id=number) == found[200]


@pytest.mark.locks
def test_one_of_concurrent_writes_of_any_kind_wins(blog: Blog) -> None:
    post, commenter = blog.add_post(), blog.add_user()["id"]
    for path in (f"/posts/{post['id']}", f"/users/{post['author_id']}"):
        headers = {"if_match": etag(blog, path)}
        calls = [
            partial(blog.call, method, target, (200, 201, 412), body, headers=headers)
            for method, target, body in writes(path, commenter) * (THREADS // 2)
        ]
        assert statuses(calls)[412] == THREADS - 1


def test_concurrent_writers_without_if_match_all_succeed(blog: Blog) -> None:
    made = rows(blog)
    user, post = f"/users/{made['users']}", f"/posts/{made['posts']}"
    calls: list[Callable[[], Response]] = [
        *(partial(blog.patch, user, {"name": f"{number}"}) for number in range(4)),
        *(partial(blog.patch, "/users/bulk", {"ids": [made["users"]], "is_active": True}) for _ in range(2)),
        *(partial(blog.put, f"{user}/profile", {"bio": f"{number}"}, (200, 201)) for number in range(2)),
        *(partial(blog.patch, post, {"title": f"{number}"}) for number in range(2)),
        *(partial(blog.patch, post, {"tags": [unique_word()]}) for _ in range(2)),
    ]
    concurrently(calls)
    assert (blog.item(user)["version"], blog.item(post)["version"]) == (2 + 8, 2 + 4)


def test_concurrent_writers_that_retry_lose_no_update(blog: Blog) -> None:
    check_no_update_is_lost(blog, 6)


def test_20_concurrent_writers_that_retry_lose_no_update(blog: Blog) -> None:
    check_no_update_is_lost(blog, 20)


def check_no_update_is_lost(blog: Blog, writers: int) -> None:
    """Let `writers` read a user and change what they read, again while they come too late, until each has done so."""
    path = f"/users/{blog.add_user(preferences={'done': []})['id']}"

    def write(writer: int) -> None:
        for _ in range(writers):
            read = blog.get(path)
            done = {"done": [*read.json()["preferences"]["done"], writer]}
            change = {"preferences": done, "name": f"writer {writer}"}
            if blog.patch(path, change, expect=(200, 412), if_match=read.headers["etag"]).status_code == 200:
                return
        pytest.fail(f"writer {writer} had no turn among {writers}")

    concurrently([partial(write, writer) for writer in range(writers)])
    read = blog.item(path)
    assert sorted(read["preferences"]["done"]) == list(range(writers))
    assert read["name"] == f"writer {read['preferences']['done'][-1]}"
    assert read["version"] == 1 + writers


@pytest.mark.mixin("soft_delete")
def test_delete_and_restore_increment_version(blog: Blog) -> None:
    post = blog.add_post()
    user, path = f"/users/{post['author_id']}", f"/posts/{post['id']}"
    comment = blog.add_comment(post["id"], post["author_id"])["id"]

    blog.delete(user, expect=412, if_match='"2"')
    blog.delete(user, if_match='"1"')
    assert etag(blog, user, include_deleted=True) == '"2"'
    hidden = blog.item(path, include_deleted=True)
    assert [hidden["version"], *(row["version"] for row in hidden["comments"])] == [2, 2]
    for match in ('"1"', '"2"', "*"):
        blog.patch(user, {"name": "Bo"}, expect=404, if_match=match)
        blog.delete(path, expect=404, if_match=match)

    assert blog.restore(user).headers["etag"] == '"3"'
    assert blog.restore(user).headers["etag"] == etag(blog, user) == '"3"'
    assert blog.item(path)["version"] == 3
    assert [(row["id"], row["version"]) for row in blog.items(f"{path}/comments")] == [(comment, 3)]
    blog.patch(user, {"name": "Bo"}, expect=412, if_match='"1"')
    blog.patch(user, {"name": "Bo"}, if_match='"3"')

    blog.delete(path, if_match=etag(blog, path))
    assert blog.restore(path).json()["version"] == 5
    assert blog.item(user)["version"] == 4


@pytest.mark.mixin("soft_delete")
def test_refused_restore_leaves_version(blog: Blog) -> None:
    user = blog.add_user()
    blog.delete(f"/users/{user['id']}")
    blog.add_user(email=user["email"])
    blog.restore(f"/users/{user['id']}", expect=409)
    assert blog.item(f"/users/{user['id']}", include_deleted=True)["version"] == 2


@pytest.mark.mixin("soft_delete")
def test_bulk_delete_increments_version(blog: Blog) -> None:
    users = blog.add_users([{"name": unique_word()}] * 3)
    blog.post("/users/bulk-delete", {"ids": ids(users)}, expect=200)
    found = blog.items("/users", search=users[0]["name"], include_deleted=True)
    assert [user["version"] for user in found] == [2, 2, 2]


@pytest.mark.mixin("audit_log")
def test_audit_log_has_each_version_once(blog: Blog) -> None:
    user = blog.add_user()["id"]
    path = f"/users/{user}"
    matched = partial(blog.patch, path, expect=(200, 412), if_match='"1"')
    changes = (matched, partial(blog.patch, path))
    concurrently([partial(change, {"name": f"{number}"}) for change in changes for number in range(3)])
    blog.put(f"{path}/profile", {"bio": ""}, expect=201)
    blog.patch("/users/bulk", {"ids": [user], "is_active": True})
    entries = blog.items("/audit", table_name="users", record_id=user, limit=100)
    moves = sorted((entry["changes"]["version"]["old"] or 0, entry["changes"]["version"]["new"]) for entry in entries)
    assert moves == [(version, version + 1) for version in range(blog.item(path)["version"])]


@pytest.mark.crud
def test_stale_etag_is_412_and_each_write_increments_version(blog: Blog, stored: Storage) -> None:
    post = blog.add_post()
    for table, number in (("users", post["author_id"]), ("posts", post["id"])):
        path = f"/{table}/{number}"
        read = blog.get(path)
        stale = read.headers["etag"]
        assert read.json()["version"] == stored.row(table, id=number)["version"] == 1
        changed = blog.patch(path, CHANGES[table], if_match=stale)
        row = stored.row(table, id=number)
        assert changed.json()["version"] == row["version"] == 2
        assert changed.headers["etag"] == etag(blog, path) != stale
        for match in (stale, '"3"'):
            blog.patch(path, CHANGES[table], expect=412, if_match=match)
            blog.patch(path, {}, expect=412, if_match=match)
            blog.delete(path, expect=412, if_match=match)
        assert stored.row(table, id=number) == row
        assert blog.item(path) == changed.json()
    user = f"/users/{post['author_id']}"
    blog.put(f"{user}/profile", {"bio": "Hello"}, expect=201)
    blog.patch("/users/bulk", {"ids": [post["author_id"]], "is_active": False})
    assert blog.item(user)["version"] == 4
    blog.patch(f"/users/{MAX_ID}", CHANGES["users"], expect=404, if_match=stale)
    blog.delete(user, if_match=etag(blog, user))
    blog.get(user, expect=404)
