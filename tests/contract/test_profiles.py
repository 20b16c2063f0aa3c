"""The one profile of a user."""

import pytest

from .blog import Blog
from .schemas import Schemas
from .storage import Storage

pytestmark = pytest.mark.example

AVATAR = "https://example.com/ada.png"


def test_first_profile_is_201_and_next_replaces_it(blog: Blog, stored: Storage, schemas: Schemas) -> None:
    user = blog.add_user()["id"]
    path = f"/users/{user}/profile"

    first = blog.put(path, {"bio": "Hello", "avatar_url": AVATAR}, expect=201).json()
    schemas.check("ProfilePublic", first)
    assert first == {"bio": "Hello", "avatar_url": AVATAR}
    assert blog.item(f"/users/{user}")["profile"] == first

    second = blog.put(path, {"bio": "Good bye"}).json()
    schemas.check("ProfilePublic", second)
    assert second == {"bio": "Good bye", "avatar_url": None}
    assert blog.item(f"/users/{user}")["profile"] == second

    row = stored.row("profiles", user_id=user)
    assert (row["bio"], row["avatar_url"]) == ("Good bye", None)


def test_same_profile_can_be_put_again(blog: Blog) -> None:
    path = f"/users/{blog.add_user()['id']}/profile"
    first = blog.put(path, {"bio": "Hello", "avatar_url": AVATAR}, expect=201).json()
    assert blog.put(path, {"bio": "Hello", "avatar_url": AVATAR}).json() == first


def test_profile_belongs_to_one_user(blog: Blog) -> None:
    one, other = blog.add_user()["id"], blog.add_user()["id"]
    blog.put(f"/users/{one}/profile", {"bio": "One"}, expect=201)
    blog.put(f"/users/{other}/profile", {"bio": "Other"}, expect=201)
    assert blog.item(f"/users/{one}")["profile"]["bio"] == "One"
    assert blog.item(f"/users/{other}")["profile"]["bio"] == "Other"
