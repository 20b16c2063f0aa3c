"""Lists of values in a row, which save a statement of their own."""

from typing import Any

from sqlalchemy import ColumnElement, Select, func


def list_of(values: Select[Any]) -> ColumnElement[Any]:
    """Return the values of a statement's only column as a list, in order."""
    return func.array(values.order_by(*values.selected_columns).scalar_subquery())
