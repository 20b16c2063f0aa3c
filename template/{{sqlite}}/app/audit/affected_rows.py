"""The rows that an UPDATE or DELETE is about to change, as they are before it.

Nobody changes others in between: on SQLite only one transaction writes at a time.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, Delete, Table, Update

from app.audit.conditions import key_in, where_of
from app.audit.guard import UnauditedError
from app.audit.snapshots import Parameters, Snapshot, read_rows, read_rows_by_key


def read_affected_rows(
    connection: Connection,
    statement: Update | Delete,
    table: Table,
    many: Sequence[Parameters],
    one: Parameters,
) -> Snapshot:
    """Return the rows that a statement selects with its parameters, or with each of many."""
    where = where_of(statement)
    if not many:
        return read_rows(connection, table, where, one)
    named = [key_in(where, table, parameters) for parameters in many]
    keys = [key for key in named if key is not None]
    if len(keys) < len(named):
        raise UnauditedError("a WHERE that is executed for several rows has to name their keys")
    return read_rows_by_key(connection, table, keys)
