"""Orders of rows and places in them."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import TypeAdapter
from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    SQLColumnExpression,
    UnaryExpression,
    and_,
    bindparam,
    or_,
)

from app.db.errors import BadCursorError, BadSortError

RowT = TypeVar("RowT")
SelectT = TypeVar("SelectT", bound=Select[*tuple[Any, ...]])


def order_by(
    sort: str | None, allowed: Mapping[str, SQLColumnExpression[Any]], key: SQLColumnExpression[int]
) -> list[UnaryExpression[Any]]:
    """Return the order that a text such as `-created_at,name` names, its ties broken by the key.

    Raises BadSortError where a field isn't allowed or is named twice.
    """
    order = []
    names = set()
    for field in sort.split(",") if sort else []:
        name = field.removeprefix("-")
        if name not in allowed:
            choices = ", ".join(allowed)
            raise BadSortError(f"can't sort by {name!r}: use any of {choices}")
        if name in names:
            raise BadSortError(f"{name!r} is named twice")
        names.add(name)
        order.append(allowed[name].desc() if field.startswith("-") else allowed[name].asc())
    return [*order, key.asc()]


class Keyset:
    """Rows from the newest to the oldest, in pages that cost the same at any depth.

    The last column is unique. `position` reads and writes a cursor's values, one per column.
    """

    def __init__(
        self, columns: Mapping[str, SQLColumnExpression[Any]], position: TypeAdapter[Any]
    ) -> None:
        self._columns = columns
        self._position = position
        self.order = [column.desc() for column in columns.values()]

    def slice(self, statement: SelectT, cursor: str | None, limit: int) -> SelectT:
        """Return a statement of the rows after the cursor: as many as the limit, and one more.

        Raises BadCursorError where the text is no cursor.
        """
        return self.seek(self.ordered(statement), cursor).limit(limit + 1)

    def ordered(self, statement: SelectT) -> SelectT:
        """Return the statement in this order, of as many rows as its parameter `limit` says."""
        return statement.order_by(*self.order).limit(bindparam("limit", type_=Integer))

    def seek(self, statement: SelectT, cursor: str | None) -> SelectT:
        """Return the statement with the rows after the cursor alone, itself where there is none.

        Raises BadCursorError where the text is no cursor.
        """
        return statement if cursor is None else statement.where(self._after(cursor))

    def page(self, rows: Sequence[RowT], limit: int) -> tuple[Sequence[RowT], str | None]:
        """Return the rows of a slice, and the cursor of those after them."""
        if len(rows) <= limit:
            return rows, None
        return rows[:limit], self._cursor(rows[limit - 1])

    def _cursor(self, row: Any) -> str:
        values = tuple(getattr(row, name) for name in self._columns)
        return base64.urlsafe_b64encode(self._position.dump_json(values)).decode().rstrip("=")

    def _after(self, cursor: str) -> ColumnElement[bool]:
        # It reads `a <= x AND (a < x OR id < y)`: every planner makes one range of the index of it.
        try:
            padding = "=" * (-len(cursor) % 4)
            decoded = base64.b64decode(cursor + padding, altchars=b"-_", validate=True)
            values = self._position.validate_json(decoded)
        except (ValueError, binascii.Error, OverflowError):
            raise BadCursorError(
                "The cursor isn't one of ours: use next_cursor of the page before."
            ) from None
        *columns, key = self._columns.values()
        *limits, last = values
        condition: ColumnElement[bool] = key < last
        for column, limit in zip(reversed(columns), reversed(limits), strict=True):
            condition = and_(column <= limit, or_(column < limit, condition))
        return condition
