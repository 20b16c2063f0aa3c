"""What stops a move."""

import sqlite3

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

# SQLSTATEs of PostgreSQL, and numbers of MySQL and SQLite. SQLite calls it an error of writing where a quota is met.
FULL = {"53100", 1021, 1114, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE}
# A lock that isn't free, a deadlock, a statement that is canceled.
BUSY = {"40001", "40P01", "55P03", "57014", 1205, 1213, 1317, 1969, 3024, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
# A disk that can't be read or written.
BROKEN = {sqlite3.SQLITE_IOERR}


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
    return bool(_codes(error) & FULL)


def is_of_database(error: DBAPIError) -> bool:
    """Tell whether the database couldn't go on, whatever the row."""
    return error.connection_invalidated or bool(_codes(error) & (FULL | BUSY | BROKEN))


def is_temporary(error: DBAPIError) -> bool:
    """Tell whether the same command may work later. What Python's sqlite3 refuses by itself has no code, and stays."""
    if isinstance(error.orig, sqlite3.Error) and not _codes(error):
        return False
    return error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)


def _codes(error: DBAPIError) -> set[object]:
    """Give the SQLSTATE of PostgreSQL, the number of MySQL, or the code of SQLite with the one that it extends."""
    if isinstance(error.orig, sqlite3.Error):
        code = getattr(error.orig, "sqlite_errorcode", None)
        return set() if code is None else {code, code & 0xFF}
    number = error.orig.args[0] if error.orig and error.orig.args else None
    return {number if isinstance(number, int) else getattr(error.orig, "sqlstate", None)}
