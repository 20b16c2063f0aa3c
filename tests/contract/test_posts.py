"""Posts: make, read, change and delete one."""

import pytest

from .blog import MAX_ID, Blog, unique_word
from .storage import Storage

pytestmark = pytest.mark.example


def test_defaults_of_new_post(blog: Blog, stored: Storage) -> None:
    post = blog.add_post()
    assert (post["published"], post["tags"]) == (False, [])
    assert not stored.row("posts", id=post["id"])["published"]


def test_author_of_post_cannot_be_changed(blog: Blog) -> None:
    post, other = blog.add_post(), blog.add_user()["id"]
    blog.patch(f"/posts/{post['id']}", {"author_id": other}, expect=422)
    assert blog.item(f"/posts/{post['id']}") == post


def test_patch_of_absent_post_creates_no_tag(blog: Blog, stored: Storage) -> None:
    name = unique_word()
    blog.patch(f"/posts/{MAX_ID}", {"tags": [name]}, expect=404)
    assert stored.count("tags", name=name) == 0


def test_deleted_or_absent_post_is_404(blog: Blog) -> None:
    post = blog.add_post()
    comment = {"author_id": post["author_id"], "content": "C"}
    blog.delete(f"/posts/{post['id']}")
    for path in (f"/posts/{post['id']}", f"/posts/{MAX_ID}"):
        blog.delete(path, expect=404)
        blog.get(path, expect=404)
        blog.patch(path, {"title": "New"}, expect=404)
        blog.patch(path, {}, expect=404)
        blog.get(f"{path}/comments", expect=404)
        blog.post(f"{path}/comments", comment, expect=404)
