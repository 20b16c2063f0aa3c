"""docs/reliability.md has a row for each fault of the suite on each database, and for each storm and place."""

from tests.faults.page import FAULTS, PLACES, STORMS, TITLES, read_sections, read_table
from tests.faults.places import PLACES as PLACES_TRIED
from tests.faults.report import faults


def rows(section: str) -> list[dict[str, str]]:
    """Read the table of a section."""
    return read_table(read_sections()[section])


def test_page_has_the_faults_of_the_suite() -> None:
    told = [(row["fault"], row["database"]) for row in rows(FAULTS)]
    assert told == [(title, TITLES[database]) for title, database in faults()], "`make faults` writes the page anew"


def test_page_has_no_lost_and_no_half_written_row() -> None:
    assert {(row["lost"], row["half-written"]) for row in rows(FAULTS)} == {("0", "0")}


def test_page_has_a_storm_on_each_database_that_is_explained() -> None:
    told = [(row["database"], row["variants"], row["not explained"]) for row in rows(STORMS)]
    assert told == [(title, "4", "0") for title in TITLES.values()]


def test_page_has_the_contract_at_each_place() -> None:
    told = [(row["where"], row["database"], row["variants"], row["failed"]) for row in rows(PLACES)]
    tried = [(title, TITLES[database], "4", "0") for (_, database), title in PLACES_TRIED.items()]
    assert told == tried, "`make faults` writes the page anew"
