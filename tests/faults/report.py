"""Keeps what the faults came to in `.cache/faults.json`, and makes docs/reliability.md of it.

`python -m tests.faults.report` writes the page.
"""

import datetime as dt
import inspect
import json
import os
import platform
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from itertools import product
from typing import Any, Protocol

import pytest

from tests.faults.load import CLIENTS
from tests.harness.variants import ROOT, choices

KEPT = ROOT / ".cache" / "faults.json"
PAGE = ROOT / "docs" / "reliability.md"
TITLES = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "mysql": "MySQL"}
HEAD = ("fault", "database", "clients saw, beside successes", "acknowledged", "lost", "half-written", "served again")
# A test that asks for one of these fixtures is a row of the page.
RECORDING = {"stage", "record"}
TEXT = """\
# Reliability

What happens to clients, and to what they were promised, when something breaks. `make faults` breaks it, and writes
this page.

{clients} clients write all the time through real sockets: they add users, one and five at once, change them, read them
back and delete some. Then the database or the service is killed, stopped or cut off, on every base variant with all
mixins; a full disk, a lock, a password and a client that hangs up are faults too. A row is the sum of a database's
variants:

- **clients saw**: how many calls got which error. A 503 always says in `Retry-After` when to try again. Without a
  connection a client tries again at once, so that it counts many of these. A standby may be
  [a moment behind](production.md#postgresql-with-standbys): what it shows from before a write is counted too.
- **acknowledged**: writes that got a success. Each was in every later response, and is in the database at the end, or
  else it counts as **lost**.
- **half-written**: calls with several rows of which some are there, and some aren't.
- **served again**: seconds from the end of the fault until each of the clients had a success, in the slowest variant.

Of migrations, a schema that isn't whole in the end counts as half-written, and the seconds are those of the run after.
MySQL [commits each change of a table](https://dev.mysql.com/doc/refman/8.4/en/implicit-commit.html), so that it can't
undo a revision: the next run goes on where the last was killed, by the table `migration_journal`.

{faults}

A call without an answer may have been carried out: the connection broke between the commit and the response. A client
that can't have it done twice sends it with `If-Match`, or reads first.

SIGKILL ends a process, and not the machine. When that loses its power, a server that syncs what it commits, as
PostgreSQL and MySQL do by default, keeps all of it. SQLite may lose the last transactions, but is never damaged:
`app/db/driver.py` sets [`synchronous = NORMAL`](https://www.sqlite.org/pragma.html#pragma_synchronous), and with `FULL`
each commit waits for the disk.

{measured}
"""
# Where the section of tests/fuzz begins, which `make fuzz` writes.
SECTION = "\n## Hostile input\n\n"


@dataclass(frozen=True)
class Row:
    """What a fault came to on a variant."""

    title: str
    database: str
    variant: str
    server: str
    seen: dict[str, int]
    acknowledged: int
    lost: int
    half_written: int
    recovered: float


class FaultReport:
    """The plugin that collects a row for each fault on each variant, in the process that hands out the tests."""

    def __init__(self) -> None:
        """Begin with no row."""
        self.rows: list[Row] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the row of a test that passed."""
        told: dict[str, Any] = dict(report.user_properties)
        if report.when == "call" and report.passed and "fault" in told:
            self.rows.append(Row(**told["fault"]))

    def pytest_sessionfinish(self) -> None:
        """Write the rows, instead of earlier ones of the same faults and variants."""
        if self.rows:
            rows = {(row.title, row.variant): row for row in [*kept(), *self.rows]}
            KEPT.parent.mkdir(exist_ok=True)
            KEPT.write_text(json.dumps([asdict(row) for row in rows.values()], indent=1), encoding="utf-8")


def kept() -> list[Row]:
    """Read the rows."""
    return [Row(**row) for row in json.loads(KEPT.read_text(encoding="utf-8"))] if KEPT.exists() else []


def title_of(test: Any) -> str:
    """Name the fault of a test."""
    return (inspect.getdoc(test) or "").replace("\n", " ").removesuffix(".")


def faults() -> Iterator[tuple[str, str]]:
    """Give each fault of the suite with each database that it is tried on, in the order of the page."""
    return rows_of_suite("faults", RECORDING)


def rows_of_suite(folder: str, recording: set[str]) -> Iterator[tuple[str, str]]:
    """Give the title of each test in `tests/{folder}` that uses a recording fixture, with each of its databases."""
    for file in sorted((ROOT / "tests" / folder).glob("test_*.py")):
        module = import_module(f"tests.{folder}.{file.stem}")
        for name, test in vars(module).items():
            if name.startswith("test_") and recording & {*inspect.signature(test).parameters}:
                marks = [*vars(module).get("pytestmark", []), *getattr(test, "pytestmark", [])]
                databases = [{*mark.args} for mark in marks if mark.name == "database"]
                wanted = {*choices("database")}.intersection(*databases)
                yield from product([title_of(test)], [each for each in choices("database") if each in wanted])


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Write a table of Markdown."""
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def summed_up(rows: list[Row]) -> Iterator[Iterable[object]]:
    """Give the rows of the page: a fault on a database, over all variants."""
    for title, database in faults():
        alike = [row for row in rows if (row.title, row.database) == (title, database)]
        if not alike:
            raise SystemExit(f"make faults: nothing was measured of this on {TITLES[database]}: {title}.")
        seen = sum((Counter(row.seen) for row in alike), Counter[str]())
        shown = ", ".join(f"{result}: {count:,}" for result, count in sorted(seen.items()))
        sums = [f"{sum(getattr(row, name) for row in alike):,}" for name in ("acknowledged", "lost", "half_written")]
        yield title, TITLES[database], shown or "nothing", *sums, f"{max(row.recovered for row in alike):.1f} s"


class OnServer(Protocol):
    """A row of a page, measured with a server of a database."""

    @property
    def server(self) -> str:
        """The server and its version."""


def measured(rows: Sequence[OnServer]) -> str:
    """Say when and on what the faults were tried."""
    servers = ", ".join(sorted({row.server for row in rows}))
    date, cores = dt.datetime.now(dt.UTC).date(), os.cpu_count()
    machine = f"{cores} cores of {platform.machine()} for the clients, the services and the databases"
    return f"Measured on {date} with {machine}: Python {platform.python_version()}, {servers}."


def main() -> None:
    """Write the page, but for the section of tests/fuzz."""
    rows = kept()
    faults_ = table(HEAD, summed_up(rows))
    _, heading, section = PAGE.read_text(encoding="utf-8").partition(SECTION)
    text = TEXT.format(clients=CLIENTS, faults=faults_, measured=measured(rows))
    PAGE.write_text(f"{text}{heading}{section}", encoding="utf-8")


if __name__ == "__main__":
    main()
