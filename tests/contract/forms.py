"""Every body with fields: where it goes and what it looks like when it is good."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from .blog import new_user

if TYPE_CHECKING:
    from collections.abc import Mapping

    from httpx2 import Response

    from .blog import Blog, Status


class Form(NamedTuple):
    """A call that takes fields, ready to be sent with one of them changed."""

    method: str
    path: str
    body: dict[str, Any]
    done: int

    def send(self, blog: Blog, change: Mapping[str, Any], expect: Status | None = None) -> Response:
        """Send the good body with `change` made to it."""
        status = self.done if expect is None else expect
        return blog.call(self.method, self.path, status, {**self.body, **change})


FORMS = ("new user", "user", "profile", "new post", "post", "comment")
FIELDS = {
    "email": ("new user", "user"),
    "name": ("new user", "user"),
    "role": ("new user", "user"),
    "is_active": ("new user", "user"),
    "preferences": ("new user", "user"),
    "bio": ("profile",),
    "avatar_url": ("profile",),
    "author_id": ("new post", "comment"),
    "title": ("new post", "post"),
    "content": ("new post", "post", "comment"),
    "published": ("new post", "post"),
    "tags": ("new post", "post"),
}
REQUIRED = {
    "new user": ("email", "name"),
    "profile": ("bio",),
    "new post": ("author_id", "title", "content"),
    "comment": ("author_id", "content"),
}


def form(blog: Blog, name: str) -> Form:
    """Make the form of that name, and the rows that it refers to."""
    if name == "new user":
        return Form("POST", "/users", new_user(), 201)
    author = blog.add_user()["id"]
    if name == "user":
        return Form("PATCH", f"/users/{author}", {}, 200)
    if name == "profile":
        return Form("PUT", f"/users/{author}/profile", {"bio": "Hello"}, 201)
    if name == "new post":
        return Form("POST", "/posts", {"author_id": author, "title": "T", "content": "C"}, 201)
    post = blog.add_post(author)["id"]
    if name == "post":
        return Form("PATCH", f"/posts/{post}", {}, 200)
    return Form("POST", f"/posts/{post}/comments", {"author_id": author, "content": "C"}, 201)
