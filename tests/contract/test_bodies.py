"""Bodies that can't be read, are too large, or aren't what they say."""

import json
from collections.abc import Iterator

import pytest

from .blog import JSON, REFUSED, Blog, new_user, unique_word
from .storage import Storage
from .valid_requests import sample

pytestmark = pytest.mark.example

MEBIBYTE = 2**20


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b'{"email": }',
        b"{'a': 1}",
        b'{"a": 1,}',
        b"nothing",
        b'"',
        b"[1, 2",
        b'{"a": "\xff"}',
        b"\xff\xfe\xfd",
        b'{"a": "\n"}',
    ],
    ids=ascii,
)
def test_invalid_json_is_400(blog: Blog, body: bytes) -> None:
    blog.call("POST", "/users", 400, content=body, headers=JSON)
    blog.call("POST", "/users/bulk", 400, content=body, headers=JSON)


@pytest.mark.parametrize(
    "body",
    [b"null", b"[]", b"1", b'"x"', b"true", b"[{}]", b'[["email", "a@example.com"]]'],
    ids=ascii,
)
def test_body_other_than_object_is_422(blog: Blog, body: bytes) -> None:
    blog.call("POST", "/users", 422, content=body, headers=JSON)
    blog.call("PATCH", f"/users/{sample(blog)[0]}", 422, content=body, headers=JSON)


def test_missing_body_is_refused(blog: Blog) -> None:
    user, _ = sample(blog)
    for method, path in [
        ("POST", "/users"),
        ("POST", "/users/bulk"),
        ("POST", "/posts"),
        ("PATCH", f"/users/{user}"),
        ("PUT", f"/users/{user}/profile"),
    ]:
        blog.call(method, path, REFUSED)
        blog.call(method, path, REFUSED, content=b"", headers=JSON)


def test_content_type_that_a_body_needs_is_named(blog: Blog) -> None:
    for method, path in (("POST", "/users"), ("POST", "/users/bulk"), ("PATCH", f"/users/{blog.add_user()['id']}")):
        for headers in ({}, {"content-type": "application/x-www-form-urlencoded"}):
            problem = blog.call(method, path, 422, content=json.dumps(new_user()), headers=headers).json()
            assert "Content-Type: application/json" in problem["detail"]
            assert problem["errors"] == [{"location": ["body"], "detail": problem["detail"]}]


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "text/html", "x"],
)
def test_body_of_another_content_type_is_refused(blog: Blog, stored: Storage, kind: str) -> None:
    user = new_user()
    blog.call("POST", "/users", REFUSED, content=json.dumps(user), headers={"content-type": kind})
    assert stored.count("users", email=user["email"]) == 0


def test_content_type_may_have_parameters(blog: Blog) -> None:
    headers = {"content-type": "application/json; charset=utf-8"}
    blog.call("POST", "/users", 201, content=json.dumps(new_user()), headers=headers)


def test_body_over_1_mebibyte_is_413(blog: Blog, stored: Storage) -> None:
    user = new_user()
    text = json.dumps(user).encode()
    blog.call("POST", "/users", 413, content=text.ljust(MEBIBYTE + 1), headers=JSON)
    assert stored.count("users", email=user["email"]) == 0
    made = blog.call("POST", "/users", 201, content=text.ljust(MEBIBYTE), headers=JSON).json()
    blog.call("PATCH", f"/users/{made['id']}", 413, content=b"{}".ljust(MEBIBYTE + 1), headers=JSON)
    blog.call("PUT", f"/users/{made['id']}/profile", 413, content=text.ljust(MEBIBYTE + 1), headers=JSON)


def test_large_body_without_content_length_is_413(blog: Blog, stored: Storage) -> None:
    user = new_user()

    def chunks(size: int) -> Iterator[bytes]:
        text = json.dumps(user).encode().ljust(size)
        for start in range(0, size, 65_536):
            yield text[start : start + 65_536]

    blog.call("POST", "/users", 413, content=chunks(MEBIBYTE + 1), headers=JSON)
    assert stored.count("users", email=user["email"]) == 0
    blog.call("POST", "/users", 201, content=chunks(MEBIBYTE), headers=JSON)


def test_service_answers_after_413(blog: Blog) -> None:
    blog.call("POST", "/users", 413, content=b"x" * (2 * MEBIBYTE), headers=JSON)
    blog.add_user(name=unique_word())
