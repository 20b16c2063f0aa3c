"""What an INSERT or UPDATE stored, where its parameters tell.

This spares most requests a SELECT. The log is the same without it: where these functions return
None, the rows are read from the database.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Boolean,
    Column,
    CursorResult,
    Date,
    Enum,
    Insert,
    Integer,
    SmallInteger,
    String,
    Table,
    Text,
    Update,
)

from app.audit.snapshots import Key, Parameters, Snapshot
from app.db.columns import stored_columns
from app.db.types import JSONObject, UTCDateTime

# Values of other types are rounded, padded or converted.
STORED_AS_GIVEN = {
    BigInteger,
    Boolean,
    Date,
    Enum,
    Integer,
    JSONObject,
    SmallInteger,
    String,
    Text,
    UTCDateTime,
}


def inserted_values(
    statement: Insert, table: Table, result: CursorResult[*tuple[Any, ...]], keys: Sequence[Key]
) -> Snapshot | None:
    """Return the rows that an INSERT added, with these keys; None where they have to be read."""
    inserted = result.last_inserted_params()
    parameters = inserted if isinstance(inserted, list) else [inserted]
    names = [column.key for column in table.primary_key]
    columns = stored_columns(table)
    missing = [column for column in columns if column.key not in {*parameters[0], *names}]
    are_known = all(None not in key for key in keys) and not any(map(_has_default, missing))
    if not are_known or not _are_stored_as_given(statement, table, parameters):
        return None
    return {
        key: {column.key: row.get(column.key) for column in columns}
        | dict(zip(names, key, strict=True))
        for key, row in zip(keys, parameters, strict=True)
    }


def updated_values(
    statement: Update, table: Table, result: CursorResult[*tuple[Any, ...]]
) -> dict[str, Any] | None:
    """Return the values that an UPDATE set; None where the rows have to be read."""
    parameters = result.last_updated_params()
    if isinstance(parameters, list) or result.postfetch_cols():
        return None
    compiled: Any = result.context.compiled
    values = {
        name: value
        for name, value in parameters.items()
        if name in table.c and compiled.binds[name]._is_crud  # noqa: SLF001
    }
    changes_key = any(column.key in values for column in table.primary_key)
    return None if changes_key or not _are_stored_as_given(statement, table, [values]) else values


def _are_stored_as_given(
    statement: Insert | Update, table: Table, rows: Sequence[Parameters]
) -> bool:
    given = (statement._values or {}).values()  # noqa: SLF001
    return (
        all(type(column.type) in STORED_AS_GIVEN for column in table.c)
        and all(isinstance(value, BindParameter) and value.unique for value in given)
        and all(_is_own_value(column, row.get(column.key)) for row in rows for column in table.c)
    )


def _is_own_value(column: Column[Any], value: Any) -> bool:
    """Whether a value has the Python type of the column: a Boolean that is given 1 is read True."""
    return value is None or column.type.python_type in (type(value), object)


def _has_default(column: Column[Any]) -> bool:
    return column.default is not None or column.server_default is not None
