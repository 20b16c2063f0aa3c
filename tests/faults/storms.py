"""Keeps what storms of writers came to in `.cache/storms.json`, and makes a section of docs/reliability.md of it."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tests.faults.page import TITLES, measured, table
from tests.harness.kept import Kept

HEAD = ("database", "variants", "calls", "done", "refused: 404, 409, 412", "503", "not explained")
TEXT = """\
8 clients write to the same three posts, and want the same two emails, through two processes of a service, on every base
variant with all mixins: they change titles, half of the time with `If-Match`, read, search, delete, restore, and create
and delete users. Each keeps what it was told, and a checker asks of every record whether that can have happened:

- no version of it was made twice, so that no update is lost, and none is older than what had been told before
- a write with `If-Match` follows the version that it names, and a 412 had a newer one
- what is read is what was written as that version, and what was acknowledged is there in the end
- a 404 comes after a deletion that nothing has undone, and what was deleted can't be read
- a search finds what was current at some moment of the call, and nothing else
- an email belongs to one user at a time

Then the audit log is replayed, and has to give the tables as they are. PostgreSQL and MySQL run at READ COMMITTED, the
isolation level that the services ask for; SQLite has one writer at a time. The suite plants an anomaly of each kind
in a history, and the checker finds it.

{rows}

{measured}
"""


@dataclass(frozen=True)
class Storm:
    """What clients were told on a variant: `calls` has how many got which status, or `0` for no answer."""

    database: str
    variant: str
    server: str
    calls: dict[str, int]
    anomalies: int


STORMS = Kept("storms.json", Storm, key=("variant",))


def summed_up(storms: list[Storm]) -> Iterator[Iterable[object]]:
    """Give the rows of the section: a database, over its variants."""
    for database, title in TITLES.items():
        alike = [storm for storm in storms if storm.database == database]
        if not alike:
            raise SystemExit(f"make faults: no storm of writers was measured on {title}.")
        calls = sum((Counter(storm.calls) for storm in alike), Counter[str]())
        done = sum(number for status, number in calls.items() if status.startswith("2"))
        refused = sum(number for status, number in calls.items() if status.startswith("4"))
        anomalies = sum(storm.anomalies for storm in alike)
        yield title, len(alike), *(f"{each:,}" for each in (calls.total(), done, refused, calls["503"], anomalies))


def section() -> str:
    """Write the section."""
    storms = STORMS.read()
    return TEXT.format(rows=table(HEAD, summed_up(storms)), measured=measured(storms))
