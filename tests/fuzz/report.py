"""Keeps what hostile input came to in `.cache/fuzz.json`, and makes a section of docs/reliability.md of it.

`python -m tests.fuzz.report` writes the section.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from tests.faults.page import INPUT, TITLES, measured, table, write_sections
from tests.faults.report import rows_of_suite
from tests.harness.kept import Kept
from tests.harness.variants import choices

HEAD = ("input", "database", "variants", "requests", "operations", "2xx", "3xx", "4xx", "503", "other 5xx", "time")
# A test that asks for this fixture is a row of the section.
RECORDING = {"keep_tally"}
TEXT = """\
What a service answers to input that no honest client sends, through real sockets:

{kinds}

Values that break programs and Schemathesis call each operation of the service's own `/openapi.json`, and each has a
success too. Each response has a status that the document declares, unless what stands in the path or in a header makes
the request another operation's, or none's. A cursor isn't signed: one that happens to name another place of its list
gives that page. The body is what the document declares: JSON by the letter of RFC 8259,
`application/problem+json` for errors. A head that isn't HTTP, or is over 64 KiB, gets a 400 or 431 without a body.
A 503 says in `Retry-After` when to try again. After it all the service is ready.

`make test` sends this to one variant of each database with all mixins. `make fuzz` sends more of it, to every base
variant with all mixins, and adds its figures here.
"""
FIGURES = """
{rows}

A row is the sum of a database's variants, with {examples} examples of each kind. {measured}
"""


@dataclass(frozen=True)
class Row:
    """What a kind of input came to on a variant."""

    title: str
    database: str
    variant: str
    server: str
    statuses: dict[str, int]
    operations: int
    examples: int
    seconds: float


ROWS = Kept("fuzz.json", Row, key=("title", "variant"))


def kinds() -> Iterator[tuple[str, str]]:
    """Give each kind of input of the suite with each database, in the order of the section."""
    return rows_of_suite("fuzz", RECORDING)


def count(statuses: Mapping[str, int], start: str, but: str = "") -> int:
    """Count the responses of a class of statuses, but those with one of them."""
    return sum(number for status, number in statuses.items() if status.startswith(start) and status != but)


def about() -> str:
    """Say what is sent, and what is checked."""
    titles = dict.fromkeys(title for title, _ in kinds())
    return TEXT.format(kinds="\n".join(f"- {title}" for title in titles))


def figures(rows: list[Row]) -> str:
    """Give what a whole run came to; nothing where there was none."""
    if not rows:
        return ""
    numbers = {row.examples for row in rows}
    if len(numbers) != 1:
        raise SystemExit(
            f"make fuzz: some rows are of other numbers of examples: {sorted(numbers)}. Remove .cache/{ROWS.file}."
        )
    return FIGURES.format(rows=table(HEAD, summed_up(rows)), examples=numbers.pop(), measured=measured(rows))


def summed_up(rows: list[Row]) -> Iterator[Iterable[object]]:
    """Give the rows of the section: a kind of input on a database, over all variants."""
    variants = len(choices("io")) * len(choices("data_access"))
    for title, database in kinds():
        alike = [row for row in rows if (row.title, row.database) == (title, database)]
        if len(alike) < variants:
            raise SystemExit(f"make fuzz: this wasn't sent to every variant of {TITLES[database]}: {title}.")
        statuses = sum((Counter(row.statuses) for row in alike), Counter[str]())
        columns = (
            statuses.total(),
            max(row.operations for row in alike),
            count(statuses, start="2"),
            count(statuses, start="3"),
            count(statuses, start="4"),
            statuses["503"],
            count(statuses, start="5", but="503"),
        )
        numbers = [f"{number:,}" for number in columns]
        yield title, TITLES[database], len(alike), *numbers, f"{sum(row.seconds for row in alike):,.0f} s"


def main() -> None:
    """Write the section."""
    write_sections({INPUT: about() + figures(ROWS.read())})


if __name__ == "__main__":
    main()
