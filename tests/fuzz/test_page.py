"""docs/reliability.md says what is sent, and has figures of a whole run or none."""

from tests.faults.page import INPUT, TITLES, read_sections, read_table
from tests.fuzz.report import about, kinds


def test_section_says_what_the_suite_sends() -> None:
    assert read_sections()[INPUT].startswith(about().strip()), "`make fuzz` writes the section anew"


def test_section_has_figures_of_all_the_suite_or_none() -> None:
    section = read_sections()[INPUT]
    told = [(row["input"], row["database"]) for row in read_table(section)]
    if told or section != about().strip():
        assert told == [(title, TITLES[database]) for title, database in kinds()], "`make fuzz` writes the section anew"


def test_section_has_no_failure_of_a_service() -> None:
    rows = read_table(read_sections()[INPUT])
    assert {row["other 5xx"] for row in rows} <= {"0"}
    assert "0" not in {row[column] for row in rows for column in ("requests", "operations")}
