"""The SQL that MySQL has of its own.

Rows that are about to change are locked with SQLAlchemy's own `with_for_update()`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy import Select, text

SelectT = TypeVar("SelectT", bound=Select[*tuple[Any, ...]])

# Whether the server takes no writes, as a replica doesn't.
IS_READ_ONLY = text("SELECT CAST(@@read_only AS CHAR) NOT IN ('0', 'OFF')")


def lock_for_reference(statement: SelectT) -> SelectT:
    """Lock the rows that a new row is about to refer to, so that nobody deletes them meanwhile.

    Where the lock is taken first, from the parent to the child, an insert and the deletion of its
    parent wait for each other, instead of meeting in a deadlock.
    """
    return statement.with_for_update(read=True)


@contextmanager
def refusing_writes(context: Any) -> Iterator[None]:
    """Let the connection of a statement's context refuse to write."""
    cursor = context.root_connection.connection.cursor()
    cursor.execute("SET SESSION TRANSACTION READ ONLY")
    try:
        cursor.execute("START TRANSACTION")
        yield
    finally:
        cursor.execute("SET SESSION TRANSACTION READ WRITE")
        cursor.close()


def is_refused_write(error: Exception) -> bool:
    return error.args[:1] == (1792,)  # ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION
