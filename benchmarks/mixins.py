"""Measures what each mixin costs a request, and writes the tables of docs/mixins/cost.md.

Run as `make bench-mixins`. The services of a base variant run side by side, and each request goes to all of them in
turn, so that what else the machine does slows them alike.
"""

import json
import statistics
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from tests.harness.demo import say
from tests.harness.rendering import render_variant, snapshot
from tests.harness.scratch import scratch_folder
from tests.harness.servers import Server, new_database, running
from tests.harness.service import wait_until_ready
from tests.harness.variants import ROOT, Variant, choices
from tests.harness.warm_process import CommandFailed, WarmProcess
from tests.updates.releases import this_version

BASES = [(database, "async", access) for database in ("sqlite", "postgresql") for access in ("orm", "core")]
# The first one is measured twice: how the two differ is noise.
SETS = {"none": (), "none again": (), **{name: (name,) for name in choices("mixins")}, "all": choices("mixins")}
ROUNDS, REQUESTS = 7, 15
AUTHORS, POSTS = 5, 40
PAGE = ROOT / "docs" / "mixins" / "cost.md"
SERVE = Path(__file__).with_name("serve.py")
TITLES = {"orm": "ORM", "core": "Core", "sqlite": "SQLite", "postgresql": "PostgreSQL"}


@dataclass
class Service:
    """A service that runs; `times` holds the shortest of each round by call, `statements` what each call takes."""

    connection: HTTPConnection
    times: dict[str, list[float]] = field(default_factory=dict)
    statements: dict[str, int] = field(default_factory=dict)

    def send(self, method: str, path: str, body: Any = None) -> tuple[float, int]:
        """Send a request; give the seconds that it took and the number of its statements.

        Raises:
            RuntimeError: the service refused it.

        """
        text = None if body is None else json.dumps(body)
        start = time.perf_counter()
        self.connection.request(method, f"/api/v1{path}", text, {"Content-Type": "application/json"})
        response = self.connection.getresponse()
        answer = response.read()
        seconds = time.perf_counter() - start
        if response.status not in {200, 201}:
            raise RuntimeError(f"{method} {path} is answered with {response.status}: {answer!r}")
        return seconds, int(response.headers["Statements"])


def requests(number: int) -> dict[str, tuple[str, str, Any]]:
    """Give the calls that are measured, the `number`-th time; each writes other values than the time before."""
    user = {"email": f"new{number}@example.com", "name": "New"}
    post = 1 + number % POSTS
    return {
        "GET /users/{id}": ("GET", f"/users/{1 + number % AUTHORS}", None),
        "GET /posts": ("GET", "/posts", None),
        "POST /users": ("POST", "/users", user),
        "PATCH /posts/{id}": ("PATCH", f"/posts/{post}", {"title": f"The title number {number}"}),
    }


def fill(service: Service) -> None:
    """Make the rows that are read and changed."""
    for number in range(AUTHORS):
        service.send("POST", "/users", {"email": f"author{number}@example.com", "name": "Author"})
    for number in range(POSTS):
        post = {"author_id": 1 + number % AUTHORS, "title": "A title", "content": "Some words of it. " * 50}
        service.send("POST", "/posts", {**post, "tags": ["some", f"tag{number % 5}"]})


def measure(services: Sequence[Service]) -> None:
    """Send every call to every service, in turn; the first round warms up."""
    number = 0
    for index in range(ROUNDS + 1):
        seconds: list[dict[str, list[float]]] = [{} for _ in services]
        for _ in range(REQUESTS):
            number += 1
            turn = number % len(services)
            for call, request in requests(number).items():
                pairs = list(zip(services, seconds, strict=True))
                for service, noted in pairs[turn:] + pairs[:turn]:
                    taken, service.statements[call] = service.send(*request)
                    noted.setdefault(call, []).append(taken)
        if index > 0:
            for service, noted in zip(services, seconds, strict=True):
                for call, values in noted.items():
                    service.times.setdefault(call, []).append(min(values))


def serve(
    base: tuple[str, str, str], server: Server, folder: Path, warm_process: WarmProcess, stack: ExitStack
) -> dict[str, Service]:
    """Render, migrate and serve a base variant with each set of mixins, until the stack is closed.

    Raises:
        CommandFailed: a migration failed.

    """
    source, started = folder / "source", []
    projects = {name: folder / "-".join([*base, *name.split()]) for name in SETS}
    environments = {name: {"DATABASE_URL": stack.enter_context(new_database(server, folder))} for name in SETS}
    for name, project in projects.items():
        render_variant(source, Variant(*base, SETS[name]), project)
        started.append(warm_process.start(["-m", "alembic", "upgrade", "head"], project, environments[name]))
    for migration in started:
        if warm_process.wait(migration).status != 0:
            raise CommandFailed(migration.output)
    services = {}
    children = {
        name: warm_process.start([str(SERVE), str(project / "port")], project, environments[name])
        for name, project in projects.items()
    }
    for name, child in children.items():
        stack.callback(warm_process.stop, child)
        port = projects[name] / "port"
        wait_until_ready(warm_process, child, port)
        services[name] = Service(HTTPConnection("127.0.0.1", int(port.read_text()), timeout=60))
        stack.callback(services[name].connection.close)
        fill(services[name])
    return services


def table(services: dict[str, Service]) -> list[str]:
    """Give the lines of a table with a row for each set of mixins."""
    calls = list(requests(0))
    lines = [f"| mixins | {' | '.join(f'`{call}`' for call in calls)} |", "| --- |" + " --- |" * len(calls)]
    plain = services["none"]
    for name, service in services.items():
        cells = []
        for call in calls:
            pairs = zip(service.times[call], plain.times[call], strict=True)
            ratio = statistics.median(own / other for own, other in pairs)
            cells.append(f"{service.statements[call]} · {ratio:.2f}")
        shown = f"`{name}`" if name in choices("mixins") else name
        lines.append(f"| {shown} | {' | '.join(cells)} |")
    return lines


HEAD = f"""\
# What the mixins cost

`make bench-mixins` made this page: it renders the services of four base variants without a mixin, with each alone and
with all, and sends the same requests to all of them in turn. A cell has the number of statements that a request takes,
and the time that its answer takes, as a ratio to the service without a mixin. A round's time is the shortest of
{REQUESTS} requests, which other work on the machine disturbs least; the ratio is the median of {ROUNDS} rounds.
`GET /posts` is a page of 20; a post has two tags; `PATCH` changes the title.

The client and the database run on the same machine, and so may other work: how far `none again` is from 1 says how far
the other ratios of its table can be trusted. What begins and ends a transaction is not counted.
The figures are of {this_version()}.
"""


def main() -> None:
    """Measure every base variant and write the page."""
    start = time.monotonic()
    lines = [HEAD]
    with scratch_folder() as folder, ExitStack() as stack:
        snapshot(folder / "source")
        servers = stack.enter_context(running(["sqlite", "postgresql"], folder, say))
        warm_process = stack.enter_context(WarmProcess(folder / "logs"))
        for base in BASES:
            database, io, access = base
            server = next(server for server in servers if server.database == database)
            say(", ".join(base))
            with ExitStack() as stack_of_base:
                services = serve(base, server, folder, warm_process, stack_of_base)
                measure(list(services.values()))
            lines += [f"## {server}, {io}, {TITLES[access]}", "", *table(services), ""]
    PAGE.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    say(f"{PAGE.relative_to(ROOT)} is written, after {time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main()
