"""Lists of values in a row, which save a statement of their own."""

from typing import Any

from sqlalchemy import JSON, ColumnElement, Select, func


def list_of(values: Select[Any]) -> ColumnElement[Any]:
    """Return the values of a statement's only column as a list, in order.

    JSON_ARRAYAGG would give them in any order.
    """
    (column,) = values.selected_columns
    items = func.aggregate_strings(func.json_quote(column), ",").aggregate_order_by(column)
    array = func.concat("[", func.coalesce(items, ""), "]", type_=JSON())
    return values.with_only_columns(array, maintain_column_froms=True).scalar_subquery()
