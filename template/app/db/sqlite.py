"""Transactions of SQLite that begin where SQLAlchemy says, not where the driver guesses."""

from sqlite3 import OperationalError

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.pool import ConnectionPoolEntry

CONNECT_ARGS = {"isolation_level": None, "check_same_thread": False}

PRAGMAS = ("busy_timeout = 10000", "foreign_keys = ON", "synchronous = NORMAL")
ATTEMPTS = 10


def own_transactions(engine: Engine) -> None:
    """Prepare each new connection, and begin each transaction by a statement."""
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)


def _prepare(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    # The built-in function knows the letters of ASCII alone.
    connection.create_function("lower", 1, _lower, deterministic=True)
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    _write_ahead(cursor)
    cursor.close()


def _write_ahead(cursor: DBAPICursor) -> None:
    """Switch a new file to write-ahead logging, though others may be doing the same.

    SQLite waits for the lock of a transaction, but not for the one that this takes.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except OperationalError:
            if attempt == ATTEMPTS:
                raise
            cursor.execute("BEGIN IMMEDIATE")
            cursor.execute("COMMIT")
        else:
            return


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _begin(connection: Connection) -> None:
    """Take the write lock at once, so that no writer works on what another is about to change."""
    read_only = connection.get_execution_options().get("read_only", False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")
