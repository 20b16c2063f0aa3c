"""Measures what a process costs: its start, its memory, a second worker, what it imports, and many rows at once.

Run alone as `python -m benchmarks.process`.
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any

from sqlalchemy import make_url

from benchmarks.client import Client
from benchmarks.load import get, load
from benchmarks.performance import DRIVERS
from benchmarks.scale import TITLES
from tests.harness.demo import say
from tests.harness.rendering import render_variant, snapshot
from tests.harness.scratch import scratch_folder
from tests.harness.servers import Server, free_port, new_database, running
from tests.harness.variants import ROOT, Variant, choices
from tests.harness.warm_process import WarmProcess

ACCESSES = ("orm", "core")
ROUNDS, PATIENCE = 5, 60.0
REQUESTS, BULK, PARTS = 2_000, 1_000, 5
CONNECTIONS, BURST = 16, 600
PACKAGES = 12
PAGE = "/api/v1/posts?limit=20"
TICKS = os.sysconf("SC_CLK_TCK")
IMPORT = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s+([\w.]+)")


@dataclass(frozen=True)
class Memory:
    """The MiB that a process holds: with what it shares, with its part of that, and what is its own."""

    resident: float
    proportional: float
    own: float

    def __str__(self) -> str:
        return f"{self.resident:.0f} · {self.proportional:.0f} · {self.own:.0f}"


@dataclass
class Contender:
    """An application that is started over and over; `starts` holds the seconds until its first answer."""

    application: str
    folder: Path
    url: str
    starts: list[float] = field(default_factory=list)

    @contextmanager
    def served(self, *options: str, path: str = "/health/live") -> Iterator[tuple[int, int]]:
        """Serve it until the end, from its first answer on; give its port and the id of its process.

        Raises:
            RuntimeError: it ended, or doesn't answer in time.

        """
        port = free_port()
        command = [sys.executable, "-m", "uvicorn", self.application, "--port", str(port), "--no-access-log"]
        command += ["--factory"] if self.application.endswith(":create_app") else []
        command += ["--log-level", "warning", "--timeout-keep-alive", "3600", *options]
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=self.folder, env={**os.environ, "DATABASE_URL": self.url})
        try:
            while not answers(port, path):
                if process.poll() is not None or time.perf_counter() - start > PATIENCE:
                    raise RuntimeError(f"{self.application} in {self.folder} doesn't answer")
                time.sleep(0.003)
            self.starts.append(time.perf_counter() - start)
            yield port, process.pid
        finally:
            process.terminate()
            process.wait()


def answers(port: int, path: str) -> bool:
    """Tell whether a service answers at `port`."""
    client = Client(port)
    try:
        client.send("GET", path)
    except (OSError, HTTPException):
        return False
    finally:
        client.close()
    return True


def memory(pid: int) -> Memory:
    """Give what a process holds now."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()[1:]
    sizes = {name: int(size.split()[0]) / 1024 for name, size in (line.split(":") for line in lines)}
    return Memory(sizes["Rss"], sizes["Pss"], sizes["Private_Clean"] + sizes["Private_Dirty"])


def processor_seconds(pid: int) -> float:
    """Give the time on a processor of a process and its children."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return (int(fields[11]) + int(fields[12])) / TICKS + sum(processor_seconds(int(child)) for child in children)


def ratio(values: Sequence[float], others: Sequence[float]) -> str:
    """Give the median of the ratios of two series, and between what they lie, the farthest on either side left out."""
    ratios = sorted(a / b for a, b in zip(values, others, strict=True))
    inner = ratios[1:-1] or ratios
    return f"{statistics.median(ratios):.2f} ({inner[0]:.2f} to {inner[-1]:.2f})"


def starts(contenders: Mapping[str, Mapping[str, Contender]], rounds: int) -> list[str]:
    """Start all in turn, again and again; the first time, which compiles, doesn't count."""
    for number in range(rounds + 1):
        for of_driver in contenders.values():
            names = list(of_driver)
            turn = number % len(names)
            for name in names[turn:] + names[:turn]:
                with of_driver[name].served():
                    pass
                if number == 0:
                    of_driver[name].starts.clear()
    lines = ["| driver | bare, s | ORM | Core | ORM, least | Core, least |", "| --- |" + " --- |" * 5]
    for driver, of_driver in contenders.items():
        bare, *others = (of_driver[name].starts for name in ("bare", *ACCESSES))
        cells = [f"{statistics.median(bare):.2f}", *(ratio(own, bare) for own in others)]
        cells += [f"{min(own) / min(bare):.2f}" for own in others]
        lines.append(f"| {driver} | {' | '.join(cells)} |")
    return lines


def insert(client: Client) -> tuple[float, float]:
    """Insert users, at once and one after another, and give the seconds of each.

    The least of three of the one, and of five parts of the other, is what other work on the machine disturbs least.
    """

    def user(kind: str, number: int) -> dict[str, Any]:
        return {"email": f"{kind}{number}@example.com", "name": "New"}

    def send(path: str, body: Any) -> float:
        return client.send("POST", f"/api/v1/users{path}", body)[0]

    send("", user("warm", 0))
    at_once = [send("/bulk", [user(f"bulk{turn}-", number) for number in range(BULK)]) for turn in range(3)]
    singly = [sum(send("", user(f"one{part}-", number)) for number in range(BULK // PARTS)) for part in range(PARTS)]
    return min(at_once), min(singly) * PARTS


def work(contenders: Mapping[str, Mapping[str, Contender]]) -> list[str]:
    """Give the lines of two tables: what the processes hold, and the seconds of inserts."""
    held = ["| driver | bare | ORM, at start | ORM, later | Core, at start | Core, later |", "| --- |" + " --- |" * 5]
    inserts = ["| driver | data access | at once, s | one by one, s | ratio |", "| --- |" + " --- |" * 4]
    for driver, of_driver in contenders.items():
        with of_driver["bare"].served() as (_, pid):
            cells = [str(memory(pid))]
        for access in ACCESSES:
            with of_driver[access].served() as (port, pid), ExitStack() as stack:
                cells.append(str(memory(pid)))
                client = Client(port)
                stack.callback(client.close)
                fill(client)
                for path in (PAGE, "/api/v1/users/1"):
                    load(port, get(path), count=REQUESTS // 2)
                cells.append(str(memory(pid)))
                at_once, singly = insert(client)
                inserts.append(
                    f"| {driver} | {TITLES[access]} | {at_once:.3f} | {singly:.2f} | {singly / at_once:.0f} |"
                )
        held.append(f"| {driver} | {' | '.join(cells)} |")
    head = f"MiB: resident · proportional · its own, at the start and after {REQUESTS:,} requests"
    return [f"{head}:", "", *held, "", f"{BULK:,} users:", "", *inserts]


def fill(client: Client) -> None:
    """Make the rows that are read."""
    client.send("POST", "/api/v1/users", {"email": "author@example.com", "name": "Author"})
    for number in range(40):
        post = {"author_id": 1, "title": f"Post {number}", "content": "Some words. " * 50, "tags": ["some", "words"]}
        client.send("POST", "/api/v1/posts", post)


def workers(contender: Contender, rounds: int) -> list[str]:
    """Give the lines of a table: what one worker and two of them answer, and what it costs the processor."""
    rates: dict[int, list[float]] = {1: [], 2: []}
    costs: dict[int, list[float]] = {1: [], 2: []}
    with ExitStack() as stack:
        services = {
            count: stack.enter_context(contender.served("--workers", str(count), path="/health/ready"))
            for count in rates
        }
        for number in range(rounds + 1):
            for count, (port, pid) in list(services.items())[:: 1 if number % 2 else -1]:
                before = processor_seconds(pid)
                rate = load(port, get(PAGE), count=BURST, connections=CONNECTIONS).rate
                if number:
                    rates[count].append(rate)
                    costs[count].append((processor_seconds(pid) - before) / BURST * 1000)
    lines = ["| workers | requests/s | to one worker | ms of the processor a request |", "| --- | --- | --- | --- |"]
    for count, values in rates.items():
        cells = [f"{statistics.median(values):.0f}", ratio(values, rates[1]), f"{statistics.median(costs[count]):.2f}"]
        lines.append(f"| {count} | {' | '.join(cells)} |")
    return lines


def imports(contender: Contender) -> Counter[str]:
    """Give the microseconds that each package of the application took, in the fastest of five imports."""
    module = contender.application.partition(":")[0]
    runs = []
    for _ in range(5):
        command = [sys.executable, "-X", "importtime", "-c", f"import {module}"]
        environment = {**os.environ, "DATABASE_URL": contender.url}
        done = subprocess.run(
            command, cwd=contender.folder, env=environment, capture_output=True, text=True, check=True
        )
        run: Counter[str] = Counter()
        for own, name in IMPORT.findall(done.stderr):
            run[name.partition(".")[0]] += int(own)
        runs.append(run)
    return min(runs, key=Counter.total)


def imports_table(contender: Contender, bare: Contender) -> list[str]:
    """Give the lines of a table: the packages whose own modules take longest to import."""
    ours, others = imports(contender), imports(bare)
    lines = ["| package | ms | share | bare, ms |", "| --- | --- | --- | --- |"]
    for name, own in ours.most_common(PACKAGES):
        lines.append(f"| `{name}` | {own / 1000:.0f} | {own / ours.total():.0%} | {others[name] / 1000:.0f} |")
    lines.append(f"| all | {ours.total() / 1000:.0f} | 100% | {others.total() / 1000:.0f} |")
    return lines


def prepare(
    servers: Sequence[Server], warm_process: WarmProcess, folder: Path, stack: ExitStack
) -> dict[str, dict[str, Contender]]:
    """Render and migrate the base variants; give them by driver and data access, with a bare application each."""
    contenders = {}
    for server in servers:
        for io in choices("io"):
            driver = DRIVERS[server.database, io]
            of_driver = {}
            for access in ACCESSES:
                project = folder / f"process-{server.database}-{io}-{access}"
                render_variant(folder / "source", Variant(server.database, io, access, ("timestamps",)), project)
                url = stack.enter_context(new_database(server, folder))
                warm_process.run(["-m", "alembic", "upgrade", "head"], project, {"DATABASE_URL": url})
                of_driver[access] = Contender("app.main:create_app", project, url)
            url = make_url(of_driver["orm"].url).set(drivername=driver).render_as_string(hide_password=False)
            of_driver["bare"] = Contender("benchmarks.yardsticks.bare:app", ROOT, url)
            contenders[driver] = of_driver
    return contenders


def section(servers: Sequence[Server], warm_process: WarmProcess, folder: Path, rounds: int = ROUNDS) -> list[str]:
    """Measure, and give the lines of the section; `folder` has the template in `source`."""
    with ExitStack() as stack:
        contenders = prepare(servers, warm_process, folder, stack)
        parts: list[tuple[str, Callable[[], list[str]]]] = [
            ("### From the start to the first answer", lambda: starts(contenders, rounds)),
            ("### Memory, and inserts", lambda: work(contenders)),
        ]
        for driver in ("postgresql+asyncpg", "sqlite+pysqlite"):
            for access in ACCESSES if driver in contenders else ():
                own, bare = contenders[driver][access], contenders[driver]["bare"]
                title = f"### What is imported, {driver}, {TITLES[access]}"
                parts.append((title, lambda own=own, bare=bare: imports_table(own, bare)))  # type: ignore[misc]
        if "postgresql+asyncpg" in contenders:
            contender = contenders["postgresql+asyncpg"]["orm"]
            parts.append(("### Two workers, postgresql+asyncpg, ORM", lambda: workers(contender, rounds)))
        lines = ["## A process", ""]
        for title, measured in parts:
            start = time.monotonic()
            lines += [title, "", *measured(), ""]
            say(f"{title.strip('# ')}, after {time.monotonic() - start:.0f} s")
    return lines


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--on", default="sqlite,postgresql,mysql", help="databases, joined with commas")
    options = parser.parse_args()
    with scratch_folder() as folder, ExitStack() as stack:
        snapshot(folder / "source")
        servers = stack.enter_context(running(options.on.split(","), folder, say))
        warm_process = stack.enter_context(WarmProcess(folder / "logs"))
        say("\n".join(section(servers, warm_process, folder, options.rounds)))


if __name__ == "__main__":
    main()
