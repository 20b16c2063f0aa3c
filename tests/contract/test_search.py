"""The full-text search over posts."""

import secrets
import string
from typing import Any

import pytest

from .blog import Blog, ids, unique_word
from .problems import locations
from .schemas import Schemas

pytestmark = [pytest.mark.example, pytest.mark.mixin("full_text_search")]

PATH = "/posts/search"
# Operators of one database or another, and characters that are no letters, in every place of a query.
MARKS = (
    *string.punctuation,
    *("<->", "<2>", "||", "+-", "title:", "AND", "OR", "NOT", "NEAR"),
    *"🍣\u0301\u200b\u202e\ufeff\ufffd\U0010ffff\x01\x7f",
)
FORMS = ("{0}", "{0}{0}", "{0}a", "a{0}", "{0} a", "a {0}", "a {0} b")
ODD = (
    *(form.format(mark) for mark in MARKS for form in FORMS),
    *(mark * 200 for mark in (*string.punctuation, *"x9🍣")),
    *(f"foo{mark * 50}bar" for mark in ("-", "(-", "-!", "|-&", "-<", "-:", "-'")),
    f"notes {'-' * 80}todo",
    'c++ "(',
    '"""',
    "++a",
    '"a b" @3',
    "><",
    "()",
    "((((((((((a",
    "{a b} : c",
    "title : a",
    "-title:a",
    "nothing: a",
    "a:*",
    "a:A",
    "NEAR(a b)",
    "NEAR(a b, x)",
    "rank",
    "rowid:1",
    "\\'",
    '\\"',
    "$1",
    "%s",
    "%(a)s",
    "{}",
    "'; DROP TABLE posts; --",
    "/*",
    "[a]",
    "<b>",
    "&amp;",
    "http://example.com/?a=b#c",
    "a@example.com",
    "1e400",
    "-1",
    "0x1",
    "the",
    "a",
    "a " * 99 + "a",
    "👩‍👩‍👧‍👦",
    "漢字",
    "か が",
    "e\u0301",
    "ß",
    "İ",
    "a\tb\nc\rd",
    "a\u00a0b\u3000c",
)


def found(blog: Blog, text: str, **query: int) -> list[int]:
    """List the ids of the posts that `text` finds, best first."""
    return ids(blog.items(PATH, q=text, **query))


def test_post_is_found_by_title_and_content(blog: Blog, schemas: Schemas) -> None:
    words = [unique_word() for _ in range(3)]
    post = blog.add_post(
        title=f"On {words[0]}", content=f"See ({words[1]}), or:\n{'more ' * 1_000}{words[2]}.", tags=["a"]
    )
    for word in words:
        answer = blog.page(PATH, q=word)
        schemas.check("Found", answer, of="PostSummary")
        assert answer["items"] == blog.items("/posts", author_id=post["author_id"])
    assert found(blog, unique_word()) == []


@pytest.mark.crud
def test_match_in_title_ranks_first(blog: Blog) -> None:
    for first in (0, 2):
        word = unique_word()
        texts: list[dict[str, Any]] = [
            {"title": f"All about {word}"},
            {"content": f"{word} " * 20},
            {"title": "More", "content": f"Once {word}, " + "more " * 50},
        ]
        order = texts if first == 0 else texts[::-1]
        posts = [blog.add_post(**text)["id"] for text in order]
        hits = found(blog, word)
        assert sorted(hits) == posts
        assert hits[0] == posts[first]
        assert found(blog, word, limit=1) == hits[:1]


def test_search_is_case_insensitive(blog: Blog) -> None:
    word = unique_word()
    names = [word, f"Élodie{word}", f"ЖАННА{word}", f"Ωμέγα{word}"]
    for name in names:
        post = blog.add_post(title=name.title())["id"]
        other = blog.add_post(content=name.upper())["id"]
        for text in (name, name.upper(), name.lower()):
            assert found(blog, text) == [post, other], text


def test_search_matches_whole_words(blog: Blog) -> None:
    word = unique_word()
    blog.add_post(title=f"{word}x", content=f"x{word} {word[:-1]}")
    post = blog.add_post(title=f"« {word} »", content=f"🍣 {word} 🍺")["id"]
    assert found(blog, word) == [post]
    assert found(blog, f'🍣 "{word}" (')[:1] == [post]


def test_search_finds_post_with_all_words(blog: Blog) -> None:
    one, two, three = (unique_word() for _ in range(3))
    blog.add_post(title=one, content="Text")
    post = blog.add_post(title=f"{two} {one}", content=f"Also {three}")["id"]
    blog.add_post(title=two, content="Text")
    for text in (f"{one} {two}", f"{two} {one}", f" {one}\t{two}\n{one} ", f"{three} {one} {two}"):
        assert found(blog, text)[0] == post


def test_marks_of_letters_are_part_of_words(blog: Blog) -> None:
    for text in ("हिन्दी", "ภาษาที่ดี", "مُحَمَّد", "re\u0301sume\u0301"):
        word = unique_word() + text
        post = blog.add_post(title=word)["id"]
        assert found(blog, word) == [post]
    word = unique_word()
    blog.add_post(title=f"{word}हिन्दी")
    assert found(blog, f"{word}हान") == []


def test_phrase_is_found(blog: Blog) -> None:
    number = secrets.randbelow(10**6) + 10**6
    for text in (
        f"{number}.{number}",
        f"{unique_word()}.org",
        f"ada@{unique_word()}.org",
        f"{unique_word()}-19",
        f"a-{unique_word()}-b",
    ):
        post = blog.add_post(content=f"See {text} now.")["id"]
        assert found(blog, text)[:1] == [post], text


@pytest.mark.crud
def test_search_index_follows_changes(blog: Blog) -> None:
    old, new, newer, kept = (unique_word() for _ in range(4))
    post = blog.add_post(title=f"{old} {kept}", content=old, tags=[unique_word()])["id"]
    path = f"/posts/{post}"
    blog.patch(path, {"title": f"{new} {kept}"})
    assert found(blog, new) == found(blog, old) == [post]
    blog.patch(path, {"content": newer, "published": True})
    blog.patch(path, {"tags": []})
    assert found(blog, newer) == found(blog, new) == found(blog, kept) == [post]
    assert found(blog, old) == []
    blog.patch(path, {"title": old}, expect=200)
    assert found(blog, old) == found(blog, newer) == [post]
    assert found(blog, new) == found(blog, kept) == []


@pytest.mark.crud
@pytest.mark.parametrize("path", ["/posts/{post}", "/users/{user}", "/users/bulk-delete"])
def test_deleted_post_is_not_found(blog: Blog, path: str) -> None:
    word = unique_word()
    kept = blog.add_post(content=word)["id"]
    post = blog.add_post(title=word)
    assert found(blog, word) == [post["id"], kept]
    if path == "/users/bulk-delete":
        blog.post(path, {"ids": [post["author_id"]]}, expect=200)
    else:
        blog.delete(path.format(post=post["id"], user=post["author_id"]))
    assert found(blog, word) == found(blog, word, limit=1) == [kept]
    again = blog.add_post(title=word)["id"]
    assert found(blog, word) == [again, kept]


@pytest.mark.crud
@pytest.mark.mixin("soft_delete")
def test_restored_post_is_found(blog: Blog) -> None:
    old, new = unique_word(), unique_word()
    post = blog.add_post(title=old)
    path, user = f"/posts/{post['id']}", f"/users/{post['author_id']}"
    for deleted in (path, user):
        blog.delete(deleted)
        assert found(blog, old) == []
        blog.restore(deleted)
        assert found(blog, old) == [post["id"]]
    blog.delete(user)
    blog.restore(user)
    blog.patch(path, {"title": new})
    assert (found(blog, old), found(blog, new)) == ([], [post["id"]])


def test_failed_write_leaves_search_index(blog: Blog) -> None:
    word, other = unique_word(), unique_word()
    post = blog.add_post(title=word)["id"]
    blog.patch(f"/posts/{post}", {"title": other, "tags": [""]}, expect=422)
    body: dict[str, Any] = {"author_id": 2**63 - 1, "title": other, "content": other}
    blog.post("/posts", body, expect=422)
    assert (found(blog, word), found(blog, other)) == ([post], [])


def test_default_limit_is_20(blog: Blog) -> None:
    word, author = unique_word(), blog.add_user()["id"]
    made = {blog.add_post(author, title=word)["id"] for _ in range(21)}
    for hits, count in (
        (found(blog, word), 20),
        (found(blog, word, limit=5), 5),
        (found(blog, word, limit=100), 21),
    ):
        assert len(set(hits)) == len(hits) == count
        assert set(hits) <= made


def test_any_query_is_200_or_422(blog: Blog) -> None:
    blog.add_post(title="a b c")
    for text in ODD:
        blog.get(PATH, q=text)


def test_punctuation_beside_word_does_not_hide_it(blog: Blog) -> None:
    word = unique_word()
    missed: list[str] = []
    for mark in ("🍣", "c++", '"', "(", "-", "*", "^", ":", "&", "|", "<->", "!", "'", "@", "~", "\\", "%"):
        post = blog.add_post(title=f"{word} {mark} x")["id"]
        missed += [text for text in (f"{mark} {word}", f"{word} {mark}") if post not in found(blog, text, limit=100)]
    assert missed == []


def test_query_has_1_to_200_characters(blog: Blog) -> None:
    blog.get(PATH, q="  " + "x" * 200 + "\t")
    for text in ("", " ", "\t\n\u3000", "x" * 201, "🍣" * 201, "a\0b"):
        assert locations(blog.get(PATH, expect=422, q=text).json()) == {("query", "q")}
    assert locations(blog.get(PATH, expect=422).json()) == {("query", "q")}
    for raw in ("%ED%A0%80", "%FF"):
        blog.get(f"{PATH}?q={raw}", expect=(200, 422))
    for bad in ("0", "101", "-1", "x", ""):
        assert locations(blog.get(PATH, expect=422, q="x", limit=bad).json()) == {("query", "limit")}
