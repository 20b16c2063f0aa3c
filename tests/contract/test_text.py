"""Text: all of Unicode comes back as it went in; what is no text is refused."""

import pytest

from .blog import JSON, Blog, ids, new_user, unique_word
from .problems import locations
from .storage import Storage, as_json
from .valid_requests import REQUESTS, rounds, valid_request

pytestmark = pytest.mark.example

TEXTS = {
    "emoji and CJK": "👩‍👩‍👧‍👦🍣🏳️‍🌈 漢字かなカナ한글𠮷",
    "combining marks": "e\u0301 a\u030a\u0323 \u0928\u093f \u00e9\u00e5\u1ea1",
    "invisible": "\u05e9\u05dc\u05d5\u05dd \u202e\u0639\u0627\u202c a\u200bb\u2060c\ufeffd\u00ade",
    "compatibility": "ﬁ ① \uff21 ™ ² \U0001d54f\U0010ffff\ufffd",
    "quotes and markup": "'; DROP -- \"`$1 %s :a ? \\x00 <b>&#38; \\",
}


@pytest.mark.parametrize("text", list(TEXTS.values()), ids=TEXTS)
def test_text_round_trips_and_is_found(blog: Blog, stored: Storage, text: str) -> None:
    word = unique_word()[:8]
    user = blog.add_user(name=word + text, preferences={text: [text]})
    path = f"/users/{user['id']}"
    blog.put(f"{path}/profile", {"bio": text}, expect=201)
    post = blog.add_post(user["id"], title=text, content=text, tags=[word + text])
    comment = blog.add_comment(post["id"], user["id"], text)

    read = blog.item(path)
    assert (read["name"], read["preferences"], read["profile"]["bio"]) == (word + text, {text: [text]}, text)
    seen = blog.item(f"/posts/{post['id']}")
    assert (seen["title"], seen["content"], seen["author"]["name"]) == (text, text, word + text)
    assert (seen["tags"], seen["comments"], comment["content"]) == ([word + text], [comment], text)

    row = stored.row("users", id=user["id"])
    assert (row["name"], as_json(row["preferences"])) == (word + text, {text: [text]})
    assert stored.row("posts", id=post["id"])["content"] == text
    assert stored.row("tags", name=word + text)["name"] == word + text

    assert ids(blog.items("/users", search=word + text)) == [user["id"]]
    assert ids(blog.items("/posts", tag=word + text)) == [post["id"]]


def test_emoji_as_surrogate_pair_escapes_is_accepted(blog: Blog) -> None:
    body = b'{"email": "%s@example.com", "name": "\\ud83c\\udf63"}' % unique_word().encode()
    response = blog.call("POST", "/users", 201, content=body, headers=JSON)
    assert response.json()["name"] == "🍣"


@pytest.mark.parametrize("name", REQUESTS)
def test_nul_and_lone_surrogate_are_422(blog: Blog, name: str) -> None:
    for part in ("\0", "\ud800"):
        text = f"a{part}b"
        bad: dict[str, list[object]] = {
            "email": [f"{text}@example.com"],
            "name": [text],
            "preferences": [{text: 1}, {"a": text}, {"a": {text: 1}}, {"a": [1, {"b": [text]}]}],
            "bio": [text],
            "avatar_url": [f"https://example.com/{text}"],
            "title": [text],
            "content": [text, part],
            "tags": [[text], ["x", text]],
        }
        for values in rounds(name, bad):
            problem = valid_request(blog, name).send(blog, values, expect=422).json()
            assert locations(problem) == {("body", field) for field in values}, values


def test_nul_and_lone_surrogate_in_bulk_are_422_and_create_none(blog: Blog, stored: Storage) -> None:
    word = unique_word()
    for part in ("\0", "\ud800"):
        bad = new_user(name=word, preferences={"a": [part]})
        blog.post("/users/bulk", [new_user(name=word), bad], expect=422)
    assert stored.count("users", name=word) == 0
