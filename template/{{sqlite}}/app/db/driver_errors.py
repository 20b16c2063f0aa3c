"""What a database error means, told by the driver's code and never by its message."""

import sqlite3

from sqlalchemy.exc import DBAPIError

UNIQUE = {sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY}
# SQLite keeps RESTRICT by a trigger of its own.
FOREIGN_KEY = {sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY, sqlite3.SQLITE_CONSTRAINT_TRIGGER}
UNAVAILABLE = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,  # no space on the disk
    sqlite3.SQLITE_INTERRUPT,  # a statement took too long
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_PROTOCOL,  # a lock of the file can't be taken
    sqlite3.SQLITE_READONLY,
}


def is_unique_violation(error: DBAPIError) -> bool:
    return _code(error) in UNIQUE


def is_foreign_key_violation(error: DBAPIError) -> bool:
    return _code(error) in FOREIGN_KEY


def is_unavailable(error: DBAPIError) -> bool:
    """Whether the same request can succeed later: a lock, a timeout, a file that is gone."""
    primary_code = _code(error) & 0xFF
    return primary_code in UNAVAILABLE or error.connection_invalidated


def needs_new_connection(error: DBAPIError) -> bool:
    """Whether a connection can't write: one made while the file could only be read stays so."""
    return _code(error) & 0xFF == sqlite3.SQLITE_READONLY


def _code(error: DBAPIError) -> int:
    """Return the extended code, or 0 where the driver gives none."""
    return getattr(error.orig, "sqlite_errorcode", 0)
