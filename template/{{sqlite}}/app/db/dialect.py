"""The SQL that SQLite has of its own.

No row is locked: a transaction that writes has the lock of the whole file from its beginning.
"""

import sqlite3

# Lets a connection refuse to write.
READ_ONLY = "PRAGMA query_only = ON"


def is_refused_write(error: BaseException) -> bool:
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_READONLY
