"""docs/reliability.md has a row for each kind of hostile input on each database."""

from tests.faults.report import PAGE, SECTION, TITLES
from tests.fuzz.report import HEAD, kinds


def cells() -> list[dict[str, str]]:
    """Read the rows of the section's table."""
    text = PAGE.read_text(encoding="utf-8").partition(SECTION)[2]
    lines = [line.removeprefix("| ").removesuffix(" |").split(" | ") for line in text.splitlines() if line[:2] == "| "]
    return [dict(zip(HEAD, line, strict=True)) for line in lines[2:]]


def test_section_has_the_kinds_of_the_suite() -> None:
    told = [(row["input"], row["database"]) for row in cells()]
    assert told == [(title, TITLES[database]) for title, database in kinds()], "`make fuzz` writes the section anew"


def test_section_has_successes_and_no_failure_of_a_service() -> None:
    assert {row["other 5xx"] for row in cells()} == {"0"}
    assert "0" not in {row[column] for row in cells() for column in ("requests", "operations")}
