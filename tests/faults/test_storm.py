"""Several clients write to the same records, and what each was told is explained by one order of all that they did."""

import random
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.contract.blog import Blog, concurrently, new_email, new_user, unique_word
from tests.contract.storage import Storage
from tests.contract.test_audit_replay import kept, replayed
from tests.faults.history import History, Kind, Operation, duplicates
from tests.faults.mortal import mortal_service
from tests.faults.storms import Storm
from tests.harness import servers
from tests.harness.servers import NewDatabase, Server
from tests.harness.service import NO_CERTIFICATES
from tests.harness.variants import Variant
from tests.harness.warm_process import WarmProcess

pytestmark = [
    pytest.mark.example,
    pytest.mark.each_database,
    pytest.mark.mixin("timestamps", "soft_delete", "audit_log", "optimistic_locking", "full_text_search"),
]
CLIENTS = 8
CALLS = 60
POSTS = 3
WORKERS = 2
EXPECTED = {200, 201, 204, 404, 409, 412, 503}
Place = tuple[str, int | str]


class Writer:
    """A client that picks posts by chance, and remembers each call and what it was told."""

    def __init__(self, api: httpx2.Client, seed: int, posts: list[int], email: str) -> None:
        """Write to `posts`, and make users with `email`, which others want too."""
        self.api, self.posts, self.email = api, posts, email
        self.random = random.Random(seed)  # noqa: S311
        self.told: dict[Place, list[Operation]] = defaultdict(list)
        self.current: dict[int, int] = dict.fromkeys(posts, 1)
        self.titles = {post: ["start"] for post in posts}

    def run(self) -> None:
        """Make the calls."""
        calls = [self.change, self.read, self.search, self.delete, self.restore, self.take_email]
        for call in self.random.choices(calls, weights=[8, 5, 3, 1, 3, 1], k=CALLS):
            call()

    def change(self) -> None:
        """Give a post another title, half of the time only if it is as it was seen last."""
        post, title = self.random.choice(self.posts), unique_word()
        expected = self.current[post] if self.random.random() < 0.5 else None
        self.titles[post].append(title)
        self._call("change", post, "PATCH", f"/posts/{post}", title, expected, json={"title": title})

    def read(self, post: int | None = None) -> None:
        """Read a post."""
        post = post or self.random.choice(self.posts)
        self._call("read", post, "GET", f"/posts/{post}")

    def search(self) -> None:
        """Search for a title that the post has, or has had."""
        post = self.random.choice(self.posts)
        title = self.random.choice(self.titles[post][-2:])
        self._call("search", post, "GET", "/posts/search", title, params={"q": title})

    def delete(self) -> None:
        """Delete a post."""
        post = self.random.choice(self.posts)
        self._call("delete", post, "DELETE", f"/posts/{post}")

    def restore(self, post: int | None = None) -> None:
        """Restore a post, if it is deleted."""
        post = post or self.random.choice(self.posts)
        self._call("restore", post, "POST", f"/posts/{post}/restore")

    def take_email(self) -> None:
        """Make a user with an email that others want too, and delete it again now and then."""
        response = self._call("create", self.email, "POST", "/users", json=new_user(email=self.email))
        if response is not None and response.status_code == 201 and self.random.random() < 0.5:
            self._call("delete", self.email, "DELETE", f"/users/{response.json()['id']}")

    def _call(
        self,
        kind: Kind,
        place: int | str,
        method: str,
        path: str,
        value: str | None = None,
        expected: int | None = None,
        **options: Any,
    ) -> httpx2.Response | None:
        if expected is not None:
            # A post's ETag has more than its version, so that the current one is asked for first.
            etag = self.api.get(path).headers.get("etag", '"0"')
            expected = int(etag.strip('"').partition("-")[0])
            options["headers"] = {"If-Match": etag}
        began, response = time.monotonic(), None
        with suppress(httpx2.TransportError):
            response = self.api.request(method, path, **options)
        ended = time.monotonic()
        status = response.status_code if response is not None else 0
        assert response is None or status in EXPECTED, response.text
        told: dict[str, Any] = {"value": value, "expected": expected}
        if response is not None and response.is_success and kind in {"change", "read", "restore"}:
            body = response.json()
            told |= {"version": body["version"], "value": body["title"]}
            if isinstance(place, int):
                self.current[place] = body["version"]
                self.titles[place].append(body["title"])
        if response is not None and response.is_success and kind == "search":
            told["found"] = place in {post["id"] for post in response.json()["items"]}
        self.told["email" if isinstance(place, str) else "post", place].append(
            Operation(kind, began, ended, status, **told)
        )
        return response


def client_of(address: str) -> httpx2.Client:
    """Make a client of what is below `address`."""
    return httpx2.Client(base_url=address, timeout=30, verify=NO_CERTIFICATES)


@pytest.fixture
def storm(
    warm_process: WarmProcess, project: Path, new_database: NewDatabase, tmp_path: Path
) -> Iterator[tuple[str, str]]:
    """The URLs of a service of several processes, which writers meet at, and of its database."""
    with new_database() as url:
        warm_process.run(["-m", "alembic", "upgrade", "head"], project, {"DATABASE_URL": url})
        served = mortal_service(project, {"DATABASE_URL": url}, tmp_path / "log", WORKERS)
        try:
            yield served.url, url
        finally:
            served.close()


def test_one_order_explains_what_all_clients_were_told(
    storm: tuple[str, str], variant: Variant, server: Server, request: pytest.FixtureRequest
) -> None:
    """Eight clients write to the same posts, through two processes."""
    address, url = storm
    with client_of(address) as root, ExitStack() as stack:
        blog = Blog(root)
        author = blog.add_user()["id"]
        posts = [blog.add_post(author, title="start")["id"] for _ in range(POSTS)]
        emails = [new_email() for _ in range(2)]
        clients = [stack.enter_context(client_of(f"{address}/api/v1")) for _ in range(CLIENTS)]
        writers = [Writer(client, seed, posts, emails[seed % 2]) for seed, client in enumerate(clients)]
        concurrently([partial(writer.run) for writer in writers])
        for post in posts:
            writers[0].restore(post)
            writers[0].read(post)
    found: list[str] = []
    for post in posts:
        start = Operation("create", 0, 0, 201, version=1, value="start")
        told = [operation for writer in writers for operation in writer.told["post", post]]
        found += History([start, *told]).anomalies()
    for email in emails:
        told = [operation for writer in writers for operation in writer.told["email", email]]
        creations, deletions = ([one for one in told if one.kind == kind] for kind in ("create", "delete"))
        found += duplicates(creations, deletions)
    assert not found, "\n".join(found)
    stored = Storage(servers.engine(url), hides=True)
    assert replayed(stored) == kept(stored)
    assert len({row["email"] for row in stored.rows("users")}) == stored.count("users")
    calls = Counter(str(each.outcome) for writer in writers for told in writer.told.values() for each in told)
    row = Storm(variant.database, variant.id, str(server), dict(calls), len(found))
    request.node.user_properties.append(("storm", asdict(row)))
