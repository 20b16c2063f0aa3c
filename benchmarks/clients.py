"""Measures services with 1 to 256 clients: requests per second, and how long a response takes.

Each client sends its next request as soon as it has an answer, calls of each kind in turn.
"""

import statistics
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
SLICES, WARM_UP, SECONDS = 3, 0.3, 1.0


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
        """Return the median rate, and the times until a response that half and 99 in 100 didn't exceed."""
        times = sorted(self.seconds)
        return {
            "requests_per_second": f"{statistics.median(self.rates):.0f}",
            "p50_ms": f"{times[len(times) // 2] * 1000:.1f}",
            "p99_ms": f"{times[len(times) * 99 // 100] * 1000:.1f}",
            "requests_per_cpu_second": f"{statistics.median(self.rates_of_cpu):.0f}",
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
    """Measure each service with each number of clients, a slice of time of each service in turn."""
    slices, seconds = bench.rounds(SLICES), bench.seconds(SECONDS)
    for number in clients[: 3 if bench.quick else None]:
        measured = {name: Measured() for name in services}
        for _ in range(slices):
            for name, service in services.items():
                measure_slice(service, number, seconds, measured[name])
        for name, result in measured.items():
            yield {"service": name, "clients": str(number), **result.row()}


def measure_slice(service: Service, clients: int, seconds: float, measured: Measured) -> None:
    """Keep a service busy, and measure it once it has warmed up."""
    cpu = service.cpu_seconds()
    since = time.perf_counter() + WARM_UP * min(1, seconds)
    until = since + seconds
    answers = load(service.port, takewhile(lambda _: time.perf_counter() < until, mix()), clients)
    measured.add(answers, since, until, service.cpu_seconds() - cpu)
