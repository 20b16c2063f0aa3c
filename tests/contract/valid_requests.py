"""Every body with fields: where it goes and a valid example."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from httpx2 import Client, Response

from .blog import Blog, Status, new_user


class ValidRequest(NamedTuple):
    """A call that takes fields, to send with some of them changed."""

    method: str
    path: str
    body: dict[str, Any]
    done: int

    def send(self, blog: Blog, change: Mapping[str, Any], expect: Status | None = None) -> Response:
        """Send the valid body with `change` made to it."""
        status = self.done if expect is None else expect
        return blog.call(self.method, self.path, status, {**self.body, **change})


REQUESTS = ("new user", "user", "profile", "new post", "post", "comment")
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


def rounds(name: str, values: Mapping[str, list[Any]]) -> Iterator[dict[str, Any]]:
    """Spread the `values` of the fields of a request over bodies, so that each value is in one of them."""
    own = {field: values[field] for field in values if name in FIELDS[field]}
    for number in range(max(map(len, own.values()))):
        yield {field: choices[number % len(choices)] for field, choices in own.items()}


SAMPLES: WeakKeyDictionary[Client, tuple[int, int]] = WeakKeyDictionary()


def sample(blog: Blog) -> tuple[int, int]:
    """Give the ids of a user and a post that no test deletes, the same for all tests of a service."""
    if blog.api not in SAMPLES:
        author = blog.add_user()["id"]
        blog.put(f"/users/{author}/profile", {"bio": "Hello"}, expect=201)
        SAMPLES[blog.api] = (author, blog.add_post(author)["id"])
    return SAMPLES[blog.api]


def valid_request(blog: Blog, name: str) -> ValidRequest:
    """Make the request of that name, for the sample rows where it needs some."""
    if name == "new user":
        return ValidRequest("POST", "/users", new_user(), 201)
    author, post = sample(blog)
    if name == "user":
        return ValidRequest("PATCH", f"/users/{author}", {}, 200)
    if name == "profile":
        return ValidRequest("PUT", f"/users/{author}/profile", {"bio": "Hello"}, 200)
    if name == "new post":
        return ValidRequest("POST", "/posts", {"author_id": author, "title": "T", "content": "C"}, 201)
    if name == "post":
        return ValidRequest("PATCH", f"/posts/{post}", {}, 200)
    return ValidRequest("POST", f"/posts/{post}/comments", {"author_id": author, "content": "C"}, 201)
