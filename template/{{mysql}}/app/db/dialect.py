"""The SQL that MySQL has of its own.

Rows that are about to change are locked with SQLAlchemy's own `with_for_update()`.
"""

from typing import Any, TypeVar

from sqlalchemy import Select, text

SelectT = TypeVar("SelectT", bound=Select[*tuple[Any, ...]])

# Lets a connection refuse to write.
READ_ONLY = "SET SESSION TRANSACTION READ ONLY"
# Whether the server takes no writes, as a replica doesn't.
IS_READ_ONLY = text("SELECT CAST(@@read_only AS CHAR) NOT IN ('0', 'OFF')")


def lock_for_reference(statement: SelectT) -> SelectT:
    """Lock the rows that a new row is about to refer to, so that nobody deletes them meanwhile.

    Where the lock is taken first, from the parent to the child, an insert and the deletion of its
    parent wait for each other, instead of meeting in a deadlock.
    """
    return statement.with_for_update(read=True)


def is_refused_write(error: BaseException) -> bool:
    return error.args[:1] == (1792,)  # ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION
