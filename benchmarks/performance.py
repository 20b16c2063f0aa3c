"""Measures the services against the yardsticks, and writes docs/performance.md.

Run as `make bench`. A service has a core of its own; the database and the client share the other.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import insert

from benchmarks.load import Request, get, load, post
from benchmarks.yardsticks.models import Base
from tests.conftest import scratch_folder
from tests.demo import say
from tests.rendering import render_variant, snapshot
from tests.servers import Server, engine, new_database, running
from tests.variants import ROOT, Variant
from tests.zygote import Zygote

SERVICE_CORE, OTHER_CORE = 0, 1
ROUNDS, COUNT = 9, 100
USERS, POSTS, TAGS = 1_000, 10_000, 50
DRIVERS = {
    ("postgresql", "async"): "postgresql+asyncpg",
    ("postgresql", "sync"): "postgresql+psycopg",
    ("mysql", "async"): "mysql+asyncmy",
    ("mysql", "sync"): "mysql+pymysql",
    ("sqlite", "async"): "sqlite+aiosqlite",
    ("sqlite", "sync"): "sqlite+pysqlite",
}
CALLS: dict[str, Request] = {
    "by key": get("/api/v1/users/17"),
    "page": get("/api/v1/posts?limit=20"),
    "insert": post("/api/v1/users", lambda number: f'{{"email": "new{number}@example.com", "name": "New"}}'),
}


@dataclass
class Service:
    """A service that runs; `costs` holds the seconds of CPU that a request takes, of each round by call."""

    name: str
    port: int
    pid: int
    log: Path
    costs: dict[str, list[float]] = field(default_factory=dict)


def fill(url: str) -> None:
    """Write the rows that are read."""
    tables = Base.metadata.tables
    rows = {
        "users": [
            {"id": n, "email": f"user{n}@example.com", "name": f"User {n}", "preferences": {"theme": "dark"}}
            for n in range(1, USERS + 1)
        ],
        "profiles": [{"user_id": n, "bio": "Writes."} for n in range(1, USERS + 1, 2)],
        "tags": [{"id": n, "name": f"tag{n}"} for n in range(1, TAGS + 1)],
        "posts": [
            {"id": n, "author_id": 1 + n % USERS, "title": f"Post {n}", "content": "Some words. " * 50}
            for n in range(1, POSTS + 1)
        ],
        "post_tags": [{"post_id": n, "tag_id": 1 + (n + m) % TAGS} for n in range(1, POSTS + 1) for m in (0, 7)],
    }
    made = engine(url)
    with made.begin() as connection:
        for name, values in rows.items():
            connection.execute(insert(tables[name]), values)
        if made.dialect.name == "postgresql":
            for name in ("users", "tags", "posts"):
                connection.exec_driver_sql(f"SELECT setval('{name}_id_seq', (SELECT max(id) FROM {name}))")
            connection.exec_driver_sql("ANALYZE")


def start(name: str, application: str, folder: Path, url: str, scratch: Path, stack: ExitStack) -> Service:
    """Start a service and wait until it listens.

    Raises:
        RuntimeError: it ended before it did.

    """
    port = scratch / f"{name}.port"
    log = stack.enter_context((scratch / f"{name}.log").open("wb"))
    command = [sys.executable, ROOT / "benchmarks/worker.py", port, str(SERVICE_CORE), application]
    environment = {**os.environ, "DATABASE_URL": url, "PYTHONPATH": str(folder)}
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    stack.callback(process.wait)
    stack.callback(process.terminate)
    while not port.exists():
        if process.poll() is not None:
            raise RuntimeError(f"{name} ended: {Path(log.name).read_text(encoding='utf-8')}")
        time.sleep(0.05)
    return Service(name, int(port.read_text()), process.pid, Path(log.name))


def cpu_seconds(pid: int) -> float:
    """Give the seconds of CPU that the threads of a process have taken, from Linux's scheduler."""
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9


def measure(services: Sequence[Service], calls: dict[str, Request], rounds: int, count: int) -> None:
    """Load each service with each call, in turn; the first round warms up."""
    number = 0
    for index in range(rounds + 1):
        for call, request in calls.items():
            turn = index % len(services)
            for service in [*services[turn:], *services[:turn]]:
                before = cpu_seconds(service.pid)
                try:
                    load(service.port, request, count, number)
                except RuntimeError as error:
                    raise RuntimeError(f"{service.name}, {call}: {error}\n{service.log.read_text()[-3000:]}") from error
                number += count
                if index:
                    service.costs.setdefault(call, []).append((cpu_seconds(service.pid) - before) / count)


def compare(services: Sequence[Service], to: str) -> list[str]:
    """Give the lines of a table: how many requests a service answers with the CPU of one of the service named `to`."""
    calls = list(services[0].costs)
    (other,) = (service for service in services if service.name == to)
    lines = [f"| service | {' | '.join(calls)} |", "| --- |" + " --- |" * len(calls)]
    for service in services:
        cells = []
        for call in calls:
            ratios = sorted(b / a for a, b in zip(service.costs[call], other.costs[call], strict=True))
            best = min(other.costs[call]) / min(service.costs[call])
            quarter = len(ratios) // 4
            cells.append(
                f"{best:.2f} · {statistics.median(ratios):.2f} ({ratios[quarter]:.2f}–{ratios[-1 - quarter]:.2f})"
                f" {min(service.costs[call]) * 1e3:.2f} ms"
            )
        lines.append(f"| {service.name} | {' | '.join(cells)} |")
    return lines


def serve_all(database: str, io: str, server: Server, scratch: Path, zygote: Zygote, stack: ExitStack) -> list[Service]:
    """Serve the yardsticks, and ours with each data access, on one database."""
    url = stack.enter_context(new_database(server, scratch))
    projects = {
        access: render_variant(scratch / "source", Variant(database, io, access, ("timestamps",)), scratch / access)
        for access in ("orm", "core")
    }
    zygote.run(["-m", "alembic", "upgrade", "head"], projects["orm"], {"DATABASE_URL": url})
    fill(url)
    plain = url.replace("+asyncpg", "").replace("+psycopg", "")
    driven = DRIVERS[database, io] + "://" + url.partition("://")[2]
    yardsticks = [f"textbook_{access}_{io}" for access in ("orm", "core")]
    services = []
    if (database, io) == ("postgresql", "async"):
        for name in ("limit", "framework"):
            services.append(start(name, f"benchmarks.yardsticks.{name}:app", ROOT, plain, scratch, stack))
    for name in yardsticks:
        services.append(start(name, f"benchmarks.yardsticks.{name}:app", ROOT, driven, scratch, stack))
    for access, project in projects.items():
        services.append(start(f"ours_{access}", "app.main:app", project, url, scratch, stack))
    return services


def main() -> None:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--on", default="postgresql-async", help="database and io, joined with commas")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--calls", default=",".join(CALLS))
    options = parser.parse_args()
    os.sched_setaffinity(0, {OTHER_CORE})
    pairs = [tuple(part.split("-")) for part in options.on.split(",")]
    with scratch_folder() as folder, ExitStack() as stack:
        snapshot(folder / "source")
        databases = list(dict.fromkeys(database for database, _ in pairs))
        servers = stack.enter_context(running(databases, folder, say))
        zygote = stack.enter_context(Zygote(folder / "logs"))
        for database, io in pairs:
            server = next(server for server in servers if server.database == database)
            with ExitStack() as inner:
                services = serve_all(database, io, server, folder, zygote, inner)
                calls = {name: CALLS[name] for name in options.calls.split(",")}
                measure(services, calls, options.rounds, options.count)
            say(f"{server}, {io}")
            for to in ("limit", f"textbook_orm_{io}"):
                if any(service.name == to for service in services):
                    say("\n".join(compare(services, to)))


if __name__ == "__main__":
    main()
