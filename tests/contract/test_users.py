"""Users: make, read, change and delete one."""

from typing import Any

import pytest

from .blog import MAX_ID, Blog, new_email, new_user, unique_word
from .schemas import Schemas, stable_fields
from .storage import Storage, as_json

pytestmark = pytest.mark.example


def test_create_user(blog: Blog, stored: Storage, schemas: Schemas) -> None:
    given = new_user(name="Ada", role="admin", is_active=False, preferences={"theme": "dark"})
    user = blog.add_user(**given)
    schemas.check("UserDetail", user)
    assert user.items() >= given.items()
    assert user["profile"] is None
    row = stored.row("users", id=user["id"])
    assert (row["email"], row["name"], row["role"]) == (given["email"], "Ada", "admin")
    assert not row["is_active"]
    assert as_json(row["preferences"]) == {"theme": "dark"}


def test_location_of_new_user(blog: Blog) -> None:
    response = blog.post("/users", new_user())
    user = response.json()
    assert response.headers["location"] == f"/api/v1/users/{user['id']}"
    assert blog.api.get(response.headers["location"]).json() == user


def test_defaults_of_new_user(blog: Blog, stored: Storage) -> None:
    user = blog.add_user()
    assert (user["role"], user["is_active"], user["preferences"]) == ("reader", True, {})
    row = stored.row("users", id=user["id"])
    assert (row["role"], bool(row["is_active"]), as_json(row["preferences"])) == (
        "reader",
        True,
        {},
    )


@pytest.mark.parametrize("role", ["admin", "author", "reader"])
def test_each_role_is_kept(blog: Blog, stored: Storage, role: str) -> None:
    user = blog.add_user(role=role)
    assert user["role"] == role
    assert stored.row("users", id=user["id"])["role"] == role


def test_email_and_name_are_stripped(blog: Blog, stored: Storage) -> None:
    email = new_email()
    user = blog.add_user(email=f" \t{email}\n ", name="\n Ada  Lovelace\t\u3000")
    assert (user["email"], user["name"]) == (email, "Ada  Lovelace")
    assert stored.row("users", id=user["id"])["name"] == "Ada  Lovelace"


def test_email_is_stored_in_lower_case(blog: Blog, stored: Storage) -> None:
    email = new_email()
    user = blog.add_user(email=email.upper())
    assert user["email"] == email
    assert stored.row("users", id=user["id"])["email"] == email


def test_taken_email_is_409_in_any_case(blog: Blog, stored: Storage) -> None:
    email = blog.add_user()["email"]
    for taken in (email, email.upper(), f" {email.title()} "):
        blog.post("/users", new_user(email=taken), expect=409)
    assert stored.count("users", email=email) == 1


def test_emails_are_accent_sensitive(blog: Blog, stored: Storage) -> None:
    word = unique_word()
    emails = {f"{word}{end}@example.com" for end in ("jose", "josé", "jösé")}
    assert {blog.add_user(email=email)["email"] for email in emails} == emails
    for email in emails:
        assert stored.row("users", email=email)["email"] == email


def test_email_of_deleted_user_can_be_reused(blog: Blog) -> None:
    user = blog.add_user()
    blog.delete(f"/users/{user['id']}")
    assert blog.add_user(email=user["email"])["id"] != user["id"]


CHANGES: list[dict[str, Any]] = [
    {"name": "Grace"},
    {"role": "author"},
    {"is_active": False},
    {"preferences": {"a": [1, {"b": None}]}},
    {"name": "Grace", "role": "admin", "is_active": False, "preferences": {}},
]


def test_patch_changes_given_fields_only(blog: Blog) -> None:
    user = blog.add_user(role="reader", preferences={"old": True})
    path = f"/users/{user['id']}"
    for change in CHANGES:
        expected = {**user, **change}
        user = blog.patch(path, change).json()
        assert blog.item(path) == user
        assert stable_fields(user) == stable_fields(expected)


def test_patched_email_is_normalized(blog: Blog, stored: Storage) -> None:
    user, email = blog.add_user(), new_email()
    assert blog.patch(f"/users/{user['id']}", {"email": f" {email.upper()} "}).json()["email"] == email
    assert stored.row("users", id=user["id"])["email"] == email


def test_empty_patch_changes_nothing(blog: Blog, stored: Storage) -> None:
    user = blog.add_user(preferences={"a": 1})
    before = stored.row("users", id=user["id"])
    assert blog.patch(f"/users/{user['id']}", {}).json() == user
    assert stored.row("users", id=user["id"]) == before


def test_patch_with_own_email_is_accepted(blog: Blog) -> None:
    user = blog.add_user()
    patched = blog.patch(f"/users/{user['id']}", {"email": user["email"].upper(), "name": "Bo"}).json()
    assert (patched["email"], patched["name"]) == (user["email"], "Bo")


def test_patch_to_taken_email_is_409_and_changes_nothing(blog: Blog, stored: Storage) -> None:
    taken, user = blog.add_user()["email"], blog.add_user()
    before = stored.row("users", id=user["id"])
    blog.patch(f"/users/{user['id']}", {"name": "Eve", "email": taken}, expect=409)
    assert stored.row("users", id=user["id"]) == before


def test_patched_user_keeps_profile(blog: Blog) -> None:
    path = f"/users/{blog.add_user()['id']}"
    profile = blog.put(f"{path}/profile", {"bio": "Hello"}, expect=201).json()
    assert blog.patch(path, {"name": "Bo"}).json()["profile"] == profile


def test_deleted_user_cascades(blog: Blog, stored: Storage) -> None:
    user, friend = blog.add_user()["id"], blog.add_user()["id"]
    blog.put(f"/users/{user}/profile", {"bio": "Hello"}, expect=201)
    name = unique_word()
    own, other = blog.add_post(user, tags=[name])["id"], blog.add_post(friend, tags=[name])["id"]
    gone = [
        blog.add_comment(own, friend),
        blog.add_comment(own, user),
        blog.add_comment(other, user),
    ]
    kept = blog.add_comment(other, friend)

    blog.delete(f"/users/{user}")

    blog.get(f"/users/{user}", expect=404)
    blog.get(f"/posts/{own}", expect=404)
    assert blog.item(f"/posts/{other}")["comments"] == [kept]
    assert blog.tag(name) == {
        "id": stored.row("tags", name=name)["id"],
        "name": name,
        "post_count": 1,
    }
    assert stored.count("users", id=user) == 0
    assert stored.count("profiles", user_id=user) == 0
    assert stored.count("posts", author_id=user) == 0
    assert stored.count("comments", author_id=user) == 0
    assert stored.count("comments", post_id=own) == 0
    assert stored.count("post_tags", post_id=own) == 0
    assert stored.count("post_tags", post_id=other) == 1
    assert not any(stored.count("comments", id=comment["id"]) for comment in gone)


def test_deleted_user_is_404(blog: Blog) -> None:
    path = f"/users/{blog.add_user()['id']}"
    blog.delete(path)
    blog.delete(path, expect=404)
    blog.patch(path, {"name": "Bo"}, expect=404)
    blog.put(f"{path}/profile", {"bio": ""}, expect=404)
    blog.get(f"{path}/posts", expect=404)


def test_absent_user_is_404(blog: Blog) -> None:
    path = f"/users/{MAX_ID}"
    blog.get(path, expect=404)
    blog.get(f"{path}/posts", expect=404)
    blog.patch(path, {"name": "Bo"}, expect=404)
    blog.patch(path, {}, expect=404)
    blog.put(f"{path}/profile", {"bio": ""}, expect=404)
    blog.delete(path, expect=404)
