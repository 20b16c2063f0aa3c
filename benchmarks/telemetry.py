"""Measures what telemetry costs: the CPU time of a request, compared with that of the service without it."""

import statistics
from contextlib import ExitStack

from benchmarks.contenders import CALLS, POSTS
from benchmarks.cpu_per_request import Seconds, compare
from benchmarks.results import Row
from benchmarks.rows import fill
from benchmarks.services import Bench, rendered
from tests.harness.collector import collecting
from tests.harness.demo import say
from tests.harness.servers import Server, new_database
from tests.harness.variants import Variant

STARTS, ROUNDS, REQUESTS = 2, 9, 60
WITHOUT, AGAIN, OFF, METRICS, BOTH = "without", "without, again", "no exporter", "metrics", "traces and metrics"
# The extras and the variables of each service. The service without telemetry is measured twice, to show how far the
# figures can be trusted.
SERVICES: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
    WITHOUT: ((), {}),
    AGAIN: ((), {}),
    OFF: (("telemetry",), {}),
    METRICS: (("telemetry",), {"OTEL_METRICS_EXPORTER": "prometheus"}),
    BOTH: (("telemetry",), {"OTEL_EXPORTER_OTLP_ENDPOINT": "{collector}"}),
}


def measure(bench: Bench) -> list[Row]:
    """Measure PostgreSQL, async, with the ORM and with Core."""
    return [
        row
        for server in filter(bench.is_main, bench.servers)
        for access in bench.choices("data_access")
        for row in measure_access(bench, server, access)
    ]


def measure_access(bench: Bench, server: Server, access: str) -> list[Row]:
    """Send the same requests to the services in turn, and compare each with the one without telemetry."""
    chosen = {name: SERVICES[name] for name in ([WITHOUT, BOTH] if bench.quick else SERVICES)}
    seconds: Seconds = {name: {call: [] for call in CALLS} for name in chosen}
    variant = Variant(server.database, "async", access, ("timestamps",))
    with new_database(server, bench.folder) as url, collecting() as collector:
        projects = {extras: bench.render(variant, url, extras) for extras, _ in chosen.values()}
        fill(url, POSTS, " and some more words" * 30)
        for _ in range(bench.rounds(STARTS)):
            with ExitStack() as stack:
                services = {}
                for name, (extras, variables) in chosen.items():
                    given = {key: value.format(collector=collector.url) for key, value in variables.items()}
                    services[name] = stack.enter_context(rendered(projects[extras], url, variables=given))
                compare(services, seconds, bench.rounds(ROUNDS), bench.rounds(REQUESTS))
    say(f"{server}, {access}")
    return [
        {
            "database": server.database,
            "data_access": access,
            "service": name,
            "call": call,
            "cpu_ratio": f"{statistics.median(a / b for a, b in zip(own, seconds[WITHOUT][call], strict=True)):.2f}",
            "least_cpu_ms": f"{min(own) * 1000:.2f}",
        }
        for name, calls in seconds.items()
        for call, own in calls.items()
    ]
