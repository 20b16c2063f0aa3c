"""Compares the CPU time that services take for a request: the rendered ones, and what else could be written.

We measure CPU time per request, because it isn't affected by other load on the machine.
"""

import statistics
from collections.abc import Iterator, Mapping

from benchmarks.client import RequestFailed, load
from benchmarks.contenders import BY_HAND, CALLS, PEERS, RENDERED, TEXTBOOKS, Contest
from benchmarks.results import Row
from benchmarks.services import Bench, Service
from tests.harness.demo import say

STARTS, ROUNDS, REQUESTS = 2, 9, 24
# With more, SQLAlchemy's default pool opens and closes connections, the more the slower the machine answers.
CONNECTIONS = 2

# The CPU seconds that a request took in each round, by service and call.
Seconds = dict[str, dict[str, list[float]]]


def measure(bench: Bench) -> list[Row]:
    """Compare the services of each database, async and sync; on PostgreSQL the peers and those by hand, too."""
    rows: list[Row] = []
    for server in bench.servers:
        for io in bench.choices("io"):
            names = [*TEXTBOOKS, *RENDERED]
            if io == "async" and bench.is_main(server):
                names += PEERS
            if io == "async" and server.database == "postgresql":
                names += BY_HAND
            seconds: Seconds = {name: {call: [] for call in CALLS} for name in names}
            with Contest.on(bench, server, io) as contest:
                for _ in range(bench.rounds(STARTS)):  # two processes of one service differ by some per cent
                    with contest.run_all(names) as services:
                        compare(services, seconds, bench.rounds(ROUNDS), bench.rounds(REQUESTS))
            rows += [{"database": server.database, "io": io, **row} for row in ratios(seconds)]
            say(f"{server}, {io}")
    return rows


def compare(services: Mapping[str, Service], seconds: Seconds, rounds: int, requests: int) -> None:
    """Send the calls to all services in turn, round after round; the first round warms up and isn't counted."""
    names = list(services)
    for index in range(rounds + 1):
        first = index % len(names)
        for call in CALLS:
            for name in [*names[first:], *names[:first]]:
                taken = send(services[name], call, requests)
                if index > 0:
                    seconds[name][call].append(taken)


def send(service: Service, call: str, number: int) -> float:
    """Send a number of requests of a call; return the CPU seconds per request.

    Raises:
        RequestFailed: the service refused one.

    """
    requests = [CALLS[call]() for _ in range(number)]
    before = service.cpu_seconds()
    try:
        load(service.port, requests, CONNECTIONS)
    except (RequestFailed, OSError) as error:
        raise RequestFailed(f"{service.name}: {error}\n{service.log.read_text()[-3000:]}") from error
    return (service.cpu_seconds() - before) / number


def ratios(seconds: Seconds) -> Iterator[Row]:
    """Compare every service with the ORM textbook, and the rendered Core service with the Core textbook too.

    A ratio says how many requests the service answers with the CPU time that the baseline takes for one.
    """
    pairs = [(name, "textbook-orm") for name in seconds]
    for name, to in [*pairs, ("rendered-core", "textbook-core")]:
        for call in CALLS:
            own, other = (seconds[key][call] for key in (name, to))
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
