"""Compares the CPU time that services take for a request: the rendered ones, and what else could be written.

We measure CPU time per request, because it isn't affected by other load on the machine.
"""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from benchmarks.client import RequestFailed, load
from benchmarks.contenders import BY_HAND, CALLS, PEERS, RENDERED, TEXTBOOKS, Contest
from benchmarks.results import Row
from benchmarks.services import Bench, Service
from tests.harness.demo import say

ROUNDS, REQUESTS = 21, 32


@dataclass
class Contender:
    """A service and, for each call, the CPU seconds that a request took in each round."""

    service: Service
    seconds: dict[str, list[float]] = field(default_factory=lambda: {call: [] for call in CALLS})

    def send(self, call: str, number: int) -> float:
        """Send a number of requests of a call; return the CPU seconds per request.

        Raises:
            RequestFailed: the service refused one.

        """
        requests = [CALLS[call]() for _ in range(number)]
        before = self.service.cpu_seconds()
        try:
            load(self.service.port, requests)
        except (RequestFailed, OSError) as error:
            raise RequestFailed(f"{self.service.name}: {error}\n{self.service.log.read_text()[-3000:]}") from error
        return (self.service.cpu_seconds() - before) / number


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
            with Contest.on(bench, server, io) as contest, contest.run_all(names) as services:
                contenders = {name: Contender(service) for name, service in services.items()}
                compare(list(contenders.values()), bench.rounds(ROUNDS), bench.rounds(REQUESTS))
            rows += [{"database": server.database, "io": io, **row} for row in ratios(contenders)]
            say(f"{server}, {io}")
    return rows


def compare(contenders: Sequence[Contender], rounds: int, requests: int) -> None:
    """Send the calls to all services in turn, round after round; the first round warms up and isn't counted."""
    for index in range(rounds + 1):
        first = index % len(contenders)
        for call in CALLS:
            for contender in [*contenders[first:], *contenders[:first]]:
                seconds = contender.send(call, requests)
                if index > 0:
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
