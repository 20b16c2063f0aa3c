"""Users: make, read, change and delete one."""

import pytest

from .blog import MAX_ID, Blog, new_email, unique_word
from .storage import Storage

pytestmark = pytest.mark.example


@pytest.mark.parametrize("role", ["admin", "author", "reader"])
def test_each_role_is_kept(blog: Blog, stored: Storage, role: str) -> None:
    user = blog.add_user(role=role)
    assert user["role"] == role
    assert stored.row("users", id=user["id"])["role"] == role


def test_emails_are_accent_sensitive(blog: Blog, stored: Storage) -> None:
    word = unique_word()
    emails = {f"{word}{end}@example.com" for end in ("jose", "josé", "jösé")}
    assert {blog.add_user(email=email)["email"] for email in emails} == emails
    for email in emails:
        assert stored.row("users", email=email)["email"] == email


def test_patched_email_is_normalized(blog: Blog, stored: Storage) -> None:
    user, email = blog.add_user(), new_email()
    assert blog.patch(f"/users/{user['id']}", {"email": f" {email.upper()} "}).json()["email"] == email
    assert stored.row("users", id=user["id"])["email"] == email


def test_patch_with_own_email_is_accepted(blog: Blog) -> None:
    user = blog.add_user()
    patched = blog.patch(f"/users/{user['id']}", {"email": user["email"].upper(), "name": "Bo"}).json()
    assert (patched["email"], patched["name"]) == (user["email"], "Bo")


def test_profile_is_not_replaced_with_if_none_match(blog: Blog) -> None:
    path = f"/users/{blog.add_user()['id']}"
    blog.put(f"{path}/profile", {"bio": "First"}, expect=201, if_none_match="*")
    read = blog.item(path)
    blog.put(f"{path}/profile", {"bio": "Second"}, expect=412, if_none_match="*")
    assert blog.item(path) == read
    blog.put(f"{path}/profile", {"bio": "Third"}, if_none_match='"0"')


@pytest.mark.parametrize("text", ["1.0", "0_1", "%201", "1%0A", "+1", "%D9%A1", "1e0"])
def test_id_has_digits_alone(blog: Blog, text: str) -> None:
    for path, location in ((f"/users/{text}", "path"), (f"/posts?author_id={text}", "query")):
        (error,) = blog.get(path, expect=422).json()["errors"]
        assert error["location"][0] == location


def test_deleted_or_absent_user_is_404(blog: Blog) -> None:
    deleted = f"/users/{blog.add_user()['id']}"
    blog.delete(deleted)
    for path in (deleted, f"/users/{MAX_ID}"):
        blog.delete(path, expect=404)
        blog.get(path, expect=404)
        blog.get(f"{path}/posts", expect=404)
        blog.patch(path, {"name": "Bo"}, expect=404)
        blog.patch(path, {}, expect=404)
        blog.put(f"{path}/profile", {"bio": ""}, expect=404)
