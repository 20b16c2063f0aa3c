"""Measures services with 1 to 256 clients: requests per second, and how long a response takes.

Each client sends its next request as soon as it has an answer, calls of each kind in turn.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from benchmarks.client import Answer, load
from benchmarks.contenders import RENDERED, TEXTBOOKS, Contest, mix
from benchmarks.results import Row
from benchmarks.services import Bench, Service
from tests.harness.demo import say

CLIENTS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
VARIANTS_CLIENTS = CLIENTS[:7]
SLICES, WARM_UP, SECONDS = 5, 0.2, 0.8


@dataclass
class Measured:
    """What a service did with a number of clients, slice by slice."""

    seconds: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    rates_of_cpu: list[float] = field(default_factory=list)

    def add(self, answers: Sequence[Answer], since: float, until: float, cpu: float) -> None:
        """Add a slice: all its answers, the time that counts, and the CPU seconds that the service used for all."""
        self.seconds += [answer.seconds for answer in answers if answer.at >= since]
        self.rates.append(sum(since <= answer.at < until for answer in answers) / (until - since))
        self.rates_of_cpu.append(len(answers) / cpu)

    def row(self) -> Row:
        """Return the rates of the best slice, and the times until a response that half and 99 in 100 didn't exceed.

        Other load on the machine only takes from a rate.
        """
        times = sorted(self.seconds)
        return {
            "requests_per_second": f"{max(self.rates):.0f}",
            "p50_ms": f"{times[len(times) // 2] * 1000:.1f}",
            "p99_ms": f"{times[len(times) * 99 // 100] * 1000:.1f}",
            "requests_per_cpu_second": f"{max(self.rates_of_cpu):.0f}",
        }


def measure(bench: Bench) -> list[Row]:
    """Measure the rendered services, the textbooks and the framework on asyncpg."""
    rows: list[Row] = []
    for server in filter(bench.is_main, bench.servers):
        by_hand = ["framework"] if server.database == "postgresql" else []
        names = [*bench.some(RENDERED), *bench.some(TEXTBOOKS), *by_hand]
        with Contest.on(bench, server, "async") as contest, contest.run_all(names) as services:
            rows += [{"database": server.database, **row} for row in compare(bench, services, CLIENTS)]
    return rows


def measure_variants(bench: Bench) -> list[Row]:
    """Measure the rendered service of each base variant."""
    rows: list[Row] = []
    for server in bench.servers:
        for io in bench.choices("io"):
            with Contest.on(bench, server, io) as contest, contest.run_all(bench.some(RENDERED)) as services:
                measured = compare(bench, services, VARIANTS_CLIENTS)
                rows += [{"database": server.database, "io": io, **row} for row in measured]
            say(f"{server}, {io}")
    return rows


def compare(bench: Bench, services: Mapping[str, Service], clients: Sequence[int]) -> Iterator[Row]:
    """Measure each service with each number of clients, a slice of time of each in turn."""
    numbers, seconds = clients[: 3 if bench.quick else None], bench.seconds(SECONDS)
    measured = {(name, number): Measured() for name in services for number in numbers}
    for _ in range(bench.rounds(SLICES)):
        for number in numbers:
            for name, service in services.items():
                measure_slice(service, number, seconds, measured[name, number])
    for (name, number), result in measured.items():
        yield {"service": name, "clients": str(number), **result.row()}


def measure_slice(service: Service, clients: int, seconds: float, measured: Measured) -> None:
    """Keep a service busy, and measure it once it has warmed up."""
    cpu = service.cpu_seconds()
    since = time.perf_counter() + WARM_UP * min(1, seconds)
    until = since + seconds
    answers = load(service.port, takewhile(lambda _: time.perf_counter() < until, mix()), clients)
    measured.add(answers, since, until, service.cpu_seconds() - cpu)
