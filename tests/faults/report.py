"""Keeps what the faults came to in `.cache/faults.json`, and makes docs/reliability.md of it.

`python -m tests.faults.report` writes the page.
"""

import json
from collections import Counter
from collections.abc import Iterable
from itertools import product
from typing import Any

import pytest

from tests.faults.load import CLIENTS
from tests.harness.variants import ROOT, choices

KEPT = ROOT / ".cache" / "faults.json"
PAGE = ROOT / "docs" / "reliability.md"
TITLES = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "mysql": "MySQL"}
HEAD = ("fault", "database", "clients saw, beside successes", "acknowledged", "lost", "half-written", "served again")
TEXT = """\
# Reliability

What happens to clients, and to what they were promised, when something breaks. `make faults` breaks it, and writes
this page.

{clients} clients write all the time through real sockets: they add users, one and five at once, change them, read them
back and delete some. Then the database or the service is killed, stopped or cut off, on every base variant with all
mixins. A row is the sum of a database's variants:

- **clients saw**: how many calls got which error, or no answer. A 503 always says in `Retry-After` when to try again.
- **acknowledged**: writes that got a success. Each was in every later response, and is in the database at the end, or
  else it counts as **lost**.
- **half-written**: calls with several rows of which some are there, and some aren't.
- **served again**: seconds from the end of the fault until each of the clients had a success, in the slowest variant,
  on two cores for the clients, the service and the database.

{faults}

A call without an answer may have been carried out: the connection broke between the commit and the response. A client
that can't have it done twice sends it with `If-Match`, or reads first.
"""
Row = dict[str, Any]


class FaultReport:
    """The plugin that collects a row for each fault on each variant, in the process that hands out the tests."""

    def __init__(self) -> None:
        """Begin with no row."""
        self.rows: list[Row] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the row of a test."""
        if report.when == "call":
            told: dict[str, Any] = dict(report.user_properties)
            self.rows += [told["fault"]] if "fault" in told else []

    def pytest_sessionfinish(self) -> None:
        """Write the rows."""
        if self.rows:
            KEPT.parent.mkdir(exist_ok=True)
            KEPT.write_text(json.dumps(self.rows, indent=1), encoding="utf-8")


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Write a table of Markdown."""
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def summed_up(rows: list[Row]) -> Iterable[Iterable[object]]:
    """Give the rows of the page: a fault on a database, over all variants."""
    titles = list(dict.fromkeys(row["title"] for row in rows))
    for title, database in product(titles, choices("database")):
        alike = [row for row in rows if (row["title"], row["database"]) == (title, database)]
        if alike:
            seen = sum((Counter(row["seen"]) for row in alike), Counter[str]())
            shown = ", ".join(f"{count:,} {result}" for result, count in sorted(seen.items()))
            sums = [f"{sum(row[name] for row in alike):,}" for name in ("acknowledged", "lost", "half_written")]
            yield title, TITLES[database], shown or "nothing", *sums, f"{max(row['recovered'] for row in alike):.1f} s"


def main() -> None:
    """Write the page."""
    rows = json.loads(KEPT.read_text(encoding="utf-8"))
    PAGE.write_text(TEXT.format(clients=CLIENTS, faults=table(HEAD, summed_up(rows))), encoding="utf-8")


if __name__ == "__main__":
    main()
