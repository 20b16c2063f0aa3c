"""What stops a move."""

import sqlite3

from sqlalchemy.exc import DBAPIError

# SQLSTATEs of PostgreSQL, and numbers of MySQL and SQLite. SQLite calls it an error of the disk where a limit is met.
FULL = {"53100", 1021, 1114, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
# A lock that isn't free, a deadlock, a statement that is canceled.
BUSY = {"40001", "40P01", "55P03", "57014", 1205, 1213, 1317, 1969, 3024, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


class MoveError(Exception):
    """The data can't be moved. The message is one line: what is wrong, and what to do about it."""

    exit_code = 1


class UsageError(MoveError):
    """An argument of the command is wrong."""

    exit_code = 2


def describe(error: Exception) -> str:
    """Give the message of an error, of the driver's own where there is one, on one line."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    return " ".join(str(cause.args[-1] if cause.args else cause).split())


def is_full(error: DBAPIError) -> bool:
    """Tell whether there was no room for a row, which may fit as it is."""
    return _code(error) in FULL


def is_of_database(error: DBAPIError) -> bool:
    """Tell whether the database couldn't go on, whatever the row."""
    return error.connection_invalidated or _code(error) in FULL | BUSY


def _code(error: DBAPIError) -> object:
    """Give the SQLSTATE of PostgreSQL, and the number of MySQL and SQLite."""
    if isinstance(error.orig, sqlite3.Error):
        return error.orig.sqlite_errorcode & 0xFF
    number = error.orig.args[0] if error.orig and error.orig.args else None
    return number if isinstance(number, int) else getattr(error.orig, "sqlstate", None)
