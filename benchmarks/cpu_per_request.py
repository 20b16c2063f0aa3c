"""Compares the CPU time that services take for a request: the rendered ones, and what else could be written.

We measure CPU time per request, because it isn't affected by other load on the machine.
"""

import statistics
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count

from benchmarks.client import Request, RequestFailed, load
from benchmarks.results import Row
from benchmarks.rows import fill
from benchmarks.services import Bench, Service, baseline, rendered
from tests.harness.demo import say
from tests.harness.servers import Server, new_database
from tests.harness.variants import Variant, choices

ROUNDS, REQUESTS, POSTS = 31, 32, 10_000
NUMBERS = count()
CALLS: dict[str, Callable[[], Request]] = {
    "by key": lambda: Request("GET", "/api/v1/users/17"),
    "page": lambda: Request("GET", "/api/v1/posts?limit=20"),
    "insert": lambda: Request("POST", "/api/v1/users", {"email": f"new{next(NUMBERS)}@example.com", "name": "New"}),
}


@dataclass
class Contender:
    """A service and, for each call, the CPU seconds that a request took in each round."""

    service: Service
    seconds: dict[str, list[float]] = field(default_factory=lambda: {call: [] for call in CALLS})

    def send(self, call: str) -> float:
        """Send a round's requests of a call; return the CPU seconds per request.

        Raises:
            RequestFailed: the service refused one.

        """
        requests = [CALLS[call]() for _ in range(REQUESTS)]
        before = self.service.cpu_seconds()
        try:
            load(self.service.port, requests)
        except (RequestFailed, OSError) as error:
            raise RequestFailed(f"{self.service.name}: {error}\n{self.service.log.read_text()[-3000:]}") from error
        return (self.service.cpu_seconds() - before) / REQUESTS


def measure(bench: Bench) -> list[Row]:
    """Compare the services of each database, async and sync."""
    rows: list[Row] = []
    for server in bench.servers:
        for io in bench.choices("io"):
            with ExitStack() as stack:
                contenders = start(bench, server, io, stack)
                compare(list(contenders.values()), bench.rounds(ROUNDS))
            rows += [{"database": server.database, "io": io, **row} for row in ratios(contenders)]
            say(f"{server}, {io}")
    return rows


def start(bench: Bench, server: Server, io: str, stack: ExitStack) -> dict[str, Contender]:
    """Fill a database and start the services that are compared on it."""
    url = stack.enter_context(new_database(server, bench.folder))
    accesses = choices("data_access")
    variants = {access: Variant(server.database, io, access, ("timestamps",)) for access in accesses}
    projects = {access: bench.render(variant, url) for access, variant in variants.items()}
    fill(url, POSTS, " and some more words" * 30)
    services = {}
    if (server.database, io) == ("postgresql", "async"):
        services = {name: baseline(name, url, bench.folder) for name in ("limit", "framework")}
    services |= {f"textbook-{access}": baseline(f"textbook_{access}", url, bench.folder, io) for access in accesses}
    services |= {f"rendered-{access}": rendered(project, url) for access, project in projects.items()}
    return {name: Contender(stack.enter_context(service)) for name, service in services.items()}


def compare(contenders: Sequence[Contender], rounds: int) -> None:
    """Send the calls to all services in turn, round after round; the first round warms up and isn't counted."""
    for number in range(rounds + 1):
        first = number % len(contenders)
        for call in CALLS:
            for contender in [*contenders[first:], *contenders[:first]]:
                seconds = contender.send(call)
                if number > 0:
                    contender.seconds[call].append(seconds)


def ratios(contenders: dict[str, Contender]) -> Iterator[Row]:
    """Compare every service with the ORM textbook, and the rendered Core service with the Core textbook too.

    A ratio says how many requests the service answers with the CPU time that the baseline takes for one.
    """
    pairs = [(name, "textbook-orm") for name in contenders]
    for name, to in [*pairs, ("rendered-core", "textbook-core")]:
        for call in CALLS:
            own, other = (contenders[key].seconds[call] for key in (name, to))
            values = sorted(b / a for a, b in zip(own, other, strict=True))
            quarter = len(values) // 4
            yield {
                "service": name,
                "baseline": to,
                "call": call,
                "ratio": f"{statistics.median(values):.2f}",
                "lower_quartile": f"{values[quarter]:.2f}",
                "upper_quartile": f"{values[-1 - quarter]:.2f}",
                "least_cpu_ms": f"{min(own) * 1000:.2f}",
            }
