"""Measures what a million posts cost: pages at any depth, by cursor and by OFFSET, and searches."""

import base64
import json
import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.pool import QueuePool

from benchmarks.client import Client, Request
from benchmarks.results import Row
from benchmarks.rows import WORDS, fill
from benchmarks.services import Bench, rendered
from tests.harness.demo import say
from tests.harness.servers import engine, new_database
from tests.harness.variants import Variant

ACCESSES = {"sqlite": ["core"], "postgresql": ["core", "orm"], "mysql": ["core"]}
MIXINS = ("timestamps", "full_text_search")
ROWS, QUICK_ROWS, REQUESTS, WARM_UP = 1_000_000, 1_000, 15, 3
BEGINNING = datetime(2020, 1, 1, tzinfo=UTC)
KEYSET = """
    SELECT id, title FROM posts WHERE created_at <= :created_at AND (created_at < :created_at OR id < :id)
    ORDER BY created_at DESC, id DESC LIMIT 20"""
OFFSET = "SELECT id, title FROM posts ORDER BY created_at DESC, id DESC LIMIT 20 OFFSET :depth"

# Something to measure: what it is called, how many rows come before the page or match the word, and a call of it.
Measurement = tuple[str, int, Callable[[], float]]


def measure(bench: Bench) -> list[Row]:
    """Measure pages and searches on each database."""
    rows: list[Row] = []
    posts = QUICK_ROWS if bench.quick else ROWS
    for server in bench.servers:
        with ExitStack() as stack:
            url = stack.enter_context(new_database(server, bench.folder))
            variants = [Variant(server.database, "async", access, MIXINS) for access in ACCESSES[server.database]]
            projects = {variant.data_access: bench.render(variant, url) for variant in variants}
            fill(url, posts)
            say(f"{server}: {posts:,} posts")
            database = engine(url, QueuePool).execution_options(isolation_level="AUTOCOMMIT")
            stack.callback(database.dispose)
            connection = stack.enter_context(database.connect())
            for access, project in projects.items():
                with rendered(project, url) as service:
                    client = Client(service.port)
                    measurements = [*pages(client, connection, posts), *searches(client, connection)]
                    timed = time_all(measurements, bench.rounds(REQUESTS))
                    rows += [{"database": server.database, "data_access": access, **row} for row in timed]
                    client.close()
    return rows


def pages(client: Client, connection: Connection, posts: int) -> list[Measurement]:
    """Return what to measure of pages: from the service, and the SQL alone."""
    measurements: list[Measurement] = []
    for depth in (0, 10, posts // 100, posts - 100):
        last = posts - depth + 1  # the post before the page
        parameter = f"&cursor={cursor(last)}" if depth else ""
        select = text("SELECT created_at FROM posts WHERE id = :id")
        created_at = connection.scalar(select, {"id": min(last, posts)})
        measurements += [
            ("GET /posts", depth, getting(client, f"/posts?limit=20{parameter}")),
            ("SQL with keyset", depth, selecting(connection, KEYSET, created_at=created_at, id=last)),
            ("SQL with OFFSET", depth, selecting(connection, OFFSET, depth=depth)),
        ]
    return measurements


def searches(client: Client, connection: Connection) -> list[Measurement]:
    """Return what to measure of searches, for words that few and many posts hold."""
    measurements: list[Measurement] = []
    for word in WORDS.values():
        statement = text("SELECT count(*) FROM posts WHERE content LIKE :pattern")
        hits = connection.execute(statement, {"pattern": f"%{word}%"}).scalar_one()
        measurements.append(("GET /posts/search", hits, getting(client, f"/posts/search?q={word}")))
    return measurements


def cursor(number: int) -> str:
    """Return the cursor of the page after the post of that number."""
    created_at = (BEGINNING + timedelta(seconds=number)).isoformat().replace("+00:00", "Z")
    return base64.urlsafe_b64encode(json.dumps([created_at, number]).encode()).decode().rstrip("=")


def getting(client: Client, path: str) -> Callable[[], float]:
    """Return a call that sends a request and returns its seconds."""
    return lambda: client.send(Request("GET", f"/api/v1{path}"))[0]


def selecting(connection: Connection, statement: str, **parameters: Any) -> Callable[[], float]:
    """Return a call that executes a statement, reads its rows and returns the seconds."""
    prepared = text(statement)

    def select() -> float:
        start = time.perf_counter()
        connection.execute(prepared, parameters).all()
        return time.perf_counter() - start

    return select


def time_all(measurements: list[Measurement], requests: int) -> list[Row]:
    """Make all calls in turn, again and again; return the least and the median time of each."""
    seconds: list[list[float]] = [[] for _ in measurements]
    for _ in range(WARM_UP + requests):
        for (_, _, call), values in zip(measurements, seconds, strict=True):
            values.append(call())
    rows: list[Row] = []
    for (name, count, _), values in zip(measurements, seconds, strict=True):
        measured = values[WARM_UP:]
        times = {"least_ms": min(measured), "median_ms": statistics.median(measured)}
        rows.append({"call": name, "rows": str(count), **{key: f"{time * 1000:.2f}" for key, time in times.items()}})
    return rows
