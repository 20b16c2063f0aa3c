"""Posts: make, read, change and delete one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from .blog import MAX_ID, token
from .shapes import without_moves

if TYPE_CHECKING:
    from .blog import Blog
    from .shapes import Shapes
    from .storage import Storage

pytestmark = pytest.mark.example


def test_a_new_post_is_kept_as_it_was_given(blog: Blog, stored: Storage, shapes: Shapes) -> None:
    author = blog.add_user(name="Ada")
    tags = sorted([token(), token()])
    given = {"author_id": author["id"], "title": "Notes", "content": " Text\r\n", "published": True}
    post = blog.add_post(**given, tags=tags[::-1])
    shapes.check("Post", post)
    assert post.items() >= {**given, "tags": tags, "comments": []}.items()
    assert post["author"] == {"id": author["id"], "name": "Ada"}
    row = stored.row("posts", id=post["id"])
    assert (row["author_id"], row["title"], row["content"]) == (author["id"], "Notes", " Text\r\n")
    assert row["published"]
    assert stored.count("post_tags", post_id=post["id"]) == 2


def test_the_location_of_a_new_post_leads_to_it(blog: Blog) -> None:
    author = blog.add_user()["id"]
    response = blog.post("/posts", {"author_id": author, "title": "T", "content": "C"})
    post = response.json()
    assert response.headers["location"] == f"/api/v1/posts/{post['id']}"
    assert blog.api.get(response.headers["location"]).json() == post


def test_a_new_post_is_an_unpublished_one_without_tags_by_default(blog: Blog, stored: Storage) -> None:
    post = blog.add_post()
    assert (post["published"], post["tags"]) == (False, [])
    assert not stored.row("posts", id=post["id"])["published"]


@pytest.mark.ends
def test_a_title_loses_the_white_space_around_it(blog: Blog, stored: Storage) -> None:
    post = blog.add_post(title=" \t A  b \n")
    assert post["title"] == "A  b"
    assert stored.row("posts", id=post["id"])["title"] == "A  b"


def test_a_post_of_an_absent_author_is_422_and_leaves_nothing(blog: Blog, stored: Storage) -> None:
    word = token()
    body = {"author_id": MAX_ID, "title": word, "content": "C", "tags": [word]}
    problem = blog.post("/posts", body, expect=422).json()
    assert [error["location"] for error in problem["errors"]] == [["body", "author_id"]]
    assert stored.count("tags", name=word) == 0
    assert stored.count("posts", title=word) == 0


def test_a_post_comes_with_author_tags_and_comments_oldest_first(blog: Blog, shapes: Shapes) -> None:
    friend = blog.add_user()["id"]
    post = blog.add_post(tags=[token()])
    comments = [blog.add_comment(post["id"], friend, f"{number}") for number in range(4)]
    read = blog.item(f"/posts/{post['id']}")
    shapes.check("Post", read)
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


def test_a_patch_changes_the_fields_that_it_has_and_no_other(blog: Blog) -> None:
    made = blog.add_post(tags=[token(), "kept"])
    blog.add_comment(made["id"], made["author_id"])
    path = f"/posts/{made['id']}"
    post = blog.item(path)
    for change in CHANGES:
        expected = {**post, **change}
        expected["tags"] = sorted(expected["tags"])
        post = blog.patch(path, change).json()
        assert blog.item(path) == post
        assert without_moves(post) == without_moves(expected)


def test_an_empty_patch_changes_nothing(blog: Blog, stored: Storage) -> None:
    post = blog.add_post(tags=[token()])
    before = stored.row("posts", id=post["id"])
    assert blog.patch(f"/posts/{post['id']}", {}).json() == post
    assert stored.row("posts", id=post["id"]) == before


def test_the_author_of_a_post_stays(blog: Blog) -> None:
    post, other = blog.add_post(), blog.add_user()["id"]
    blog.patch(f"/posts/{post['id']}", {"author_id": other}, expect=422)
    assert blog.item(f"/posts/{post['id']}") == post


def test_a_deleted_post_takes_its_comments_along_and_leaves_its_tags(blog: Blog, stored: Storage) -> None:
    name = token()
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


def test_a_post_can_be_deleted_once(blog: Blog) -> None:
    post = blog.add_post()
    path = f"/posts/{post['id']}"
    blog.delete(path)
    blog.delete(path, expect=404)
    blog.patch(path, {"title": "New"}, expect=404)
    blog.get(f"{path}/comments", expect=404)
    blog.post(f"{path}/comments", {"author_id": post["author_id"], "content": "C"}, expect=404)


def test_an_absent_post_is_404(blog: Blog) -> None:
    path = f"/posts/{MAX_ID}"
    blog.get(path, expect=404)
    blog.patch(path, {}, expect=404)
    blog.delete(path, expect=404)


def test_a_patch_of_an_absent_post_leaves_no_tag(blog: Blog, stored: Storage) -> None:
    name = token()
    blog.patch(f"/posts/{MAX_ID}", {"tags": [name]}, expect=404)
    assert stored.count("tags", name=name) == 0
