"""Measures what each mixin costs: the statements of a request, and the time until its response."""

import statistics
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from benchmarks.client import Client, Request
from benchmarks.results import Row
from benchmarks.services import Bench, rendered
from tests.harness.demo import say
from tests.harness.servers import Server, new_database
from tests.harness.variants import Variant, choices

DATABASES = ("sqlite", "postgresql")
NONE, AGAIN, ALL = "none", "none, again", "all"
# The service without a mixin is measured twice, to show how far the figures can be trusted.
SETS = {NONE: (), AGAIN: (), **{name: (name,) for name in choices("mixins")}, ALL: choices("mixins")}
ROUNDS, REQUESTS = 7, 15
USERS, POSTS = 5, 40


def calls(number: int) -> dict[str, Request]:
    """Return the measured requests; those of another number write other values."""
    return {
        "GET /users/{id}": Request("GET", f"/api/v1/users/{1 + number % USERS}"),
        "GET /posts": Request("GET", "/api/v1/posts"),
        "POST /users": Request("POST", "/api/v1/users", {"email": f"new{number}@example.com", "name": "New"}),
        "PATCH /posts/{id}": Request("PATCH", f"/api/v1/posts/{1 + number % POSTS}", {"title": f"Title {number}"}),
    }


@dataclass
class Measured:
    """A service's client, the shortest seconds of each round by call, and the statements by call."""

    client: Client
    seconds: dict[str, list[float]] = field(default_factory=lambda: {call: [] for call in calls(0)})
    statements: dict[str, int] = field(default_factory=dict)


def measure(bench: Bench) -> list[Row]:
    """Measure each set of mixins on each database, with the ORM and with Core."""
    rows: list[Row] = []
    names = [NONE, ALL] if bench.quick else list(SETS)
    for server in bench.servers:
        for access in bench.choices("data_access") if server.database in DATABASES else ():
            with ExitStack() as stack:
                services = {name: start(bench, server, access, SETS[name], stack) for name in names}
                compare(list(services.values()), bench.rounds(ROUNDS), bench.rounds(REQUESTS))
            for name, service in services.items():
                for call, seconds in service.seconds.items():
                    pairs = zip(seconds, services[NONE].seconds[call], strict=True)
                    rows.append(
                        {
                            "database": server.database,
                            "data_access": access,
                            "mixins": name,
                            "call": call,
                            "statements": str(service.statements[call]),
                            "time_ratio": f"{statistics.median(own / other for own, other in pairs):.2f}",
                        }
                    )
            say(f"{server}, {access}")
    return rows


def start(bench: Bench, server: Server, access: str, mixins: tuple[str, ...], stack: ExitStack) -> Measured:
    """Start a service and write the rows that the calls read and change."""
    url = stack.enter_context(new_database(server, bench.folder))
    project = bench.render(Variant(server.database, "async", access, mixins), url)
    service = stack.enter_context(rendered(project, url, count_statements=True))
    client = Client(service.port)
    stack.callback(client.close)
    for number in range(USERS):
        client.send(Request("POST", "/api/v1/users", {"email": f"user{number}@example.com", "name": "User"}))
    for number in range(POSTS):
        post = {"author_id": 1 + number % USERS, "title": "A title", "content": "Some words of it. " * 50}
        client.send(Request("POST", "/api/v1/posts", {**post, "tags": ["some", f"tag{number % 5}"]}))
    return Measured(client)


def compare(services: Sequence[Measured], rounds: int, requests: int) -> None:
    """Send each call to all services in turn, and note its shortest time of each round; the first round warms up."""
    for index in range(rounds + 1):
        best: list[dict[str, float]] = [{} for _ in services]
        for number in range(index * requests, (index + 1) * requests):
            first = number % len(services)
            for call, request in calls(number).items():
                pairs = list(zip(services, best, strict=True))
                for service, times in pairs[first:] + pairs[:first]:
                    seconds, service.statements[call] = service.client.send(request)
                    times[call] = min(seconds, times.get(call, seconds))
        for service, times in zip(services, best, strict=True) if index > 0 else ():
            for call in times:
                service.seconds[call].append(times[call])
