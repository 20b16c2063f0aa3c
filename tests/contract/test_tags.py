"""Tags: made when a post names them first, then shared."""

from itertools import cycle

import pytest

from .blog import Blog, unique_word
from .schemas import Schemas
from .storage import Storage

pytestmark = pytest.mark.example


def test_repeated_name_counts_once(blog: Blog, stored: Storage) -> None:
    name = unique_word()
    post = blog.add_post(tags=[name, f" {name}", name, f"{name}\t"])
    assert post["tags"] == [name]
    assert stored.count("post_tags", post_id=post["id"]) == 1
    assert stored.count("tags", name=name) == 1


def test_tag_names_are_case_and_accent_sensitive(blog: Blog, stored: Storage) -> None:
    word = unique_word()
    ends = [
        "a",
        "A",
        "á",
        "a\u0301",
        "Á",
        "ss",
        "ß",
        "か",
        "が",
        "カ",
        "🍣",
        "🍺",
        "ae",
        "æ",
        "a\u200b",
        "a b",
        "a  b",
    ]
    names = sorted(f"{word}{end}" for end in ends)
    post = blog.add_post(tags=names)
    assert post["tags"] == names
    assert blog.item(f"/posts/{post['id']}")["tags"] == names
    for name in names:
        assert blog.add_post(post["author_id"], tags=[name])["tags"] == [name]
        assert stored.row("tags", name=name)["name"] == name
    counts = {tag["name"]: tag["post_count"] for tag in blog.all_pages("/tags") if word in tag["name"]}
    assert counts == dict.fromkeys(names, 2)


def test_patch_replaces_tags(blog: Blog, stored: Storage) -> None:
    old, kept, new = unique_word(), unique_word(), unique_word()
    post = blog.add_post(tags=[old, kept])
    path = f"/posts/{post['id']}"
    assert blog.patch(path, {"tags": [new, kept]}).json()["tags"] == sorted([kept, new])
    wanted = {stored.row("tags", name=name)["id"] for name in (kept, new)}
    assert {link["tag_id"] for link in stored.rows("post_tags", post_id=post["id"])} == wanted
    assert blog.patch(path, {"tags": []}).json()["tags"] == []
    assert stored.count("post_tags", post_id=post["id"]) == 0
    assert stored.count("tags", name=old) == 1


def test_tags_of_post_are_sorted(blog: Blog) -> None:
    word = unique_word()
    names = [f"{word}{end}" for end in ("b", "B", "é", "e", "10", "9", "_", "-", "я", "🍣", "\uff5e")]
    post = blog.add_post(tags=names)
    for tags in (
        post["tags"],
        blog.item(f"/posts/{post['id']}")["tags"],
        blog.items("/posts", author_id=post["author_id"])[0]["tags"],
        blog.items(f"/users/{post['author_id']}/posts")[0]["tags"],
    ):
        assert tags == sorted(names)


def test_tags_are_paged_by_name(blog: Blog, stored: Storage, schemas: Schemas) -> None:
    word = unique_word()
    blog.add_post(tags=[f"{word}{end}" for end in ("b", "B", "é", "e", "_", "-", "🍣", "\uff5e")])
    page = blog.get("/tags", size=5).json()
    schemas.check("Page", page, of="TagPublic")
    assert page["total"] == stored.count("tags")
    names = [tag["name"] for tag in blog.all_pages("/tags")]
    assert names == sorted(names)
    assert len(names) == len(set(names)) == page["total"]


def test_post_may_have_20_tags(blog: Blog) -> None:
    names = sorted(unique_word() for _ in range(20))
    assert blog.add_post(tags=names)["tags"] == names


def test_longest_tags_are_listed_whole(blog: Blog) -> None:
    word = unique_word()
    names = [f"{word}{number:02}".ljust(50, end) for number, end in zip(range(20), cycle('🍣"\\é'), strict=False)]
    post = blog.add_post(tags=names)
    assert blog.items("/posts", author_id=post["author_id"])[0]["tags"] == names
