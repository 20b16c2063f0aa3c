"""Comments on a post."""

import pytest

from .blog import MAX_ID, Blog, ids, unique_word
from .schemas import Schemas
from .storage import Storage

pytestmark = pytest.mark.example


def test_create_comment(blog: Blog, stored: Storage, schemas: Schemas) -> None:
    post, author = blog.add_post()["id"], blog.add_user()["id"]
    comment = blog.add_comment(post, author, " Well \n said ")
    schemas.check("CommentPublic", comment)
    given = {"post_id": post, "author_id": author, "content": " Well \n said "}
    assert comment.items() >= given.items()
    assert stored.row("comments", id=comment["id"]).items() >= given.items()


def test_comments_are_paged_oldest_first(blog: Blog, schemas: Schemas) -> None:
    post = blog.add_post()
    other = blog.add_post(post["author_id"])
    made = [blog.add_comment(post["id"], post["author_id"], f"{number}") for number in range(5)]
    blog.add_comment(other["id"], post["author_id"])
    path = f"/posts/{post['id']}/comments"
    page = blog.get(path, size=3).json()
    schemas.check("Page", page, of="CommentPublic")
    assert page == {"items": made[:3], "total": 5, "page": 1, "size": 3, "pages": 2}
    assert blog.items(path, size=3, page=2) == made[3:]
    assert blog.get(path, size=3, page=3).json() == {**page, "items": [], "page": 3}
    assert blog.items(path) == made


def test_post_without_comments_has_empty_page(blog: Blog) -> None:
    page = blog.get(f"/posts/{blog.add_post()['id']}/comments").json()
    assert page == {"items": [], "total": 0, "page": 1, "size": 20, "pages": 0}


def test_comment_on_absent_post_is_404(blog: Blog) -> None:
    author = blog.add_user()["id"]
    path = f"/posts/{MAX_ID}/comments"
    blog.post(path, {"author_id": author, "content": "C"}, expect=404)
    blog.get(path, expect=404)


def test_comment_of_absent_author_is_422(blog: Blog, stored: Storage) -> None:
    post = blog.add_post()["id"]
    body = {"author_id": MAX_ID, "content": "C"}
    problem = blog.post(f"/posts/{post}/comments", body, expect=422).json()
    assert [error["location"] for error in problem["errors"]] == [["body", "author_id"]]
    assert stored.count("comments", post_id=post) == 0


def test_deleted_comment_leaves_others(blog: Blog, stored: Storage) -> None:
    post = blog.add_post()
    comments = [blog.add_comment(post["id"], post["author_id"], unique_word()) for _ in range(3)]
    path = f"/comments/{comments[1]['id']}"
    blog.delete(path)
    assert ids(blog.items(f"/posts/{post['id']}/comments")) == [
        comments[0]["id"],
        comments[2]["id"],
    ]
    assert stored.count("comments", id=comments[1]["id"]) == 0
    blog.delete(path, expect=404)


def test_absent_comment_is_404(blog: Blog) -> None:
    blog.delete(f"/comments/{MAX_ID}", expect=404)
