"""What the service must do with each resource of the example, over HTTP and in its rows; and what each service has."""

from tests.contract.blog import MAX_ID, ids, new_email, new_user, unique_word
from tests.contract.problems import check_problem, locations
from tests.contract.schemas import stable_fields
from tests.contract.storage import as_json
from tests.every_variant.checks import Service, check

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
    s.schemas.check("CursorPage", s.blog.page("/audit", limit=5), of="AuditEntry")
    assert s.blog.page("/audit", table_name=unique_word()) == {"items": [], "next_cursor": None}
    s.blog.get("/audit", expect=400, cursor="not a cursor!")
    assert locations(s.blog.get("/audit", expect=422, limit=0).json()) == {("query", "limit")}


# Users


@check("example")
def user_is_created_read_changed_and_deleted(s: Service) -> None:
    email = new_email()
    response = s.blog.post("/users", {"email": f" {email.upper()} ", "name": " Ada ", "preferences": {"a": [1, None]}})
    user = response.json()
    path = f"/users/{user['id']}"
    s.schemas.check("UserDetail", user)
    assert response.headers["location"] == f"/api/v1{path}"
    expected = {"email": email, "name": "Ada", "role": "reader", "is_active": True, "preferences": {"a": [1, None]}}
    assert user.items() >= {**expected, "profile": None}.items()
    assert s.blog.item(path) == user
    row = s.stored.row("users", id=user["id"])
    assert {**row, "preferences": as_json(row["preferences"])}.items() >= expected.items()

    assert s.blog.patch(path, {}).json() == user
    changed = s.blog.patch(path, {"name": "Bo", "role": "admin", "is_active": False}).json()
    assert stable_fields(changed) == stable_fields({**user, "name": "Bo", "role": "admin", "is_active": False})
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
    path, word = f"/users/{user['id']}", unique_word()
    for body, field in (
        ({"email": "no address", "name": word}, "email"),
        ({"email": new_email(), "name": ""}, "name"),
        (new_user(name=word, role="king"), "role"),
        (new_user(name=word, unknown=1), "unknown"),
    ):
        assert locations(s.blog.post("/users", body, expect=422).json()) == {("body", field)}
    assert locations(s.blog.patch(path, {"name": None}, expect=422).json()) == {("body", "name")}
    assert locations(s.blog.get("/users", expect=422, size=0).json()) == {("query", "size")}
    assert locations(s.blog.get("/users", expect=422, unknown="x").json()) == {("query", "unknown")}
    assert locations(s.blog.get("/users", expect=422, sort="preferences").json()) == {("query", "sort")}
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
    s.schemas.check("ProfilePublic", first)
    second = s.blog.put(f"{path}/profile", {"bio": "Bye"}).json()
    assert second == {"bio": "Bye", "avatar_url": None}
    row = s.stored.row("profiles", user_id=user["id"])
    assert (row["bio"], row["avatar_url"]) == ("Bye", None)
    assert stable_fields(s.blog.item(path)) == {**stable_fields(user), "profile": second}
    s.blog.put(f"/users/{MAX_ID}/profile", {"bio": ""}, expect=404)


@check("example")
def users_are_listed_filtered_searched_and_sorted(s: Service) -> None:
    word = unique_word()
    users = s.blog.add_users(
        [
            {"name": f"{word} {letter}", "role": role, "is_active": letter != "a"}
            for letter, role in zip("bac", ("admin", "admin", "author"), strict=True)
        ]
    )
    b, a, c = ids(users)
    page = s.blog.page("/users", search=word.upper(), sort="-name", size=2)
    s.schemas.check("Page", page, of="UserPublic")
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
    word = unique_word()
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
    author, tags = s.blog.add_user(name="Ada")["id"], sorted([unique_word(), unique_word()])
    given = {"author_id": author, "title": "Notes", "content": "Text", "published": True}
    response = s.blog.post("/posts", {**given, "tags": tags[::-1]})
    post = response.json()
    path = f"/posts/{post['id']}"
    s.schemas.check("PostDetail", post)
    assert response.headers["location"] == f"/api/v1{path}"
    assert post.items() >= {**given, "tags": tags, "comments": [], "author": {"id": author, "name": "Ada"}}.items()
    assert s.blog.item(path) == post
    assert s.stored.row("posts", id=post["id"]).items() >= given.items()
    assert s.stored.count("post_tags", post_id=post["id"]) == 2

    assert s.blog.patch(path, {}).json() == post
    changed = s.blog.patch(path, {"title": "New", "published": False, "tags": tags[:1]}).json()
    assert stable_fields(changed) == stable_fields({**post, "title": "New", "published": False, "tags": tags[:1]})
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
    assert locations(problem) == {("body", "author_id")}


@check("example")
def posts_are_listed_newest_first_by_cursor(s: Service) -> None:
    author, tag = s.blog.add_user()["id"], unique_word()
    posts = [s.blog.add_post(author, published=number > 1, tags=[tag, "other"][: number % 3]) for number in range(5)]
    pages = list(s.blog.cursor_pages(author_id=author, limit=2))
    for page in pages:
        s.schemas.check("CursorPage", page, of="PostSummary")
    listed = [post for page in pages for post in page["items"]]
    assert [len(page["items"]) for page in pages] == [2, 2, 1]
    assert listed == [{field: post[field] for field in listed[0]} for post in reversed(posts)]
    assert ids(s.blog.items("/posts", tag=tag)) == [posts[number]["id"] for number in (4, 2, 1)]
    assert ids(s.blog.items("/posts", tag=tag, published=False)) == [posts[1]["id"]]
    assert ids(s.blog.items("/posts", tag=tag, author_id=s.blog.add_user()["id"])) == []
    s.blog.get("/posts", expect=400, cursor="not a cursor!")

    page = s.blog.page(f"/users/{author}/posts", size=2, page=3)
    s.schemas.check("Page", page, of="PostSummary")
    assert (page["items"], page["total"], page["pages"]) == (listed[4:], 5, 3)
    counts = s.blog.page("/users/post-counts", min_posts=5)
    s.schemas.check("Page", counts, of="UserPostCount")
    assert [counted["post_count"] for counted in counts["items"] if counted["id"] == author] == [5]
    assert s.blog.page("/users/post-counts")["total"] == s.stored.count("users")


@check("example")
def comments_are_created_listed_and_deleted(s: Service) -> None:
    post, author = s.blog.add_post(), s.blog.add_user()["id"]
    path = f"/posts/{post['id']}/comments"
    comments = [s.blog.add_comment(post["id"], author, f"Number {number}") for number in range(3)]
    s.schemas.check("CommentPublic", comments[0])
    given = {"post_id": post["id"], "author_id": author, "content": "Number 0"}
    assert s.stored.row("comments", id=comments[0]["id"]).items() >= given.items()
    page = s.blog.page(path, size=2)
    s.schemas.check("Page", page, of="CommentPublic")
    assert page == {"items": comments[:2], "total": 3, "page": 1, "size": 2, "pages": 2}
    s.blog.delete(f"/comments/{comments[1]['id']}")
    assert s.blog.items(path) == s.blog.item(f"/posts/{post['id']}")["comments"] == [comments[0], comments[2]]
    assert s.stored.count("comments", post_id=post["id"]) == 2
    s.blog.delete(f"/comments/{comments[1]['id']}", expect=404)
    s.blog.post(f"/posts/{MAX_ID}/comments", {"author_id": author, "content": "C"}, expect=404)
    problem = s.blog.post(path, {"author_id": MAX_ID, "content": "C"}, expect=422).json()
    assert locations(problem) == {("body", "author_id")}


@check("example")
def tags_are_shared_and_counted(s: Service) -> None:
    name = f"!{unique_word()}"  # sorts before those of other checks
    posts = [s.blog.add_post(tags=[name, f"{name}2"]), s.blog.add_post(tags=[name])]
    page = s.blog.page("/tags", size=100)
    s.schemas.check("Page", page, of="TagPublic")
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
    own, other = s.blog.add_post(user, tags=[unique_word()])["id"], s.blog.add_post(friend)["id"]
    gone = [s.blog.add_comment(own, friend)["id"], s.blog.add_comment(other, user)["id"]]
    kept = s.blog.add_comment(other, friend)
    s.blog.delete(f"/users/{user}")
    s.blog.get(f"/posts/{own}", expect=404)
    assert s.blog.item(f"/posts/{other}")["comments"] == [kept]
    for table, column in (("users", "id"), ("profiles", "user_id"), ("posts", "author_id"), ("comments", "author_id")):
        assert s.stored.count(table, **{column: user}) == 0, table
    assert s.stored.count("post_tags", post_id=own) == 0
    assert not any(s.stored.count("comments", id=comment) for comment in gone)
