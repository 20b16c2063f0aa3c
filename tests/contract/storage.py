"""What the database of the service holds, read behind its back."""

import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Engine, Select, and_, column, func, select, table, text

RECORDS = {"users", "posts", "comments"}
OWNERS = {"profiles": ("user_id", "users"), "post_tags": ("post_id", "posts")}


class Storage:
    """Rows by table and by the values of their columns; a row that is deleted, or whose owner is, counts as gone."""

    def __init__(self, engine: Engine, *, hides: bool = False) -> None:
        """Read through `engine`, in a new transaction each time; the service only `hides` what it deletes."""
        self.engine = engine
        self.hides = hides

    @property
    def with_deleted(self) -> "Storage":
        """The same database with all its rows."""
        return Storage(self.engine)

    def rows(self, name: str, /, **values: object) -> list[dict[str, Any]]:
        """Read the rows of the table `name` that have `values`."""
        statement = select(text("*")).select_from(table(name)).where(self.condition(name, values))
        with self.engine.connect() as connection:
            return [dict(row) for row in connection.execute(statement).mappings()]

    def row(self, name: str, /, **values: object) -> dict[str, Any]:
        """Read the only row of the table `name` that has `values`."""
        (row,) = self.rows(name, **values)
        return row

    def count(self, name: str, /, **values: object) -> int:
        """Count the rows of the table `name` that have `values`."""
        statement = select(func.count()).select_from(table(name)).where(self.condition(name, values))
        with self.engine.connect() as connection:
            return connection.execute(statement).scalar_one()

    def condition(self, name: str, values: dict[str, object]) -> ColumnElement[bool]:
        """Make the condition that a row of the table `name` has `values` and isn't gone."""
        equal = [column(key) == value for key, value in values.items()]
        return and_(text("1 = 1"), *equal, *(self.present(name) if self.hides else ()))

    def present(self, name: str) -> list[ColumnElement[bool]]:
        """Make the conditions that a row of the table `name` isn't deleted, and neither is what owns it."""
        if name in RECORDS:
            return [column("deleted_at").is_(None)]
        if name not in OWNERS:
            return []
        key, owner = OWNERS[name]
        owners: Select[tuple[Any]] = select(column("id")).select_from(table(owner)).where(*self.present(owner))
        return [column(key).in_(owners)]


def as_json(value: object) -> object:
    """Decode a JSON column's value, unless the driver did."""
    return json.loads(value) if isinstance(value, str | bytes) else value


def as_utc(value: object) -> datetime:
    """Read a timestamp column's value in UTC, whether the database keeps the offset or not."""
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
