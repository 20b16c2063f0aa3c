"""Keeps what the contract came to behind a pooler and on clusters in `.cache/places.json`, for docs/reliability.md."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import pytest

from tests.faults.page import TITLES, measured, table
from tests.harness import clusters
from tests.harness.kept import Kept

POOLER = "pgbouncer"
PLACES = {
    (POOLER, "postgresql"): "PgBouncer in transaction mode, with `DB_POOL=null`",
    (clusters.ONE, "postgresql"): "Writes to a primary, and reads from two standbys that it waits for",
    (clusters.ONE, "mysql"): "Writes to one node of a Galera cluster, and reads from two others",
    (clusters.ALL, "mysql"): "Writes and reads through all three nodes of a Galera cluster in turn",
}
HEAD = ("where", "database", "variants", "tests", "failed", "time")
TEXT = """\
The tests of [the HTTP contract](http-contract.md), on every base variant with all mixins, where a service isn't alone
with one server. [Production](production.md#several-machines) has the settings.

{rows}

Nodes that all take writes find out at the commit that two transactions met: one of them gets a 503, and the clients of
that row send it again. Left out are tests of what isn't there: connections that a pool keeps, behind PgBouncer, and
locks that others wait for, where all nodes take writes.

{measured}
"""


@dataclass
class Place:
    """What the contract came to on a variant behind a pooler or on a cluster."""

    place: str
    database: str
    variant: str
    server: str
    tests: int = 0
    failed: int = 0
    seconds: float = 0


KEPT = Kept("places.json", Place, key=("place", "variant"))


@dataclass(eq=False)  # pytest keeps plugins in a set
class Counted:
    """The plugin that counts the tests of each variant at a place, in the process that hands them out."""

    place: str
    found: dict[str, Place] = field(default_factory=dict)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a phase of a test."""
        variant: str = getattr(report, "variant", "")
        if not variant or hasattr(report, "finished"):
            return
        database = variant.partition("-")[0]
        new = Place(self.place, database, variant, getattr(report, "server", ""))
        counted = self.found.setdefault(variant, new)
        counted.tests += report.when == "teardown"
        counted.failed += report.failed
        counted.seconds += report.duration

    def pytest_sessionfinish(self) -> None:
        """Write the rows."""
        KEPT.add(self.found.values())


def place_of(config: pytest.Config) -> str:
    """Name the place that a run of the whole contract chooses; none is `""`."""
    if config.getoption("keyword") or any("::" in argument for argument in config.args):
        return ""
    return POOLER if config.getoption("pgbouncer") else config.getoption("cluster") or ""


def summed_up(rows: list[Place]) -> Iterator[Iterable[object]]:
    """Give the rows of the section: a place with a database, over its variants."""
    for (place, database), title in PLACES.items():
        alike = [row for row in rows if (row.place, row.database) == (place, database)]
        if not alike:
            raise SystemExit(f"make faults: the contract wasn't tried on {TITLES[database]} there: {title}.")
        tests, failed = (sum(getattr(row, name) for row in alike) for name in ("tests", "failed"))
        yield title, TITLES[database], len(alike), f"{tests:,}", failed, f"{sum(row.seconds for row in alike):,.0f} s"


def section() -> str:
    """Write the section."""
    rows = KEPT.read()
    return TEXT.format(rows=table(HEAD, summed_up(rows)), measured=measured(rows))
