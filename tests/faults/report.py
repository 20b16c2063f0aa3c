"""Keeps what the faults came to in `.cache`, and makes sections of docs/reliability.md of it.

`python -m tests.faults.report` writes what `make faults` measures, and `python -m tests.faults.report soak` the section
on long runs.
"""

import inspect
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from itertools import product
from typing import Any

from tests.faults import page, places, storms
from tests.faults.load import CLIENTS
from tests.faults.page import TITLES, measured, table, write_sections
from tests.harness.kept import Kept
from tests.harness.variants import ROOT, choices

HEAD = ("fault", "database", "clients saw, beside successes", "acknowledged", "lost", "half-written", "served again")
# A test that asks for one of these fixtures is a row of the page.
RECORDING = {"stage", "record"}
TEXT = """\
What clients see when something breaks, and what becomes of the writes that they got a success for. `make faults` breaks
it, and writes this page.

{clients} clients write all the time through real sockets: they add users, one and five at once, change them, read them
back and delete some. Then the database or the service is killed, stopped or cut off, on every base variant with all
mixins; a full disk, a lock, a password and a client that hangs up are faults too. A row adds up the variants of a
database, where MySQL is the server at the end of the page:

- **clients saw**: how many calls got which error. A 503 always says in `Retry-After` when to try again, but these
  clients try again at once, also without a connection: many errors mean that each came fast. A few 503 where the
  database is well are of locks that weren't free in time, and of deadlocks. A standby may be
  [a moment behind](production.md#postgresql-with-standbys): what it shows from before a write is counted too.
- **acknowledged**: writes that got a success. Each was in every later response, and is in the database at the end, or
  else it counts as **lost**.
- **half-written**: calls with several rows of which some are there, and some aren't.
- **served again**: seconds from the end of the fault until each of the clients had a success, in the slowest variant.
  A server or service that is started again ends its fault when it answers. Where another server takes over behind
  HAProxy or by Patroni, the seconds are from the start of the fault.

A run with a lost or half-written row fails, as one that isn't served again within 20 seconds, or whose service waits at
its end for what the fault left. Where Patroni has to see that its primary is gone, its `ttl` of 20 seconds comes on
top. A call waits for less time here than by default: 2 seconds for a connection or a lock, and 3 for a statement.

Of migrations, a schema that isn't whole in the end counts as half-written, and the seconds are those of the run after,
or of the four that run at once.
MySQL [commits each change of a table](https://dev.mysql.com/doc/refman/8.4/en/implicit-commit.html), so that it can't
undo a revision: the next run goes on where the last was killed, by the table `migration_journal`.

{faults}

A call without an answer may have been carried out, or not. A client sends a change again with the `If-Match` that it
had, and looks for what it wanted to add before it adds it again.

The standby that is promoted has all that its primary acknowledged, as a commit waits for it. With replication that
doesn't wait, a failover loses what the standby hadn't got yet. Codes of other engines, deadlocks and serialization
failures are raised by triggers.

SIGKILL ends a process, and not the machine. When that loses its power, a server that syncs what it commits, as
PostgreSQL and MySQL do by default, keeps all of it. SQLite, in WAL mode, may lose the last transactions, but its file
stays whole: `app/db/driver.py` sets
[`synchronous = NORMAL`](https://www.sqlite.org/pragma.html#pragma_synchronous), and with `FULL` each commit waits for
the disk.

{measured}
"""
SOAK_HEAD = (
    "database",
    "minutes",
    "requests",
    "per second",
    "p50",
    "p99",
    "503",
    "memory, MB",
    "descriptors",
    "threads",
    "connections",
)
SOAK_TEXT = """\
`make soak MINUTES=30` lets {clients} clients write, read, list and search at once, as fast as the service answers, on
one variant of each database: `async` and `orm` with all mixins. It fails where the memory, descriptors, threads
or connections grow from the second third of the time to the last, where a call has no answer, or where a write is lost.
Of each, the table has what there was after a sixth of the time, and at the end.
Clients, databases and other tests had the same cores, so that the times are no benchmark:
[Performance](performance.md) has those.

{soaks}

{measured}
"""


@dataclass(frozen=True)
class Soaked:
    """What a long run came to; pairs are what there was after a sixth of the time, and at the end."""

    database: str
    server: str
    minutes: float
    clients: int
    requests: int
    p50: float
    p99: float
    unavailable: int
    memory: list[float]
    descriptors: list[float]
    threads: list[float]
    connections: list[float]

    def cells(self) -> Iterable[str]:
        """Write the row of the page."""
        pairs = (self.memory, self.descriptors, self.threads, self.connections)
        return (
            TITLES[self.database],
            f"{self.minutes:g}",
            f"{self.requests:,}",
            f"{self.requests / self.minutes / 60:.0f}",
            f"{self.p50:.0f} ms",
            f"{self.p99:.0f} ms",
            f"{self.unavailable:,}",
            *(f"{early:.0f}, {late:.0f}" for early, late in pairs),
        )


SOAKS = Kept("soak.json", Soaked, key=("database",))


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


ROWS = Kept("faults.json", Row, key=("title", "variant"))


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


def write_faults() -> None:
    """Write what `make faults` measures."""
    rows = ROWS.read()
    text = TEXT.format(clients=CLIENTS, faults=table(HEAD, summed_up(rows)), measured=measured(rows))
    write_sections({page.FAULTS: text, page.STORMS: storms.section(), page.PLACES: places.section()})


def write_soaks() -> None:
    """Write the page's section on long runs."""
    rows = sorted(SOAKS.read(), key=lambda row: [*TITLES].index(row.database))
    soaks, clients = table(SOAK_HEAD, [row.cells() for row in rows]), max(row.clients for row in rows)
    write_sections({page.SOAKS: SOAK_TEXT.format(clients=clients, soaks=soaks, measured=measured(rows))})


if __name__ == "__main__":
    write_soaks() if sys.argv[1:] == ["soak"] else write_faults()
