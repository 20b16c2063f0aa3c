"""The SQL that SQLite has of its own.

No row is locked: a transaction that writes has the lock of the whole file from its beginning.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def refusing_writes(context: Any) -> Iterator[None]:
    """Let the connection of a statement's context refuse to write."""
    cursor = context.root_connection.connection.cursor()
    cursor.execute("PRAGMA query_only = ON")
    try:
        yield
    finally:
        cursor.execute("PRAGMA query_only = OFF")
        cursor.close()


def is_refused_write(error: Exception) -> bool:
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_READONLY
