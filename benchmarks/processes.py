"""Measures what a service takes to start, and how much memory it holds."""

from itertools import islice

from benchmarks.client import Client, load
from benchmarks.contenders import BY_KEY, RENDERED, TEXTBOOKS, Contest, mix
from benchmarks.results import Row
from benchmarks.services import Bench

STARTS, REQUESTS, CLIENTS = 3, 1_000, 10


def measure(bench: Bench) -> list[Row]:
    """Start rendered services and textbooks, each a few times."""
    rows: list[Row] = []
    requests = 10 if bench.quick else REQUESTS
    for server in filter(bench.is_main, bench.servers):
        with Contest.on(bench, server, "async") as contest:
            for name in [*bench.some(RENDERED), *bench.some(TEXTBOOKS)]:
                starts = [measure_start(contest, name, requests) for _ in range(bench.rounds(STARTS))]
                rows.append({"database": server.database, "service": name, **least(starts)})
    return rows


def measure_start(contest: Contest, name: str, requests: int) -> dict[str, float]:
    """Start a service, and measure it at its first answer and after many.

    The time is CPU time, as that isn't affected by other load on the machine.
    """
    with contest.run(name) as service:
        client = Client(service.port)
        client.send(BY_KEY)
        client.close()
        start = {"start_cpu_seconds": service.cpu_seconds(), "memory_mb": service.memory_mb()}
        load(service.port, islice(mix(), requests), CLIENTS)
        return {**start, "memory_mb_later": service.memory_mb()}


def least(starts: list[dict[str, float]]) -> Row:
    """Return the least of each figure: the first start compiles modules, and what disturbs adds."""
    return {key: f"{min(start[key] for start in starts):.2f}" for key in starts[0]}
