import sqlite3

import pytest

from app.db.driver_errors import is_unavailable
from tests.database import driver_error


@pytest.mark.parametrize(
    "code",
    [
        sqlite3.SQLITE_BUSY_SNAPSHOT,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR_WRITE,
        sqlite3.SQLITE_READONLY_DBMOVED,
    ],
)
def test_error_that_passes_is_unavailable(code: int) -> None:
    assert is_unavailable(driver_error(code))


@pytest.mark.parametrize(
    "code", [sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_CONSTRAINT_CHECK]
)
def test_error_of_the_service_is_not_unavailable(code: int) -> None:
    assert not is_unavailable(driver_error(code))
