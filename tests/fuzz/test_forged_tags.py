"""Cursors and ETags that the service didn't give: flipped bit by bit, cut, of other records, and made up."""

from collections.abc import Callable, Iterator
from contextlib import closing
from random import Random
from typing import Any
from urllib.parse import quote

import pytest
from httpx2 import Client

from tests.contract.blog import Blog, ids, new_user
from tests.fuzz import nasty
from tests.fuzz.calls import JSON, Caller, Request, has_control
from tests.fuzz.conftest import Tally

pytestmark = [
    pytest.mark.example,
    pytest.mark.each_database,
    pytest.mark.mixin("timestamps", "soft_delete", "audit_log", "optimistic_locking", "full_text_search"),
]
ROWS = 6
LISTS = {"/api/v1/posts": "posts", "/api/v1/audit": "entries"}


def forgeries(text: str) -> Iterator[bytes]:
    """Give the text with each of its bits flipped, cut at each place, and with something before, after or within."""
    raw = text.encode()
    for place in range(len(raw)):
        for bit in range(8):
            yield raw[:place] + bytes([raw[place] ^ (1 << bit)]) + raw[place + 1 :]
        yield raw[:place]
        yield raw[place:] + raw[:place]
    for extra in (b"=", b"==", b"A", b"\0", b" ", b"%", b"\xff", b'"', b"*", raw):
        yield extra + raw
        yield raw + extra


def chosen(values: Iterator[bytes], examples: int, least: int = 4) -> list[bytes]:
    """Take a share of the values that grows with the examples, or all."""
    known = list(dict.fromkeys(values))
    return Random(1).sample(known, min(len(known), least * examples))  # noqa: S311


def test_forged_cursor_is_400_or_a_place_in_the_list(
    service: str, api: Client, examples: int, keep_tally: Callable[[Tally], None]
) -> None:
    """Cursors with each bit flipped, cut at each place, of another list, and made up."""
    blog = Blog(api)
    author = blog.add_user()["id"]
    for _ in range(ROWS):
        blog.add_post(author)
    cursors = {path: api.get(path, params={"limit": 2}).json()["next_cursor"] for path in LISTS}
    with closing(Caller(service)) as caller:
        for path, cursor in cursors.items():
            whole = [item["id"] for page in pages(api, path) for item in page]
            others = [value.encode() for value in cursors.values() if value != cursor]
            nasty_ones = [text.encode("utf-8", "surrogatepass") for text in nasty.TEXTS]
            for forged in [*others, *nasty_ones, *chosen(forgeries(cursor), examples)]:
                if forged == cursor.encode():
                    continue
                request = Request(f"GET {path}", "GET", f"{path}?limit=3&cursor={quote(forged, safe='')}")
                answer = caller.send(request, {200, 400, 422})
                if answer.status == 200:  # a cursor isn't secret: this one names a place, and what comes after it
                    found = ids(answer.json()["items"])
                    start = whole.index(found[0]) if found else len(whole)
                    assert found == whole[start : start + 3], forged
        caller.check_health()
        keep_tally(caller.tally)


def pages(api: Client, path: str) -> Iterator[list[dict[str, Any]]]:
    """Walk the pages of a list."""
    page = api.get(path, params={"limit": 100}).json()
    yield page["items"]
    while page["next_cursor"] is not None:
        page = api.get(path, params={"limit": 100, "cursor": page["next_cursor"]}).json()
        yield page["items"]


def matches(header: bytes, etag: str) -> bool:
    """Tell whether a list of ETags has this one; `*` alone is any."""
    tags = [tag.strip(b" \t") for tag in header.split(b",")]
    return etag.encode() in tags or {*tags} == {b"*"}


def test_forged_etag_is_412_and_changes_nothing(
    service: str, api: Client, examples: int, keep_tally: Callable[[Tally], None]
) -> None:
    """ETags with each bit flipped, cut at each place, weak, of another record, in lists, and made up."""
    blog = Blog(api)
    author = blog.add_user()["id"]
    post = blog.add_post(author)["id"]
    other = blog.add_post(author, title="Another")["id"]
    blog.patch(f"/posts/{other}", {"title": "Changed"})
    user = blog.post("/users", new_user()).json()["id"]
    paths = {f"/api/v1/posts/{post}": {"title": "New"}, f"/api/v1/users/{user}": {"name": "New"}}
    foreign = blog.get(f"/posts/{other}").headers["etag"]
    with closing(Caller(service)) as caller:
        for path in paths:
            before = api.get(path)
            etag = before.headers["etag"]
            bare = etag.strip('"')
            made_up = [
                f"W/{etag}",
                bare,
                f"'{bare}'",
                f'"{bare}',
                f"{etag} x",
                f'"{bare},{bare}"',
                f"**,{etag}x",
                foreign,
            ]
            lists = [f"{foreign}, {foreign}", f"{foreign}, *", f"*, W/{etag}", ", ".join([foreign] * 100)]
            forged = [text.encode("latin-1") for text in [*made_up, *lists]]
            for header in [*forged, *nasty.HEADERS, *chosen(forgeries(etag), examples)]:
                if matches(header, etag) or b"\r" in header or b"\n" in header:
                    continue
                for method in ("PATCH", "DELETE"):
                    body = b'{"name": "Forged"}' if "users" in path else b'{"title": "Forged"}'
                    request = Request(
                        f"{method} {'/'.join(path.split('/')[:-1])}/{{}}",
                        method,
                        path,
                        {"If-Match": header, **(JSON if method == "PATCH" else {})},
                        body if method == "PATCH" else None,
                    )
                    # 400 is what the parser of HTTP says to control characters.
                    caller.send(request, {400, 412} if has_control(header) else {412})
            after = api.get(path)
            assert (after.json(), after.headers["etag"]) == (before.json(), etag)
        caller.check_health()
        keep_tally(caller.tally)
