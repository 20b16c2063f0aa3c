"""Measures, and writes docs/performance.md with its plots.

Run as `make bench`; `make bench SECTIONS="textbook scale"` measures these anew and leaves the others as they are.
"""

import argparse
import os
import re
import statistics
import tempfile
import textwrap
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks import choices, flame, performance, process, rendering, scale
from benchmarks.plot import draw
from tests.harness import variants
from tests.harness.demo import say
from tests.harness.rendering import snapshot
from tests.harness.scratch import scratch_folder
from tests.harness.servers import Server, running
from tests.harness.variants import ROOT
from tests.harness.warm_process import WarmProcess
from tests.updates.releases import this_version

PAGE = ROOT / "docs" / "performance.md"
# A folder on the disk, where others may be in memory.
CACHE = ROOT / ".cache"
TITLES = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "mysql": "MySQL"}


@dataclass(frozen=True)
class Bench:
    """What a section needs: the servers, a process to fork from, and a folder with the template in `source`."""

    servers: Sequence[Server]
    warm_process: WarmProcess
    folder: Path

    def side(self, database: str, io: str, stack: ExitStack) -> performance.Side:
        """Give a filled database."""
        server = next(server for server in self.servers if server.database == database)
        return performance.Side(server, io, self.folder, self.warm_process, stack)


def plot(name: str, title: str, services: Sequence[performance.Service], to: performance.Service) -> str:
    """Draw the medians of ratios; give the line that shows the plot."""
    values = {
        service.name: {call: statistics.median(service.ratios(to, call)) for call in to.costs} for service in services
    }
    draw(PAGE.parent / f"performance-{name}.svg", title, values)
    return f"![{title}](performance-{name}.svg)"


def limit(bench: Bench) -> list[str]:
    """Compare with the limit, on PostgreSQL with asyncpg."""
    with ExitStack() as stack:
        services = performance.against_the_limit(bench.side("postgresql", "async", stack))
    every, textbook = list(services.values()), services["textbook_orm"]
    return [
        plot("limit", "Requests that the CPU of one of L's answers", every[1:], services["limit"]),
        "",
        "As a share of the limit:",
        "",
        *performance.table(every, services["limit"]),
        "",
        "As a multiple of the textbook with the ORM:",
        "",
        *performance.table(every, textbook),
        "",
        "Milliseconds of CPU, the least of all rounds:",
        "",
        f"| service | {' | '.join(textbook.costs)} |",
        "| --- |" + " --- |" * len(textbook.costs),
        *(
            f"| {service.name} | {' | '.join(f'{min(costs) * 1000:.2f}' for costs in service.costs.values())} |"
            for service in every
        ),
    ]


def textbook(bench: Bench) -> list[str]:
    """Compare with the textbook of the same data access, on each database with each driver."""
    lines = [f"| base variant | {' | '.join(performance.CALLS)} |", "| --- |" + " --- |" * len(performance.CALLS)]
    for database, title in TITLES.items():
        for io in variants.choices("io"):
            with ExitStack() as stack:
                services = performance.against_the_textbook(bench.side(database, io, stack))
            for access in ("orm", "core"):
                ours, other = services[f"ours_{access}"], services[f"textbook_{access}"]
                cells = [performance.cell(ours.ratios(other, call)) for call in performance.CALLS]
                lines.append(f"| {title}, {io}, {'ORM' if access == 'orm' else 'Core'} | {' | '.join(cells)} |")
    return lines


def undone(bench: Bench) -> list[str]:
    """Show what each choice is worth, on PostgreSQL with asyncpg and the ORM."""
    with ExitStack() as stack:
        services = performance.choices_undone(bench.side("postgresql", "async", stack), choices.UNDONE)
    return [
        plot("choices", "Requests with one choice undone, to those as rendered", services[1:], services[0]),
        "",
        *performance.table(services, services[0]),
    ]


def parts(bench: Bench) -> list[str]:
    """Compare servers, drivers, and settings of SQLite."""
    calls = list(performance.CALLS)
    driven = [f"| textbook, driver | {' | '.join(calls)} |", "| --- |" + " --- |" * len(calls)]
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as disk, ExitStack() as stack:
        Path(disk, "source").symlink_to(bench.folder / "source")
        postgresql, mysql = (bench.side(database, "async", stack) for database in ("postgresql", "mysql"))
        sqlite = replace(bench, folder=Path(disk)).side("sqlite", "async", stack)
        served = performance.served_otherwise(postgresql)
        for side, drivers in zip((postgresql, mysql), choices.DRIVEN, strict=True):
            for access, title in (("orm", "ORM"), ("core", "Core")):
                services = performance.driven_otherwise(side, access, drivers)
                driven += [f"| {title}, {line[2:]}" for line in performance.table(services, services[0])[2:]]
        kept = performance.choices_undone(sqlite, choices.SETTINGS)
    return [
        "### What serves",
        "",
        *performance.table(served, served[0]),
        "",
        "### Drivers",
        "",
        *driven,
        "",
        "### Settings of SQLite",
        "",
        "By the CPU of the service:",
        "",
        *performance.table(kept, kept[0]),
        "",
        "By the time until an answer, which has the wait for the disk in it:",
        "",
        *performance.table(kept, kept[0], performance.Service.rates),
    ]


def shares(bench: Bench) -> list[str]:
    """Show which packages a request keeps busy, on PostgreSQL with asyncpg."""
    with ExitStack() as stack:
        found = performance.shares(bench.side("postgresql", "async", stack))
    ours = performance.NAMES["ours_orm"]
    graphs = {
        call: {tuple(stack): samples for stack, samples in stacks} for call, stacks in found[ours]["stacks"].items()
    }
    flame.draw(PAGE.parent / "performance-flame.svg", f"{ours}: the modules that have the CPU, for each call", graphs)
    counted = {service: shares["calls"] for service, shares in found.items()}
    packages = sorted({package for calls in counted.values() for counts in calls.values() for package in counts})
    lines = [f"| call | service | {' | '.join(packages)} | all |", "| --- |" + " --- |" * (len(packages) + 2)]
    for call in performance.CALLS:
        for service, calls in counted.items():
            counts = calls[call]
            cells = [str(counts.get(package, 0)) for package in packages]
            lines.append(f"| {call} | {service} | {' | '.join(cells)} | {sum(counts.values())} |")
    return [
        *lines,
        "",
        "And its share of the CPU's time, sampled each millisecond: a module stands under the one that calls it.",
        "",
        "![A flame graph of the rendered service with the ORM](performance-flame.svg)",
    ]


def heading_down(lines: Sequence[str]) -> list[str]:
    """Give the lines without the heading of the section."""
    return [line for line in lines if not line.startswith("## ")]


SECTIONS: dict[str, tuple[str, str, Callable[[Bench], list[str]]]] = {
    "limit": (
        "The limit, the framework, the textbook",
        (
            "PostgreSQL, asyncpg. L is the limit, F is what FastAPI leaves of it, T is what the tutorials of "
            "FastAPI and SQLAlchemy have one write: `benchmarks/yardsticks/` has them all."
        ),
        limit,
    ),
    "textbook": (
        "Every base variant and its textbook",
        (
            "How many requests the rendered service answers with the CPU that its textbook takes for one: the "
            "same database, driver and data access. On SQLite the rendered service begins each transaction by a "
            "statement, for a snapshot or the write lock, where the textbook's driver begins none to read; what it "
            "saves is the wait for the disk at each commit, which is no CPU."
        ),
        textbook,
    ),
    "choices": (
        "What each choice is worth",
        "The rendered service on PostgreSQL, asyncpg, ORM, with one choice after the other undone.",
        undone,
    ),
    "parts": (
        "Servers, drivers, settings",
        (
            "The rendered service on PostgreSQL, asyncpg, ORM, by each server; the textbook with each asynchronous "
            "driver; the rendered service on SQLite, aiosqlite, ORM, with one setting changed. The synchronous drivers "
            "have no rivals here: psycopg 3 takes the place of psycopg2, and mysqlclient has no wheels for Linux."
        ),
        parts,
    ),
    "shares": (
        "Where the time goes",
        (
            "Calls of functions for one request, by the package that makes them, on PostgreSQL with asyncpg: a "
            "measure of the work of Python that is the same each time. What C does in a call, and the database, "
            "is not in it."
        ),
        shares,
    ),
    "scale": (
        "A million rows",
        (
            "Pages by cursor and by `OFFSET`, searches for words that few and many posts hold, with the index "
            "that finds them, and the statements of requests. Times are milliseconds, the least and the median."
        ),
        lambda bench: heading_down(scale.section(bench.servers, bench.warm_process, bench.folder)),
    ),
    "process": (
        "The process",
        (
            "Starts in seconds, against a bare FastAPI with an engine and the same dependencies: the difference "
            "is the service's own modules, routes and models of Pydantic, which the first request needs. Memory "
            "in MiB, resident, proportional and own. In a bulk insert, checking the email addresses takes most of "
            "the time. The client and PostgreSQL share the cores with the workers, so a second one has no core of "
            "its own where there are two."
        ),
        lambda bench: heading_down(process.section(bench.servers, bench.warm_process, bench.folder)),
    ),
    "rendering": (
        "`copier copy`",
        (
            "Seconds of `copier copy` with all mixins, against as many plain files of the same size. What it "
            "takes more is Jinja, which compiles the files and their names."
        ),
        lambda bench: heading_down(rendering.section(bench.folder)),
    ),
}

HEAD = f"""\
# Performance

`make bench` made this page. Services run side by side on one machine, each call goes to all of them in turn, and a
figure is the median of the rounds' ratios, with the quartiles in parentheses: what else the machine does slows them
alike. A service has a core of its own, the database and the client share another. The measure of a request is the CPU
time that the service takes for it, with four connections that are never idle: its inverse is what a core can serve,
and neither a busy database nor a shared machine blurs it. uvicorn runs with uvloop, httptools and without its access
log, for all alike.

`by key` is `GET /users/{{id}}` with the profile, `page` is `GET /posts` with 20 posts and their tags, `insert` is
`POST /users` with its commit. The figures are of {this_version()}.
"""


# The servers and the client of these have one core, each service the other.
PINNED = ("limit", "textbook", "choices", "parts", "shares")


def sections_of(page: str) -> dict[str, str]:
    """Give the texts of a page's sections by their titles."""
    parts = re.split(r"^## (.+)$", page, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def main() -> None:
    """Measure the sections that are asked for and write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("sections", nargs="*", choices=[*SECTIONS, []], help="all of them unless some are named")
    names = parser.parse_args().sections or list(SECTIONS)
    written = sections_of(PAGE.read_text(encoding="utf-8")) if PAGE.exists() else {}
    for pinned in (True, False):
        chosen = [name for name in names if (name in PINNED) is pinned]
        if chosen:
            with performance.affinity({performance.OTHER_CORE} if pinned else os.sched_getaffinity(0)):
                measure(chosen, written)


def measure(names: Sequence[str], written: dict[str, str]) -> None:
    """Measure sections, and write the page with each as soon as it is there, and with those that are `written`."""
    with scratch_folder() as folder, ExitStack() as stack:
        snapshot(folder / "source")
        servers = stack.enter_context(running(list(TITLES), folder, say))
        bench = Bench(servers, stack.enter_context(WarmProcess(folder / "logs")), folder)
        for name in names:
            title, about, measured = SECTIONS[name]
            start = time.monotonic()
            own = folder / name
            own.mkdir()
            (own / "source").symlink_to(folder / "source")
            lines = measured(Bench(servers, bench.warm_process, own))
            written[title] = "\n\n" + textwrap.fill(about, 120) + "\n\n" + "\n".join(lines).strip() + "\n\n"
            parts = [f"## {title}{written[title]}" for title, _, _ in SECTIONS.values() if title in written]
            text = "\n".join([HEAD, *parts])
            PAGE.write_text(re.sub(r"\n{3,}", "\n\n", text).rstrip() + "\n", encoding="utf-8")
            say(f"{title}: {time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main()
