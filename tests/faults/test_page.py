"""docs/reliability.md has a row for each fault of the suite on each database."""

from tests.faults.report import PAGE, TITLES, faults


def test_page_has_the_faults_of_the_suite() -> None:
    lines = [line.split(" | ") for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    told = [(line[0].removeprefix("| "), line[1]) for line in lines[2:]]
    assert told == [(title, TITLES[database]) for title, database in faults()], "`make faults` writes the page anew"


def test_page_has_no_lost_and_no_half_written_row() -> None:
    lines = [line.split(" | ") for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    assert {(line[4], line[5]) for line in lines[2:]} == {("0", "0")}
