"""The columns of a table that hold what was written."""

from typing import Any

from sqlalchemy import Column, Table


def stored_columns(table: Table) -> list[Column[Any]]:
    """Return the columns that a row is written with: all but those that the database computes."""
    return [column for column in table.c if column.computed is None]
