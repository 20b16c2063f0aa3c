"""Measures the services against the yardsticks: the CPU that a request takes, side by side.

A service has a core of its own; the database and the client share the other. What other guests of the machine take
away makes times jump, so the measure is the CPU time of the service, as a ratio within each round.
"""

import itertools
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import func, insert, select

from benchmarks.choices import SERVED, Edit
from benchmarks.load import Request, get, load, post
from benchmarks.yardsticks.models import Base
from tests.harness.rendering import render_variant
from tests.harness.servers import Server, engine, new_database
from tests.harness.variants import ROOT, Variant
from tests.harness.warm_process import CommandFailed, WarmProcess

SERVICE_CORE, OTHER_CORE = 0, 1
ROUNDS, COUNT = 31, 32
# The first number of each load: what it inserts is new.
NUMBERS = itertools.count(0, COUNT)
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
NAMES = {
    "limit": "L: Starlette, asyncpg, SQL and JSON by hand",
    "framework": "F: FastAPI, asyncpg, SQL by hand",
    "textbook_orm": "T: the textbook, ORM",
    "textbook_core": "T: the textbook, Core",
    "ours_orm": "rendered, ORM",
    "ours_core": "rendered, Core",
}


@dataclass
class Service:
    """A service that runs.

    `costs` holds the seconds of CPU that a request takes, of each round by call, and `delays` those that pass from one
    answer to the next.
    """

    name: str
    port: int
    pid: int
    log: Path
    costs: dict[str, list[float]] = field(default_factory=dict)
    delays: dict[str, list[float]] = field(default_factory=dict)

    def ratios(self, other: "Service", call: str) -> list[float]:
        """Give how many of its requests the CPU of one of the other's pays for, of each round, sorted."""
        return sorted(b / a for a, b in zip(self.costs[call], other.costs[call], strict=True))

    def rates(self, other: "Service", call: str) -> list[float]:
        """Give how many of its requests are answered while one of the other's is, of each round, sorted."""
        return sorted(b / a for a, b in zip(self.delays[call], other.delays[call], strict=True))


Measure = Callable[[Service, Service, str], list[float]]


def fill(url: str) -> None:
    """Write the rows that are read."""
    tables = Base.metadata.tables
    rows: dict[str, list[dict[str, Any]]] = {
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
                key = tables[name].c.id
                connection.execute(select(func.setval(f"{name}_id_seq", select(func.max(key)).scalar_subquery())))
            connection.exec_driver_sql("ANALYZE")


def start(
    name: str, application: str, folder: Path, url: str, scratch: Path, stack: ExitStack, *options: str
) -> Service:
    """Start a service, which ends with the stack, and wait until it listens.

    Raises:
        RuntimeError: it ended before it did.

    """
    port = scratch / f"{len(list(scratch.glob('*.port')))}.port"
    log = stack.enter_context(port.with_suffix(".log").open("wb"))
    command: list[str | Path] = [
        sys.executable,
        ROOT / "benchmarks/worker.py",
        port,
        str(SERVICE_CORE),
        application,
        *options,
    ]
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
    """Give the seconds of CPU that a process has taken, from its own clock, numbered as Linux does."""
    return time.clock_gettime(~pid << 3 | 2)


def measure(services: Sequence[Service], calls: Sequence[str], rounds: int = ROUNDS) -> None:
    """Load each service with each call, in turn; the first round warms up.

    Raises:
        RuntimeError: a service answered with another status than 2xx.

    """
    for index in range(rounds + 1):
        for call in calls:
            turn = index % len(services)
            for service in [*services[turn:], *services[:turn]]:
                before, number = cpu_seconds(service.pid), next(NUMBERS)
                try:
                    loaded = load(service.port, CALLS[call], COUNT, number)
                except RuntimeError as error:
                    raise RuntimeError(f"{service.name}, {call}: {error}\n{service.log.read_text()[-3000:]}") from error
                if index:
                    service.costs.setdefault(call, []).append((cpu_seconds(service.pid) - before) / COUNT)
                    service.delays.setdefault(call, []).append(1 / loaded.rate)


def cell(ratios: Sequence[float]) -> str:
    """Give the median of ratios, with the quartiles on either side."""
    quarter = len(ratios) // 4
    return f"**{statistics.median(ratios):.2f}** ({ratios[quarter]:.2f} to {ratios[-1 - quarter]:.2f})"


def table(services: Sequence[Service], to: Service, measure: Measure = Service.ratios) -> list[str]:
    """Give the lines of a table: how many requests each service answers with the CPU that `to` takes for one.

    Or what else the measure says of two services.
    """
    calls = list(to.costs)
    lines = [f"| service | {' | '.join(calls)} |", "| --- |" + " --- |" * len(calls)]
    for service in services:
        cells = ["1" if service is to else cell(measure(service, to, call)) for call in calls]
        lines.append(f"| {service.name} | {' | '.join(cells)} |")
    return lines


@contextmanager
def affinity(cores: set[int]) -> Iterator[None]:
    """Keep this process, and those that it starts, to these cores for a while."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class Side:
    """One database with one driver, filled, and the services that run on it until the stack is closed."""

    def __init__(self, server: Server, io: str, folder: Path, warm_process: WarmProcess, stack: ExitStack) -> None:
        """Render both data accesses from the template in `folder`/source, migrate, and write the rows."""
        self.folder, self.stack, self.io = folder, stack, io
        self.url = stack.enter_context(new_database(server, folder))
        self.projects = {}
        for access in ("orm", "core"):
            project = folder / f"{server.database}-{io}-{access}"
            variant = Variant(server.database, io, access, ("timestamps",))
            self.projects[access] = render_variant(folder / "source", variant, project)
        warm_process.run(["-m", "alembic", "upgrade", "head"], self.projects["orm"], {"DATABASE_URL": self.url})
        fill(self.url)
        self.driven = DRIVERS[server.database, io] + "://" + self.url.partition("://")[2]

    def yardstick(self, name: str, driver: str = "") -> Service:
        """Serve a yardstick, with the template's driver unless another is named."""
        raw = name in {"limit", "framework"}
        module = name if raw else f"{name}_{self.io}"
        url = self.url if raw else self.driven
        if driver:
            url = driver + "://" + url.partition("://")[2]
        application = f"benchmarks.yardsticks.{module}:app"
        return start(driver or NAMES[name], application, ROOT, url, self.folder, self.stack)

    def rendered(self, access: str, name: str = "", *options: str) -> Service:
        """Serve what is rendered."""
        name = name or NAMES[f"ours_{access}"]
        return start(name, "app.main:create_app", self.projects[access], self.url, self.folder, self.stack, *options)

    def edited(self, name: str, edits: Sequence[Edit]) -> Service:
        """Serve what is rendered with the ORM, edited; on SQLite with a copy of the file.

        Raises:
            LookupError: the project doesn't have once what an edit replaces.

        """
        number = len(list(self.folder.glob("edited-*")))
        project = self.folder / f"edited-{number}"
        shutil.copytree(self.projects["orm"], project)
        for file, old, new in edits:
            path = project / file
            text = path.read_text(encoding="utf-8")
            if text.count(old) != 1:
                raise LookupError(f"{file} has this {text.count(old)} times, not once: {old}")
            path.write_text(text.replace(old, new), encoding="utf-8")
        url = self.url
        if url.startswith("sqlite"):
            before = Path(url.partition(":///")[2])
            after = shutil.copyfile(before, project / before.name)
            url = f"sqlite:///{after}"
        return start(name, "app.main:create_app", project, url, self.folder, self.stack)


def against_the_limit(side: Side) -> dict[str, Service]:
    """Measure everything there is on PostgreSQL, asynchronous."""
    services = {name: side.yardstick(name) for name in list(NAMES)[:4]}
    services |= {f"ours_{access}": side.rendered(access) for access in ("orm", "core")}
    measure(list(services.values()), list(CALLS))
    return services


def against_the_textbook(side: Side) -> dict[str, Service]:
    """Measure what is rendered and its textbooks."""
    services = {f"textbook_{access}": side.yardstick(f"textbook_{access}") for access in ("orm", "core")}
    services |= {f"ours_{access}": side.rendered(access) for access in ("orm", "core")}
    measure(list(services.values()), list(CALLS))
    return services


def choices_undone(side: Side, undone: Mapping[str, Sequence[Edit]]) -> list[Service]:
    """Measure the rendered service with the ORM as it is, and with one choice after the other undone.

    Raises:
        LookupError: a project has no longer what an edit replaces.

    """
    services = [side.edited("as rendered", ()), *(side.edited(name, edits) for name, edits in undone.items())]
    measure(services, list(CALLS))
    return services


def served_otherwise(side: Side) -> list[Service]:
    """Measure the rendered service with the ORM, by uvicorn as the image has it, and by what else there is."""
    services = [side.rendered("orm", "uvicorn with uvloop and httptools")]
    services += [side.rendered("orm", name, option) for name, option in SERVED.items()]
    measure(services, list(CALLS))
    return services


def driven_otherwise(side: Side, access: str, drivers: Sequence[str]) -> list[Service]:
    """Measure a textbook with each driver."""
    services = [side.yardstick(f"textbook_{access}", driver) for driver in drivers]
    measure(services, list(CALLS))
    return services


def shares(side: Side) -> dict[str, dict[str, Any]]:
    """Give, of each service, the `calls` of functions that a request takes, by call and package, and the `stacks`.

    Raises:
        CommandFailed: a service refused a request.

    """
    applications = {
        NAMES["textbook_orm"]: (f"benchmarks.yardsticks.textbook_orm_{side.io}:app", ROOT, side.driven),
        NAMES["textbook_core"]: (f"benchmarks.yardsticks.textbook_core_{side.io}:app", ROOT, side.driven),
        NAMES["ours_orm"]: ("app.main:create_app", side.projects["orm"], side.url),
        NAMES["ours_core"]: ("app.main:create_app", side.projects["core"], side.url),
    }
    found: dict[str, dict[str, Any]] = {}
    for name, (application, folder, url) in applications.items():
        environment = {**os.environ, "DATABASE_URL": url, "PYTHONPATH": str(folder)}
        command: list[str | Path] = [sys.executable, ROOT / "benchmarks/shares.py", application, f"run{len(found)}"]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise CommandFailed(done.stderr)
        found[name] = json.loads(done.stdout)
    return found
