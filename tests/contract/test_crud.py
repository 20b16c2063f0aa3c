"""What the service does with each resource: every variant is driven through these tests."""

import pytest
from httpx2 import Client

from tests.harness.variants import NO_AUTH, OIDC, Variant

from .blog import JSON, MAX_ID, Blog, ids, new_email, new_user, unique_word
from .problems import check_problem, locations, media_type
from .schemas import Schemas, stable_fields
from .storage import Storage, as_json

pytestmark = pytest.mark.crud
example = pytest.mark.example

EMPTY = {"items": [], "total": 0, "page": 1, "size": 20, "pages": 0}


@pytest.mark.pool
def test_health_and_documentation_are_served(api: Client) -> None:
    for path in ("/health/live", "/health/ready"):
        response = api.get(path)
        assert (response.status_code, response.json()) == (200, {"status": "ok"})
        assert media_type(response) == "application/json"
    assert api.get("/health/pool").status_code == 200
    assert media_type(api.get("/docs")) == "text/html"
    check_problem(api.get("/nothing"), 404)


def test_routes_are_those_of_the_answers(api: Client, variant: Variant, mixins: frozenset[str]) -> None:
    has_search = variant.example and "full_text_search" in mixins
    has_users = variant.example or variant.auth != NO_AUTH
    has_restore = has_users and "soft_delete" in mixins
    assert api.get("/api/v1/users").status_code == (200 if has_users else 404)
    assert api.get("/api/v1/audit").status_code == (200 if "audit_log" in mixins else 404)
    assert (api.get("/api/v1/posts/search?q=word").status_code == 200) == has_search
    assert api.post("/api/v1/users/1/restore?unknown=1").status_code == (422 if has_restore else 404)


# Users


@example
def test_user_is_created_read_changed_and_deleted(
    blog: Blog, stored: Storage, schemas: Schemas, variant: Variant
) -> None:
    email = new_email()
    response = blog.post("/users", {"email": f" \t{email.upper()}\n ", "name": "\n Ada  Lovelace\t\u3000"})
    user = response.json()
    path = f"/users/{user['id']}"
    schemas.check("UserDetail", user)
    assert response.headers["location"] == f"/api/v1{path}"
    expected = {"email": email, "name": "Ada  Lovelace", "role": "reader", "is_active": True, "preferences": {}}
    assert user.items() >= {**expected, "profile": None}.items()
    assert blog.item(path) == user
    row = stored.row("users", id=user["id"])
    assert {**row, "preferences": as_json(row["preferences"])}.items() >= expected.items()

    assert blog.patch(path, {}).json() == user
    assert stored.row("users", id=user["id"]) == row
    role = {} if variant.auth == OIDC else {"role": "admin"}
    for change in ({"name": "Bo"}, {**role, "is_active": False, "preferences": {"a": [1, None]}}):
        expected |= change
        changed = blog.patch(path, change).json()
        assert stable_fields(changed) == stable_fields({**user, **expected})
        assert blog.item(path) == changed
    row = stored.row("users", id=user["id"])
    assert {**row, "preferences": as_json(row["preferences"])}.items() >= expected.items()

    blog.delete(path)
    assert stored.count("users", id=user["id"]) == 0
    for method in ("GET", "DELETE"):
        blog.call(method, path, 404)
    blog.patch(path, {"name": "Cy"}, expect=404)
    blog.get(f"/users/{MAX_ID}", expect=404)
    assert blog.add_user(email=email)["id"] != user["id"]


@example
def test_taken_email_is_409(blog: Blog, stored: Storage) -> None:
    taken, other = blog.add_user()["email"], blog.add_user()
    for email in (taken, taken.upper(), f" {taken.title()} "):
        blog.post("/users", new_user(email=email), expect=409)
    blog.patch(f"/users/{other['id']}", {"name": "Eve", "email": taken}, expect=409)
    blog.post("/users/bulk", [new_user(name=taken), new_user(name=taken, email=taken)], expect=409)
    assert blog.item(f"/users/{other['id']}") == other
    assert stored.count("users", email=taken) == 1
    assert stored.count("users", name=taken) == 0


@example
def test_invalid_input_is_422_and_changes_nothing(blog: Blog, stored: Storage) -> None:
    user = blog.add_user()
    path, word = f"/users/{user['id']}", unique_word()
    for body, field in (
        ({"email": "no address", "name": word}, "email"),
        ({"email": new_email(), "name": ""}, "name"),
        (new_user(name=word, role="king"), "role"),
        (new_user(name=word, unknown=1), "unknown"),
    ):
        assert locations(blog.post("/users", body, expect=422).json()) == {("body", field)}
    assert locations(blog.patch(path, {"name": None}, expect=422).json()) == {("body", "name")}
    assert locations(blog.get("/users", expect=422, size=0).json()) == {("query", "size")}
    assert locations(blog.get("/users", expect=422, unknown="x").json()) == {("query", "unknown")}
    assert locations(blog.get("/users", expect=422, sort="preferences").json()) == {("query", "sort")}
    blog.call("POST", "/users", 400, content="{", headers=JSON)
    assert stored.count("users", name=word) == 0
    assert blog.item(path) == user


@example
def test_profile_is_created_then_replaced(blog: Blog, stored: Storage, schemas: Schemas) -> None:
    user, other = blog.add_user(), blog.add_user()
    path = f"/users/{user['id']}"
    body = {"bio": "Hello", "avatar_url": "https://example.com/a.png"}
    for status in (201, 200):
        first = blog.put(f"{path}/profile", body, expect=status).json()
        schemas.check("ProfilePublic", first)
        assert first == body
    assert blog.item(path)["profile"] == first
    second = blog.put(f"{path}/profile", {"bio": "Bye"}).json()
    assert second == {"bio": "Bye", "avatar_url": None}
    row = stored.row("profiles", user_id=user["id"])
    assert (row["bio"], row["avatar_url"]) == ("Bye", None)
    blog.put(f"/users/{other['id']}/profile", {"bio": "Other"}, expect=201)
    assert stable_fields(blog.item(path)) == {**stable_fields(user), "profile": second}
    assert blog.patch(path, {"name": "Bo"}).json()["profile"] == second
    blog.put(f"/users/{MAX_ID}/profile", {"bio": ""}, expect=404)


@example
def test_users_are_listed_filtered_searched_and_sorted(
    blog: Blog, schemas: Schemas, mixins: frozenset[str], variant: Variant
) -> None:
    word = unique_word()
    roles = {} if variant.auth == OIDC else {"b": "admin", "a": "admin", "c": "author"}
    users = blog.add_users(
        [
            {"name": f"{word} {letter}", "is_active": letter != "a"} | ({"role": roles[letter]} if roles else {})
            for letter in "bac"
        ]
    )
    b, a, c = ids(users)
    page = blog.page("/users", search=word.upper(), sort="-name", size=2)
    schemas.check("Page", page, of="UserPublic")
    assert page == {"items": [users[2], users[0]], "total": 3, "page": 1, "size": 2, "pages": 2}
    assert blog.items("/users", search=word, sort="-name", size=2, page=2) == [users[1]]
    assert ids(blog.items("/users", search=word)) == [b, a, c]
    if roles:
        assert ids(blog.items("/users", search=word, role="admin", is_active=True)) == [b]
        assert ids(blog.items("/users", search=word, role="author")) == [c]
    assert ids(blog.items("/users", search=word, is_active=False)) == [a]
    assert blog.items("/users", search=f"{word}%") == []
    if "timestamps" in mixins:
        blog.patch(f"/users/{a}", {"is_active": True})
        assert ids(blog.items("/users", search=word, sort="-updated_at"))[0] == a
    else:
        for sort in ("created_at", "-updated_at"):
            blog.get("/users", expect=422, sort=sort)


@example
def test_users_are_created_changed_and_deleted_in_bulk(blog: Blog, stored: Storage) -> None:
    word = unique_word()
    assert blog.post("/users/bulk", [new_user(name=word) for _ in range(3)]).json() == {"count": 3}
    made = sorted(ids(stored.rows("users", name=word)))
    chosen = made[:2]
    assert blog.patch("/users/bulk", {"ids": chosen, "is_active": False}).json() == {"count": 2}
    assert ids(blog.items("/users", search=word, is_active=False)) == chosen
    blog.patch("/users/bulk", {"ids": [made[2], MAX_ID], "is_active": False}, expect=404)
    blog.post("/users/bulk-delete", {"ids": [made[2], MAX_ID]}, expect=404)
    assert stored.row("users", id=made[2])["is_active"]
    assert blog.post("/users/bulk-delete", {"ids": chosen}, expect=200).json() == {"count": 2}
    assert ids(stored.rows("users", name=word)) == ids(blog.items("/users", search=word)) == made[2:]


@example
def test_deleted_user_takes_profile_posts_and_comments_along(blog: Blog, stored: Storage) -> None:
    user, friend, name = blog.add_user()["id"], blog.add_user()["id"], f"!{unique_word()}"
    blog.put(f"/users/{user}/profile", {"bio": "Hello"}, expect=201)
    own, other = blog.add_post(user, tags=[name])["id"], blog.add_post(friend, tags=[name])["id"]
    gone = [blog.add_comment(own, friend)["id"], blog.add_comment(own, user)["id"], blog.add_comment(other, user)["id"]]
    kept = blog.add_comment(other, friend)
    blog.delete(f"/users/{user}")
    blog.get(f"/posts/{own}", expect=404)
    assert blog.item(f"/posts/{other}")["comments"] == [kept]
    assert blog.tag(name) == {"id": stored.row("tags", name=name)["id"], "name": name, "post_count": 1}
    for table, column in (("users", "id"), ("profiles", "user_id"), ("posts", "author_id"), ("comments", "author_id")):
        assert stored.count(table, **{column: user}) == 0, table
    assert (stored.count("post_tags", post_id=own), stored.count("post_tags", post_id=other)) == (0, 1)
    assert not any(stored.count("comments", id=comment) for comment in gone)


# Posts, comments and tags


@example
def test_post_is_created_read_changed_and_deleted(blog: Blog, stored: Storage, schemas: Schemas) -> None:
    author, tags = blog.add_user(name="Ada")["id"], sorted([unique_word(), unique_word()])
    given = {"author_id": author, "title": "Notes", "content": " Text\r\n", "published": True}
    response = blog.post("/posts", {**given, "title": " \t Notes \n", "tags": tags[::-1]})
    post = response.json()
    path = f"/posts/{post['id']}"
    schemas.check("PostDetail", post)
    assert response.headers["location"] == f"/api/v1{path}"
    assert post.items() >= {**given, "tags": tags, "comments": [], "author": {"id": author, "name": "Ada"}}.items()
    assert blog.item(path) == post
    row = stored.row("posts", id=post["id"])
    assert row.items() >= given.items()
    assert stored.count("post_tags", post_id=post["id"]) == 2

    assert blog.patch(path, {}).json() == post
    assert stored.row("posts", id=post["id"]) == row
    comment = blog.add_comment(post["id"], author)
    expected = {**post, "comments": [comment]}
    for change in ({"title": "New"}, {"content": "New", "published": False, "tags": tags[:1]}):
        expected |= change
        changed = blog.patch(path, change).json()
        assert stable_fields(changed) == stable_fields(expected)
        assert blog.item(path) == changed
    row = stored.row("posts", id=post["id"])
    assert (row["title"], row["content"], bool(row["published"])) == ("New", "New", False)
    assert stored.count("post_tags", post_id=post["id"]) == 1

    blog.delete(path)
    for table, values, count in (
        ("posts", {"id": post["id"]}, 0),
        ("comments", {"post_id": post["id"]}, 0),
        ("post_tags", {"post_id": post["id"]}, 0),
        ("tags", {"name": tags[0]}, 1),
        ("users", {"id": author}, 1),
    ):
        assert stored.count(table, **values) == count, table
    blog.get(path, expect=404)
    blog.patch(path, {}, expect=404)
    blog.delete(path, expect=404)
    blog.delete(f"/comments/{comment['id']}", expect=404)


@example
def test_post_of_absent_author_is_422_and_creates_nothing(blog: Blog, stored: Storage) -> None:
    word = unique_word()
    body = {"author_id": MAX_ID, "title": word, "content": "C", "tags": [word]}
    assert locations(blog.post("/posts", body, expect=422).json()) == {("body", "author_id")}
    assert stored.count("tags", name=word) == stored.count("posts", title=word) == 0


@example
def test_posts_are_listed_newest_first_by_cursor(blog: Blog, stored: Storage, schemas: Schemas) -> None:
    author, tag = blog.add_user()["id"], unique_word()
    posts = [blog.add_post(author, published=number > 1, tags=[tag, "other"][: number % 3]) for number in range(5)]
    pages = list(blog.cursor_pages(author_id=author, limit=2))
    for page in pages:
        schemas.check("CursorPage", page, of="PostSummary")
    listed = [post for page in pages for post in page["items"]]
    assert [len(page["items"]) for page in pages] == [2, 2, 1]
    assert listed == [{field: post[field] for field in listed[0]} for post in reversed(posts)]
    assert ids(blog.items("/posts", tag=tag)) == [posts[number]["id"] for number in (4, 2, 1)]
    assert ids(blog.items("/posts", tag=tag, published=False)) == [posts[1]["id"]]
    assert ids(blog.items("/posts", tag="other", author_id=author, published=True)) == [posts[2]["id"]]
    nobody = blog.add_user()["id"]
    assert blog.page("/posts", tag=tag, author_id=nobody) == {"items": [], "next_cursor": None}
    blog.get("/posts", expect=400, cursor="not a cursor!")

    page = blog.page(f"/users/{author}/posts", size=2, page=3)
    schemas.check("Page", page, of="PostSummary")
    assert page == {"items": listed[4:], "total": 5, "page": 3, "size": 2, "pages": 3}
    assert blog.items(f"/users/{author}/posts", size=2) == listed[:2]
    assert blog.page(f"/users/{nobody}/posts") == EMPTY
    counts = blog.page("/users/post-counts", min_posts=5)
    schemas.check("Page", counts, of="UserPostCount")
    assert [counted["post_count"] for counted in counts["items"] if counted["id"] == author] == [5]
    assert blog.page("/users/post-counts")["total"] == stored.count("users")


@example
def test_comments_are_created_listed_and_deleted(blog: Blog, stored: Storage, schemas: Schemas) -> None:
    post, author = blog.add_post(), blog.add_user()["id"]
    path = f"/posts/{post['id']}/comments"
    assert blog.page(path) == EMPTY
    comments = [blog.add_comment(post["id"], author, f" Number \n {number} ") for number in range(3)]
    schemas.check("CommentPublic", comments[0])
    given = {"post_id": post["id"], "author_id": author, "content": " Number \n 0 "}
    assert comments[0].items() >= given.items()
    assert stored.row("comments", id=comments[0]["id"]).items() >= given.items()
    page = blog.page(path, size=2)
    schemas.check("Page", page, of="CommentPublic")
    assert page == {"items": comments[:2], "total": 3, "page": 1, "size": 2, "pages": 2}
    assert blog.items(path, size=2, page=2) == comments[2:]
    blog.delete(f"/comments/{comments[1]['id']}")
    read = blog.item(f"/posts/{post['id']}")
    schemas.check("PostDetail", read)
    assert blog.items(path) == read["comments"] == [comments[0], comments[2]]
    assert stored.count("comments", post_id=post["id"]) == 2
    blog.delete(f"/comments/{comments[1]['id']}", expect=404)
    blog.delete(f"/comments/{MAX_ID}", expect=404)
    blog.post(f"/posts/{MAX_ID}/comments", {"author_id": author, "content": "C"}, expect=404)
    blog.get(f"/posts/{MAX_ID}/comments", expect=404)
    problem = blog.post(path, {"author_id": MAX_ID, "content": "C"}, expect=422).json()
    assert locations(problem) == {("body", "author_id")}
    assert stored.count("comments", post_id=post["id"]) == 2


@example
def test_tags_are_shared_and_counted(blog: Blog, stored: Storage, schemas: Schemas) -> None:
    name = f"!{unique_word()}"  # sorts before those of other tests
    posts = [blog.add_post(tags=[name, f"{name}2"]), blog.add_post(tags=[name])]
    page = blog.page("/tags", size=100)
    schemas.check("Page", page, of="TagPublic")
    own = [tag for tag in page["items"] if tag["name"].startswith(name)]
    assert [(tag["name"], tag["post_count"]) for tag in own] == [(name, 2), (f"{name}2", 1)]
    assert {link["post_id"] for link in stored.rows("post_tags", tag_id=own[0]["id"])} == {*ids(posts)}
    assert page["total"] == stored.count("tags")
    blog.delete(f"/posts/{posts[0]['id']}")
    assert [tag["post_count"] for tag in blog.items("/tags", size=100) if tag["name"].startswith(name)] == [1, 0]
    assert stored.count("tags", name=name) == 1
