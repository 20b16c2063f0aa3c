"""Measures what a request costs each server of a cluster, by their number, and the service, by its workers.

All of them share this machine, so their requests per second would say nothing. CPU time does: a server that has a core
of its own carries as many requests per second as its CPU time for one goes into a second, and the busiest server is the
limit of a cluster. Services and clusters run side by side, and are measured in turn.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import chain, takewhile
from pathlib import Path

from sqlalchemy import make_url, text

from benchmarks.client import load
from benchmarks.contenders import Contest, mix
from benchmarks.results import Row
from benchmarks.services import Bench, Service, cpu_seconds_of, rendered
from tests.harness import clusters, servers
from tests.harness.demo import say
from tests.harness.servers import Server
from tests.service.proxy import Proxy

DATABASES = ("postgresql", "mysql")
NODES, WORKERS = (1, 2, 3), (1, 2, 4)
CLIENTS, SLICES, SECONDS = 8, 9, 1.0
ASK_FOR_PROCESS = {
    "postgresql": "SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)",
    "mysql": "SELECT @@pid_file",
}


@dataclass(frozen=True)
class Measured:
    """A service on a cluster, and what a request cost it, the first server and the busiest other, slice by slice."""

    server: Server
    service: Service
    workers: int
    slices: list[tuple[float, float, float]] = field(default_factory=list)

    def row(self) -> Row:
        """Return the median costs; the first slice opened the connections."""
        own, first, others = (statistics.median(values) for values in zip(*self.slices[1:], strict=True))
        return {
            "database": self.server.database,
            "nodes": str(1 + len(self.server.others)),
            "workers": str(self.workers),
            "service_ms": f"{own * 1000:.2f}",
            "first_ms": f"{first * 1000:.2f}",
            "others_ms": f"{others * 1000:.2f}",
        }


def measure(bench: Bench) -> list[Row]:
    """Measure PostgreSQL with standbys, and MariaDB with Galera; and several workers of a service on PostgreSQL."""
    rows: list[Row] = []
    for database in bench.some(DATABASES):
        with ExitStack() as stack:
            measured = [*chain.from_iterable(start(bench, database, number, stack) for number in NODES)]
            for _ in range(1 + bench.rounds(SLICES)):
                for each in measured:
                    each.slices.append(cost(each.service, each.server, bench.seconds(SECONDS)))
        rows += [each.row() for each in measured]
        say(database)
    return rows


def start(bench: Bench, database: str, number: int, stack: ExitStack) -> Iterator[Measured]:
    """Start a cluster of some servers, and the services that are measured on it."""
    folder = bench.folder / f"{database}-{number}"
    (server,) = stack.enter_context(clusters.running([database], folder, say, number))
    contest = stack.enter_context(Contest.on(bench, server, "async"))
    variables = stack.enter_context(reading(contest.url, server))
    for workers in WORKERS if (database, number) == (DATABASES[0], NODES[0]) else WORKERS[:1]:
        service = rendered(contest.projects["orm"], contest.url, variables=variables, workers=workers)
        yield Measured(server, stack.enter_context(service), workers)


@contextmanager
def reading(url: str, server: Server) -> Iterator[dict[str, str]]:
    """Give the settings by which a service reads from the other servers in turn, if there are some."""
    if not server.others:
        yield {}
        return
    proxy = Proxy(*map(clusters.address, server.others))
    try:
        yield {"DATABASE_READ_URL": make_url(url).set(port=proxy.port).render_as_string(hide_password=False)}
    finally:
        proxy.close()


def cost(service: Service, server: Server, seconds: float) -> tuple[float, float, float]:
    """Keep a service busy; return the CPU seconds of a request in it, in the first server and in the busiest other."""
    clocks = [service.cpu_seconds, *map(clock_of, (server.url, *server.others))]
    before = [clock() for clock in clocks]
    until = time.perf_counter() + seconds
    answers = load(service.port, takewhile(lambda _: time.perf_counter() < until, mix()), CLIENTS)
    own, first, *others = [(clock() - since) / len(answers) for clock, since in zip(clocks, before, strict=True)]
    return own, first, max(others, default=0)


def clock_of(url: str) -> Callable[[], float]:
    """Return the clock of a server on this machine: the CPU seconds of it and of the processes for its connections."""
    with servers.engine(url).connect() as connection:
        found = str(connection.scalar(text(ASK_FOR_PROCESS[make_url(url).drivername])))
    pid = int(found if found.isdigit() else Path(found).read_text(encoding="ascii"))
    return lambda: cpu_seconds_of(pid)
