"""The list of posts: filters and keyset pages."""

import base64
import json
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine
from sqlalchemy import text as sql

from .blog import MAX_ID, Blog, ids, unique_word
from .schemas import Schemas
from .storage import Storage

pytestmark = pytest.mark.example


def encoded(value: object) -> str:
    """Write `value` as JSON in base64, the usual form of a cursor."""
    text = value if isinstance(value, str) else json.dumps(value)
    return base64.urlsafe_b64encode(text.encode(errors="surrogatepass")).decode().rstrip("=")


@pytest.mark.mixin("timestamps")
def test_posts_created_at_one_moment_are_listed_once(blog: Blog, db: Engine) -> None:
    author = blog.add_user()["id"]
    made = ids([blog.add_post(author) for _ in range(7)])
    with db.begin() as connection:
        statement = sql("UPDATE posts SET created_at = '2001-01-01 00:00:00.000000' WHERE author_id = :author")
        connection.execute(statement, {"author": author})
    met = [post for page in blog.cursor_pages(author_id=author, limit=2) for post in page["items"]]
    assert ids(met) == sorted(made, reverse=True)


BAD_CURSORS = {
    "no base64": "not a cursor!",
    "symbols": "%$#@",
    "nul": "\0",
    "not ASCII": "é🍣",
    "one letter": "A",
    "random": "3q2-7wAAqrvM3e7_",
    "long": "A" * 4_000,
    "many digits": "9" * 40,
    "object": encoded({}),
    "list": encoded([]),
    "null": encoded("null"),
    "true": encoded("true"),
    "string": encoded('"x"'),
    "nulls": encoded([None, None]),
    "words": encoded(["a", "b"]),
    "objects": encoded([{}, {}]),
    "no such field": encoded({"nothing": 1}),
    "word for an id": encoded({"id": "x"}),
    "huge": encoded(str(10**30)),
    "huge in a list": encoded([10**30]),
    "huge in an object": encoded({"id": 10**30}),
    "too many digits": encoded("9" * 5_000),
    "infinite": encoded("[1e999]"),
    "not a number": encoded("[NaN]"),
    "deep": encoded("[" * 3_000),
    "surrogate": encoded("\ud800"),
    "broken JSON": encoded('{"id": '),
}


def bent(value: object) -> Iterator[object]:
    """Make copies of `value` with one part of it turned into something that it can't be."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield {other: item for other, item in value.items() if other != key}
            yield from ({**value, key: wrong} for wrong in bent(part))
    elif isinstance(value, list):
        yield value[:-1]
        yield [*value, None]
        for index, part in enumerate(value):
            yield from ([*value[:index], wrong, *value[index + 1 :]] for wrong in bent(part))
    else:
        yield from (
            None,
            [],
            {},
            "",
            "x",
            "\0",
            "0001-01-01T00:00:00+14:00",
            2**63,
            -(10**30),
            10**30,
            float("nan"),
        )


def test_posts_are_paged_newest_first(blog: Blog, schemas: Schemas) -> None:
    author = blog.add_user()["id"]
    made = [blog.add_post(author, title=f"Post {number}")["id"] for number in range(21)]
    for page in blog.cursor_pages(author_id=author):
        schemas.check("CursorPage", page, of="PostSummary")
    for limit in (None, 4, 7, 20, 21, 22, 100):
        sizes = {} if limit is None else {"limit": limit}
        pages = [ids(page["items"]) for page in blog.cursor_pages(author_id=author, **sizes)]
        assert [post for page in pages for post in page] == made[::-1]
        assert len(pages) == -(-21 // (limit or 20))
        assert {len(page) for page in pages[:-1]} <= {limit or 20}


def test_every_post_is_listed_once(blog: Blog, stored: Storage) -> None:
    for _ in range(3):
        blog.add_post()
    walked = [post["id"] for page in blog.cursor_pages(limit=100) for post in page["items"]]
    assert sorted(walked) == sorted(ids(stored.rows("posts")))


def test_posts_created_or_deleted_meanwhile_do_not_disturb_paging(blog: Blog) -> None:
    author = blog.add_user()["id"]
    made = [blog.add_post(author)["id"] for _ in range(12)]
    walked: list[int] = []
    left = set(made)
    for page in blog.cursor_pages(author_id=author, limit=3):
        walked += ids(page["items"])
        blog.add_post(author)
        ahead = sorted(post for post in left if post < walked[-1])
        for post in [walked[-1], *ahead[-2:-1]]:
            blog.delete(f"/posts/{post}")
            left.remove(post)
    assert walked == sorted(set(walked), reverse=True)
    assert left <= set(walked) <= set(made)


def test_tag_filter_is_case_and_accent_sensitive(blog: Blog) -> None:
    word = unique_word()
    posts = {
        name: blog.add_post(tags=[name])["id"] for name in (word, word.upper(), f"{word}é", f"{word}e", f"{word}%")
    }
    for name, post in posts.items():
        for text in (name, f" {name}\t"):
            assert ids(blog.items("/posts", tag=text)) == [post]


@pytest.mark.parametrize("cursor", list(BAD_CURSORS.values()), ids=BAD_CURSORS)
def test_bad_cursor_is_400(blog: Blog, cursor: str) -> None:
    blog.get("/posts", expect=400, cursor=cursor)


def test_cursor_with_appended_text_is_400(blog: Blog) -> None:
    cursor = next_cursor(blog)
    for text in ("!", "\0", "é", " x", "{", "=x"):
        blog.get("/posts", expect=400, cursor=cursor + text)
        blog.get("/posts", expect=400, cursor=text + cursor)


def test_changed_cursor_is_not_500(blog: Blog) -> None:
    cursor = next_cursor(blog)
    changed = [cursor[:-1], cursor[1:], cursor * 2, cursor[::-1], cursor.swapcase(), cursor.lower()]
    changed += [cursor[:place] + "A" + cursor[place + 1 :] for place in range(0, len(cursor), 6)]
    for text in changed:
        blog.get("/posts", expect=(200, 400), cursor=text)


def test_cursor_with_impossible_position_is_400(blog: Blog) -> None:
    cursor = next_cursor(blog)
    try:
        position = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        position = MAX_ID
    for wrong in bent(position):
        blog.get("/posts", expect=400, cursor=encoded(json.dumps(wrong)))


def next_cursor(blog: Blog) -> str:
    """Make a good cursor."""
    author = blog.add_post()["author_id"]
    blog.add_post(author)
    cursor: str = blog.get("/posts", author_id=author, limit=1).json()["next_cursor"]
    return cursor
