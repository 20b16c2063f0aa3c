"""Lists of values in a row, which save a statement of their own."""

from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Select, func


def list_of(values: Select[Any]) -> ColumnElement[Any]:
    """Return the values of a statement's only column as a list, in order."""
    (column,) = values.selected_columns
    ordered = values.order_by(column)
    return func.array(ordered.scalar_subquery(), type_=ARRAY(column.type))
