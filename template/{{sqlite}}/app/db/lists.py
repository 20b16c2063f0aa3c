"""Lists of values in a row, which save a statement of their own."""

from typing import Any

from sqlalchemy import JSON, ColumnElement, Select, func, select


def list_of(values: Select[Any]) -> ColumnElement[Any]:
    """Return the values of a statement's only column as a list, in order."""
    (ordered,) = values.order_by(*values.selected_columns).subquery().c
    return select(func.json_group_array(ordered, type_=JSON())).scalar_subquery()
