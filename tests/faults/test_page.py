"""docs/reliability.md has a row for each fault of the suite on each database."""

from tests.faults.report import PAGE, TITLES, faults


def cells() -> list[list[str]]:
    """Read the rows of the table before the page's other sections."""
    text = PAGE.read_text(encoding="utf-8").partition("\n## ")[0]
    return [line.removeprefix("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")][2:]


def test_page_has_the_faults_of_the_suite() -> None:
    told = [(line[0], line[1]) for line in cells()]
    assert told == [(title, TITLES[database]) for title, database in faults()], "`make faults` writes the page anew"


def test_page_has_no_lost_and_no_half_written_row() -> None:
    assert {(line[4], line[5]) for line in cells()} == {("0", "0")}
