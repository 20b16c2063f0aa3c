"""A client of the example's API that checks what holds for every answer."""

import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar
from uuid import uuid4

import pytest
from httpx2 import Client, Response

from .problems import check_locations, check_problem, media_type, strict_json

Query = str | int | bool
Status = int | tuple[int, ...]

NOT_SENT = object()
JSON = {"content-type": "application/json"}
REFUSED = (400, 422)
TRIES = 8
PATIENT = 50  # tries, where writers to one row meet on several nodes
MAX_ID = 2**63 - 1
T = TypeVar("T")


def unique_word() -> str:
    """Make a word that nothing else in the database has."""
    return f"t{uuid4().hex[:12]}"


def new_email() -> str:
    """Make an address that no user has."""
    return f"{unique_word()}@example.com"


def new_user(**fields: object) -> dict[str, Any]:
    """Make the body of a user that can be made."""
    return {"email": new_email(), "name": "Ada", **fields}


def concurrently(calls: Sequence[Callable[[], T]]) -> list[T]:
    """Make each of `calls` in a thread of its own, all of them at once, and give their results."""
    barrier = threading.Barrier(len(calls))

    def start(call: Callable[[], T]) -> T:
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(start, calls))


def statuses(calls: Iterable[Callable[[], Response]]) -> dict[int, int]:
    """How many of `calls`, made all at once, had which status."""
    return Counter(response.status_code for response in concurrently(list(calls)))


def retry_on_503(call: Callable[..., Response], *arguments: object, expect: tuple[int, ...]) -> Response:
    """Call as the client of a busy database does: again, while a 503 says when to."""
    for _ in range(TRIES):
        response = call(*arguments, expect=(*expect, 503))
        if response.status_code != 503:
            return response
        assert int(response.headers["retry-after"]) > 0
    pytest.fail(f"{arguments} met a 503 {TRIES} times")


class Blog:
    """Calls under `/api/v1`. A call fails unless the response has the expected status and a valid body."""

    def __init__(self, api: Client, tries: int = 1) -> None:
        """Talk to the service behind `api`, and `tries` times where the response is a 503 that isn't expected."""
        self.api = api
        self.tries = tries

    def get(self, path: str, expect: Status = 200, **query: Query) -> Response:
        """GET `path`."""
        return self.call("GET", path, expect, params=query or None)

    def post(self, path: str, body: object = NOT_SENT, expect: Status = 201, **headers: str) -> Response:
        """POST `body` to `path`."""
        return self.call("POST", path, expect, body, headers=headers)

    def put(self, path: str, body: object, expect: Status = 200, **headers: str) -> Response:
        """PUT `body` to `path`."""
        return self.call("PUT", path, expect, body, headers=headers)

    def patch(self, path: str, body: object, expect: Status = 200, **headers: str) -> Response:
        """PATCH `path` with `body`."""
        return self.call("PATCH", path, expect, body, headers=headers)

    def delete(self, path: str, expect: Status = 204, **headers: str) -> Response:
        """DELETE `path`."""
        return self.call("DELETE", path, expect, headers=headers)

    def restore(self, path: str, expect: Status = 200, **headers: str) -> Response:
        """Take the deletion of `path` back."""
        return self.post(f"{path}/restore", expect=expect, **headers)

    def call(
        self,
        method: str,
        path: str,
        expect: Status,
        body: object = NOT_SENT,
        *,
        content: bytes | str | Iterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        params: dict[str, Query] | None = None,
    ) -> Response:
        """Send `body` as JSON, in ASCII so that lone surrogates and NaN can be sent too, or `content` as it is.

        A name in `headers` may have `_` for `-`.
        """
        headers = {name.replace("_", "-"): value for name, value in (headers or {}).items()}
        if body is not NOT_SENT:
            content, headers = json.dumps(body), {**JSON, **headers}
        statuses = expect if isinstance(expect, tuple) else (expect,)
        for _ in range(self.tries):
            response = self.api.request(
                method, f"/api/v1{path}", content=content, headers=headers, params=params, timeout=30
            )
            if response.status_code != 503 or 503 in statuses:
                break
            assert int(response.headers["retry-after"]) > 0
        sent = ascii(content or params or "")[:300]
        seen = f"{method} {path} {sent}: {response.status_code} {response.text[:1000]}"
        assert response.status_code in statuses, seen
        if response.status_code == 204:
            assert response.content == b"", seen
            assert "content-type" not in response.headers, seen
        elif response.status_code < 300:
            assert media_type(response) == "application/json", seen
            answer = strict_json(response.text)
            if "etag" in response.headers and "version" in answer:
                assert re.fullmatch(rf'"{answer["version"]}(-[0-9a-f]+)?"', response.headers["etag"]), seen
        else:
            problem = check_problem(response, response.status_code)
            if body is not NOT_SENT:
                check_locations(problem, body)
        return response

    def add_user(self, **fields: object) -> dict[str, Any]:
        """Make a user."""
        return self.create("/users", new_user(**fields))

    def add_users(self, users: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Make `users`, whose names have a word in common, and give them as they are listed by id."""
        self.post("/users/bulk", [new_user(**user) for user in users])
        word = users[0]["name"][:13]
        return self.items("/users", search=word, sort="id", size=100)

    def add_post(self, author_id: int | None = None, **fields: object) -> dict[str, Any]:
        """Make a post, by a new author unless `author_id` is given."""
        author = self.add_user()["id"] if author_id is None else author_id
        return self.create("/posts", {"author_id": author, "title": "Title", "content": "Text", **fields})

    def add_comment(self, post_id: int, author_id: int, content: str = "Indeed") -> dict[str, Any]:
        """Make a comment."""
        return self.create(f"/posts/{post_id}/comments", {"author_id": author_id, "content": content})

    def create(self, path: str, body: object, **headers: str) -> dict[str, Any]:
        """Give what a POST of `body` to `path` makes."""
        made: dict[str, Any] = self.call("POST", path, 201, body, headers=headers).json()
        return made

    def item(self, path: str, **query: Query) -> dict[str, Any]:
        """Read the one resource at `path`."""
        item: dict[str, Any] = self.call("GET", path, 200, params=query or None).json()
        return item

    def page(self, path: str, **query: Query) -> dict[str, Any]:
        """Read one page of `path`."""
        page: dict[str, Any] = self.call("GET", path, 200, params=query or None).json()
        return page

    def items(self, path: str, **query: Query) -> list[dict[str, Any]]:
        """Read the items of one page of `path`."""
        items: list[dict[str, Any]] = self.page(path, **query)["items"]
        return items

    def all_pages(self, path: str, **query: Query) -> list[dict[str, Any]]:
        """Read the items of every numbered page of `path`."""
        query["size"] = 100
        first = self.page(path, **query)
        numbers = range(2, first["pages"] + 1)
        rest = (self.items(path, **query, page=number) for number in numbers)
        return [*first["items"], *(item for items in rest for item in items)]

    def cursor_pages(self, path: str = "/posts", /, **query: Query) -> Iterator[dict[str, Any]]:
        """Walk the pages of `path`, each asked for with the cursor of the one before."""
        page = self.page(path, **query)
        yield page
        while page["next_cursor"] is not None:
            query["cursor"] = page["next_cursor"]
            page = self.page(path, **query)
            yield page

    def tag(self, name: str, **query: Query) -> dict[str, Any] | None:
        """Find the tag of that very name, or `None`."""
        return next((tag for tag in self.all_pages("/tags", **query) if tag["name"] == name), None)


def ids(items: Iterable[dict[str, Any]]) -> list[int]:
    """List the ids of `items`, in their order."""
    return [item["id"] for item in items]
