"""Posts: make, read, change and delete one."""

from typing import Any

import pytest

from .blog import MAX_ID, Blog, unique_word
from .schemas import Schemas, stable_fields
from .storage import Storage

pytestmark = pytest.mark.example


def test_create_post(blog: Blog, stored: Storage, schemas: Schemas) -> None:
    author = blog.add_user(name="Ada")
    tags = sorted([unique_word(), unique_word()])
    given = {"author_id": author["id"], "title": "Notes", "content": " Text\r\n", "published": True}
    post = blog.add_post(**given, tags=tags[::-1])
    schemas.check("PostDetail", post)
    assert post.items() >= {**given, "tags": tags, "comments": []}.items()
    assert post["author"] == {"id": author["id"], "name": "Ada"}
    row = stored.row("posts", id=post["id"])
    assert (row["author_id"], row["title"], row["content"]) == (author["id"], "Notes", " Text\r\n")
    assert row["published"]
    assert stored.count("post_tags", post_id=post["id"]) == 2


def test_location_of_new_post(blog: Blog) -> None:
    author = blog.add_user()["id"]
    response = blog.post("/posts", {"author_id": author, "title": "T", "content": "C"})
    post = response.json()
    assert response.headers["location"] == f"/api/v1/posts/{post['id']}"
    assert blog.api.get(response.headers["location"]).json() == post


def test_defaults_of_new_post(blog: Blog, stored: Storage) -> None:
    post = blog.add_post()
    assert (post["published"], post["tags"]) == (False, [])
    assert not stored.row("posts", id=post["id"])["published"]


def test_title_is_stripped(blog: Blog, stored: Storage) -> None:
    post = blog.add_post(title=" \t A  b \n")
    assert post["title"] == "A  b"
    assert stored.row("posts", id=post["id"])["title"] == "A  b"


def test_post_of_absent_author_is_422_and_creates_nothing(blog: Blog, stored: Storage) -> None:
    word = unique_word()
    body = {"author_id": MAX_ID, "title": word, "content": "C", "tags": [word]}
    problem = blog.post("/posts", body, expect=422).json()
    assert [error["location"] for error in problem["errors"]] == [["body", "author_id"]]
    assert stored.count("tags", name=word) == 0
    assert stored.count("posts", title=word) == 0


def test_post_has_author_tags_and_comments_oldest_first(blog: Blog, schemas: Schemas) -> None:
    friend = blog.add_user()["id"]
    post = blog.add_post(tags=[unique_word()])
    comments = [blog.add_comment(post["id"], friend, f"{number}") for number in range(4)]
    read = blog.item(f"/posts/{post['id']}")
    schemas.check("PostDetail", read)
    assert read["comments"] == comments
    assert read["author"]["id"] == read["author_id"] == post["author_id"]
    assert read["tags"] == post["tags"]


CHANGES: list[dict[str, Any]] = [
    {"title": "New"},
    {"content": "New"},
    {"published": True},
    {"tags": ["new"]},
    {"tags": []},
    {"title": "New", "content": "New", "published": True, "tags": ["b", "a"]},
]


def test_patch_changes_given_fields_only(blog: Blog) -> None:
    made = blog.add_post(tags=[unique_word(), "kept"])
    blog.add_comment(made["id"], made["author_id"])
    path = f"/posts/{made['id']}"
    post = blog.item(path)
    for change in CHANGES:
        expected = {**post, **change}
        expected["tags"] = sorted(expected["tags"])
        post = blog.patch(path, change).json()
        assert blog.item(path) == post
        assert stable_fields(post) == stable_fields(expected)


def test_empty_patch_changes_nothing(blog: Blog, stored: Storage) -> None:
    post = blog.add_post(tags=[unique_word()])
    before = stored.row("posts", id=post["id"])
    assert blog.patch(f"/posts/{post['id']}", {}).json() == post
    assert stored.row("posts", id=post["id"]) == before


def test_author_of_post_cannot_be_changed(blog: Blog) -> None:
    post, other = blog.add_post(), blog.add_user()["id"]
    blog.patch(f"/posts/{post['id']}", {"author_id": other}, expect=422)
    assert blog.item(f"/posts/{post['id']}") == post


def test_deleted_post_cascades_to_comments_and_leaves_tags(blog: Blog, stored: Storage) -> None:
    name = unique_word()
    post = blog.add_post(tags=[name])
    comment = blog.add_comment(post["id"], post["author_id"])
    blog.delete(f"/posts/{post['id']}")
    blog.get(f"/posts/{post['id']}", expect=404)
    blog.delete(f"/comments/{comment['id']}", expect=404)
    assert stored.count("posts", id=post["id"]) == 0
    assert stored.count("comments", post_id=post["id"]) == 0
    assert stored.count("post_tags", post_id=post["id"]) == 0
    assert stored.count("tags", name=name) == 1
    assert stored.count("users", id=post["author_id"]) == 1


def test_deleted_post_is_404(blog: Blog) -> None:
    post = blog.add_post()
    path = f"/posts/{post['id']}"
    blog.delete(path)
    blog.delete(path, expect=404)
    blog.patch(path, {"title": "New"}, expect=404)
    blog.get(f"{path}/comments", expect=404)
    blog.post(f"{path}/comments", {"author_id": post["author_id"], "content": "C"}, expect=404)


def test_absent_post_is_404(blog: Blog) -> None:
    path = f"/posts/{MAX_ID}"
    blog.get(path, expect=404)
    blog.patch(path, {}, expect=404)
    blog.delete(path, expect=404)


def test_patch_of_absent_post_creates_no_tag(blog: Blog, stored: Storage) -> None:
    name = unique_word()
    blog.patch(f"/posts/{MAX_ID}", {"tags": [name]}, expect=404)
    assert stored.count("tags", name=name) == 0
