"""The rows that an UPDATE or DELETE is about to change, as they are before it.

They are read and locked, and the statement is limited to them. It would otherwise change as well
what another transaction commits in between, and the log would have no entry of that.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, CursorResult, Delete, Table, Update, false

from app.audit.conditions import key_in, where_of
from app.audit.guard import UnauditedError
from app.audit.snapshots import (
    KEYS_PER_STATEMENT,
    Parameters,
    Snapshot,
    read_rows,
    read_rows_by_key,
    where_key_in,
)
from app.db.errors import BusyError

Change = Update | Delete


def limit_to_locked_rows(
    connection: Connection, statement: Change, table: Table, parameters: Parameters
) -> tuple[Change, Snapshot]:
    """Return a statement that changes only rows that are locked, and these rows."""
    where = where_of(statement)
    rows = read_rows(connection, table, where, parameters)
    if (rows and key_in(where, table, parameters)) or len(rows) > KEYS_PER_STATEMENT:
        return statement, rows
    return statement.where(next(where_key_in(table, list(rows)), false())), rows


def limit_each_to_locked_rows(
    connection: Connection, statement: Change, table: Table, many: Sequence[Parameters]
) -> tuple[Change, Sequence[Parameters], Snapshot]:
    """Do the same for a statement that is executed several times, each time for one key.

    The parameters of rows that aren't there are left out.
    """
    where = where_of(statement)
    named = [key_in(where, table, parameters) for parameters in many]
    keys = [key for key in named if key is not None]
    if len(keys) < len(named):
        raise UnauditedError("a WHERE that is executed for several rows has to name their keys")
    rows = read_rows_by_key(connection, table, keys)
    if not rows.keys() <= set(keys):
        raise UnauditedError("name the keys by values that equal those of the database")
    present = [parameters for parameters, key in zip(many, keys, strict=True) if key in rows]
    if not present:
        return statement.where(false()), many[:1], rows
    return statement, present, rows


def refuse_other_rows(result: CursorResult[*tuple[Any, ...]], before: Snapshot) -> None:
    """Raise BusyError where a statement has changed rows that weren't read before."""
    if result.rowcount > len(before):
        raise BusyError("Others keep changing the same rows.")
