"""The rows of a table in one of the two databases."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DataError

from copier_fastapi_sqlalchemy.move_data.columns import Column
from copier_fastapi_sqlalchemy.move_data.database import Database
from copier_fastapi_sqlalchemy.move_data.errors import MoveError, describe

BATCH = 1000

Row = tuple[Any, ...]


class Rows:
    """The rows of a table in one database, in a form that compares with the rows of the other one."""

    def __init__(self, database: Database, definition: sa.Table, columns: Sequence[Column], key: Sequence[str]) -> None:
        """Take the table, its columns that are moved, and the names of those of the primary key, if any."""
        self.database, self.connection = database, database.connection
        self.definition, self.columns = definition, columns
        self.table = sa.table(definition.name, *(column.clause() for column in columns))
        names = [column.name for column in columns]
        self.key = [names.index(column) for column in key]
        self.key_columns = [self.table.c[column] for column in key]
        self.select = sa.select(*(column.selected(self.table.c[column.name]) for column in columns))

    def count(self) -> int:
        """Count the rows."""
        return self.connection.execute(sa.select(sa.func.count()).select_from(self.table)).scalar_one()

    def has_null_key(self) -> bool:
        """Tell whether a row's key is null, which SQLite allows."""
        is_null = sa.or_(sa.false(), *(key.is_(None) for key in self.key_columns))
        found = sa.select(sa.literal(1)).select_from(self.table).where(is_null).limit(1)
        return self.connection.execute(found).first() is not None

    def batches(self) -> Iterator[list[Row]]:
        """Give all rows in batches, ordered by the primary key if there is one."""
        if not self.key:
            result = self.connection.execute(self.select, execution_options={"yield_per": BATCH})
            yield from ([self._comparable(row) for row in rows] for rows in result.partitions())
            return
        first = statement = self.select.order_by(*self.key_columns).limit(BATCH)
        while rows := self.connection.execute(statement).all():
            yield [self._comparable(row) for row in rows]
            statement = first.where(_is_after(self.key_columns, self.key_of(rows[-1])))

    def find(self, rows: Sequence[Row]) -> Mapping[Row, Row]:
        """Give those of the rows that are here, by their keys; raises MoveError if a key can't be here."""
        if not self.key or not rows:
            return {}
        keys = [self.key_of(row) for row in rows]
        if len(self.key) == 1:
            condition = self.key_columns[0].in_([value for (value,) in keys])
        else:
            condition = sa.tuple_(*self.key_columns).in_(keys)
        try:
            with self.connection.begin_nested():
                found = self.connection.execute(self.select.where(condition)).all()
        except (DataError, ArithmeticError) as error:
            if len(rows) == 1:
                raise self.error(rows[0], f"the {self.database.label} doesn't take it: {describe(error)}") from None
            return {key: found for row in rows for key, found in self.find([row]).items()}
        return {self.key_of(row): row for row in map(self._comparable, found)}

    def checksum(self) -> int:
        """Give a number that is the same for the same rows in any order."""
        return sum(hash(row) for rows in self.batches() for row in rows)

    def key_of(self, row: Sequence[Any]) -> Row:
        """Give the values of a row's primary key."""
        return tuple(row[position] for position in self.key)

    def error(self, row: Sequence[Any], problem: str) -> MoveError:
        """Make the error that names a row by its key."""
        names = (column.name for column in self.key_columns)
        key = ", ".join(f"{name}={value}" for name, value in zip(names, self.key_of(row), strict=True))
        return MoveError(f"{self.table.name} ({key or 'without a key'}): {problem}")

    def _comparable(self, read: Sequence[Any]) -> Row:
        row = []
        for column, value in zip(self.columns, read, strict=True):
            try:
                row.append(column.comparable(value))
            except (ValueError, TypeError, AttributeError, ArithmeticError, RecursionError):
                problem = f"the value of {column.name} in the {self.database.label} is no {column.kind.__name__}"
                raise self.error(read, f"{problem}. Correct it there.") from None
        return tuple(row)


def _is_after(key: Sequence[sa.ColumnElement[Any]], last: Sequence[Any]) -> sa.ColumnElement[bool]:
    """Give the condition for the rows after the key `last`, written so that every database uses its index."""
    if len(key) == 1:
        return sa.and_(key[0] > last[0])
    return sa.and_(key[0] >= last[0], sa.or_(key[0] > last[0], _is_after(key[1:], last[1:])))
