"""What is compared on a database: rendered services, and what else could be written, all with the same three calls."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count, cycle
from pathlib import Path
from typing import Any, Self

from benchmarks.client import Client, Request
from benchmarks.rows import fill
from benchmarks.services import Bench, Service, baseline, rendered
from tests.harness.servers import Server, new_database
from tests.harness.variants import Variant, choices

POSTS = 10_000
ACCESSES = choices("data_access")
TEXTBOOKS = [f"textbook-{access}" for access in ACCESSES]
RENDERED = [f"rendered-{access}" for access in ACCESSES]
# Without SQLAlchemy, on asyncpg alone.
BY_HAND = ["limit", "framework"]
# The shape of other templates, and whether that is async.
PEERS = {"benavlabs": "async", "s3rius": "async", "full-stack": "sync"}

NUMBERS = count()
BY_KEY = Request("GET", "/api/v1/users/17")
PAGE = Request("GET", "/api/v1/posts?limit=20")
CALLS: dict[str, Callable[[], Request]] = {
    "by key": lambda: BY_KEY,
    "page": lambda: PAGE,
    "insert": lambda: Request("POST", "/api/v1/users", {"email": f"new{next(NUMBERS)}@example.com", "name": "New"}),
}


class Unlike(Exception):
    """Two services answer a call with different values."""


def mix() -> Iterator[Request]:
    """Give requests of all calls in turn, without end."""
    return (call() for call in cycle(CALLS.values()))


@dataclass(frozen=True)
class Contest:
    """A filled database, and the services that can run on it."""

    bench: Bench
    io: str
    url: str
    projects: dict[str, Path]

    @classmethod
    @contextmanager
    def on(cls, bench: Bench, server: Server, io: str) -> Iterator[Self]:
        """Make a database for services that are sync or async, and fill it."""
        with new_database(server, bench.folder) as url:
            variants = {access: Variant(server.database, io, access, ("timestamps",)) for access in ACCESSES}
            projects = {access: bench.render(variant, url) for access, variant in variants.items()}
            fill(url, POSTS, " and some more words" * 30)
            yield cls(bench, io, url, projects)

    def run(self, name: str) -> AbstractContextManager[Service]:
        """Run a service, by its name."""
        kind, _, access = name.partition("-")
        if kind == "rendered":
            return rendered(self.projects[access], self.url)
        if name in BY_HAND:
            return baseline(name, self.url, self.bench.folder)
        return baseline(name.replace("-", "_"), self.url, self.bench.folder, PEERS.get(name, self.io))

    @contextmanager
    def run_all(self, names: Iterable[str]) -> Iterator[dict[str, Service]]:
        """Run services side by side, and check that they answer alike.

        Raises:
            Unlike: they don't.

        """
        with ExitStack() as stack:
            services = {name: stack.enter_context(self.run(name)) for name in names}
            check_alike(services)
            yield services


def check_alike(services: dict[str, Service]) -> None:
    """Send each call once, and compare what the services answer.

    Raises:
        Unlike: two of them answer with different values.

    """
    for call, request in CALLS.items():
        bodies = {name: answer(service, request()) for name, service in services.items()}
        (first, expected), *others = bodies.items()
        for name, body in others:
            if body != expected:
                raise Unlike(f"{call}: {first} answers {expected}, {name} answers {body}")


def answer(service: Service, request: Request) -> Any:
    """Return the rows of a response, without what no two services can have alike.

    A new row has a key, an address and timestamps of its own; a page has its rows and what leads to the next one.
    """
    client = Client(service.port)
    client.send(request)
    client.close()
    body = json.loads(client.content, object_hook=with_times)
    if request.method == "POST":
        return {key: value for key, value in body.items() if key not in {"id", "email", "created_at", "updated_at"}}
    return body.get("items", body)


def with_times(record: dict[str, Any]) -> dict[str, Any]:
    """Return a JSON object with its timestamps as such: services write one in several ways."""
    times = {key: datetime.fromisoformat(record[key]) for key in ("created_at", "updated_at") if key in record}
    return record | {key: time if time.tzinfo else time.replace(tzinfo=UTC) for key, time in times.items()}
