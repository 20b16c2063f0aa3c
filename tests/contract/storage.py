"""What the database of the service holds, read behind its back."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, column, func, select, table, text

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Engine


class Storage:
    """Rows by table and by the values of their columns."""

    def __init__(self, engine: Engine) -> None:
        """Read through `engine`, in a new transaction each time."""
        self.engine = engine

    def rows(self, name: str, /, **values: object) -> list[dict[str, Any]]:
        """Read the rows of the table `name` that have `values`."""
        statement = select(text("*")).select_from(table(name)).where(equal(values))
        with self.engine.connect() as connection:
            return [dict(row) for row in connection.execute(statement).mappings()]

    def row(self, name: str, /, **values: object) -> dict[str, Any]:
        """Read the only row of the table `name` that has `values`."""
        (row,) = self.rows(name, **values)
        return row

    def count(self, name: str, /, **values: object) -> int:
        """Count the rows of the table `name` that have `values`."""
        statement = select(func.count()).select_from(table(name)).where(equal(values))
        with self.engine.connect() as connection:
            return connection.execute(statement).scalar_one()

    def scalars(self, sql: str) -> list[Any]:
        """Read the first column of what `sql` selects."""
        with self.engine.connect() as connection:
            return list(connection.execute(text(sql)).scalars())


def equal(values: dict[str, object]) -> ColumnElement[bool]:
    """Make the condition that each column of `values` has its value."""
    return and_(text("1 = 1"), *(column(name) == value for name, value in values.items()))


def as_json(value: object) -> object:
    """Decode a JSON column's value, unless the driver did."""
    return json.loads(value) if isinstance(value, str | bytes) else value


def as_utc(value: object) -> datetime:
    """Read a timestamp column's value in UTC, whether the database keeps the offset or not."""
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
