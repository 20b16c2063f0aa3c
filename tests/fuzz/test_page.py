"""docs/reliability.md says what is sent, and has figures of a whole run or none."""

from tests.faults.report import PAGE, SECTION, TITLES
from tests.fuzz.report import HEAD, about, kinds


def section() -> str:
    """Read the section."""
    return PAGE.read_text(encoding="utf-8").partition(SECTION)[2]


def cells() -> list[dict[str, str]]:
    """Read the rows of the section's table, where there is one."""
    lines = [
        line.removeprefix("| ").removesuffix(" |").split(" | ") for line in section().splitlines() if line[:2] == "| "
    ]
    return [dict(zip(HEAD, line, strict=True)) for line in lines[2:]]


def test_section_says_what_the_suite_sends() -> None:
    assert section().startswith(about()), "`make fuzz` writes the section anew"


def test_section_has_figures_of_all_the_suite_or_none() -> None:
    told = [(row["input"], row["database"]) for row in cells()]
    if told or section() != about():
        assert told == [(title, TITLES[database]) for title, database in kinds()], "`make fuzz` writes the section anew"


def test_section_has_no_failure_of_a_service() -> None:
    assert {row["other 5xx"] for row in cells()} <= {"0"}
    assert "0" not in {row[column] for row in cells() for column in ("requests", "operations")}
