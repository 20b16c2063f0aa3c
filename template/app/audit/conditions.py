"""Reads the WHERE of a statement."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import (
    BinaryExpression,
    BindParameter,
    BooleanClauseList,
    Column,
    ColumnElement,
    Delete,
    Table,
    Update,
    true,
)
from sqlalchemy.sql.operators import and_, eq

from app.audit.snapshots import Key, Parameters


def where_of(statement: Update | Delete) -> ColumnElement[bool]:
    return true() if statement.whereclause is None else statement.whereclause


def key_in(where: ColumnElement[bool], table: Table, parameters: Parameters) -> Key | None:
    """Return the primary key of the row, where each column of the key is compared to a value."""
    values: dict[str | None, Any] = {}
    for part in _parts(where):
        if isinstance(part, BinaryExpression) and part.operator is eq:
            column, value = part.left, part.right
            is_own = isinstance(column, Column) and column.table == table
            if is_own and isinstance(value, BindParameter):
                values[column.key] = parameters.get(value.key, value.effective_value)
    names = [column.key for column in table.primary_key]
    return tuple(values[name] for name in names) if values.keys() >= set(names) else None


def _parts(condition: ColumnElement[bool]) -> Iterator[ColumnElement[bool]]:
    """Yield the conditions that AND joins."""
    if isinstance(condition, BooleanClauseList) and condition.operator is and_:
        for part in condition.clauses:
            yield from _parts(part)
    else:
        yield condition
