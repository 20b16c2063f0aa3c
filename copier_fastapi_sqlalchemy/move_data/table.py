"""Moves one table."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.compiler import compiles

from copier_fastapi_sqlalchemy.move_data.errors import MoveError, describe, is_of_database
from copier_fastapi_sqlalchemy.move_data.generated_keys import last_keys, set_last_key
from copier_fastapi_sqlalchemy.move_data.progress import Advance
from copier_fastapi_sqlalchemy.move_data.rows import Row, Rows

EXTRA_ROWS = "the new database has rows that the old one lacks. Empty it, or choose another."
OTHER_VALUE = "the new database has this row with another {}. Empty it, or choose another."
NULL_KEY = "a row's key is null. Give it one in the old database."
CHANGED_VALUE = "{} comes back from the new database as another value. Let its column there hold what the old one has."


class InsertWithKeys(sa.Insert):
    """An INSERT that may give values to columns that are GENERATED ALWAYS AS IDENTITY."""

    inherit_cache = True


@compiles(InsertWithKeys, "postgresql")
def _override_identity(insert: InsertWithKeys, compiler: Any, **options: Any) -> str:
    sql = str(compiler.visit_insert(insert, **options))
    return sql.replace(") VALUES (", ") OVERRIDING SYSTEM VALUE VALUES (", 1)


class TableMove:
    """Moves one table in batches of rows, each read back and compared before it is committed."""

    def __init__(self, source: Rows, target: Rows) -> None:
        """Take the table's rows in the two databases."""
        self.source, self.target = source, target
        self.name, self.total = source.table.name, source.count()
        self.deferred = [column.name for column in source.columns if column.is_deferred]

    def copy_rows(self, advance: Advance) -> int:
        """Insert the rows that the target lacks, with deferred columns as null, and give their number.

        A table without a primary key is copied in one transaction, into an empty table. `advance` is called with the
        size of each batch. Raises MoveError if a key is null, or if the target doesn't take a row, or has others.
        """
        if self.source.has_null_key():
            raise MoveError(f"{self.name}: {NULL_KEY}")
        inserted = 0
        is_copied = not self.source.key and self.target.count() > 0
        for rows in self.source.batches():
            inserted += 0 if is_copied else self._copy_batch(rows)
            advance(len(rows))
        has_same_rows = self.source.key or self.source.checksum() == self.target.checksum()
        if not has_same_rows or self.target.count() != self.total:
            raise MoveError(f"{self.name}: {EXTRA_ROWS}")
        self.target.connection.commit()
        return inserted

    def fill_references(self, advance: Advance) -> None:
        """Set the deferred columns, once the rows of all tables are there; raises MoveError as `copy_rows` does."""
        keys = self.target.key_columns
        statement = sa.update(self.target.table).where(*(key == sa.bindparam(f"key {key.name}") for key in keys))
        for rows in self.source.batches():
            found = self.target.find(rows)
            todo = [row for row in rows if found.get(self.source.key_of(row)) != row]
            self._compare(todo, found, OTHER_VALUE)
            values = [self._values(row) for row in todo]
            parameters = [
                {name: row[name] for name in self.deferred} | {f"key {key.name}": row[key.name] for key in keys}
                for row in values
            ]
            self._write(statement, todo, parameters)
            self._compare(todo, self.target.find(todo), CHANGED_VALUE, with_deferred=True)
            self.target.connection.commit()
            advance(len(rows))

    def continue_keys(self) -> None:
        """Let the next generated keys come after those that the source has generated."""
        connection = self.target.connection
        used = last_keys(self.source.database, self.source.definition)
        for name, last in last_keys(self.target.database, self.target.definition).items():
            highest = connection.execute(sa.select(sa.func.max(self.target.table.c[name]))).scalar() or 0
            if (wanted := max(highest, used.get(name, 0))) > last:
                set_last_key(self.target.database, self.target.definition, name, wanted)
        connection.commit()

    def _copy_batch(self, rows: Sequence[Row]) -> int:
        found = self.target.find(rows)
        self._compare([row for row in rows if self.source.key_of(row) in found], found, OTHER_VALUE)
        missing = [row for row in rows if self.source.key_of(row) not in found]
        parameters = [self._values(row) | dict.fromkeys(self.deferred) for row in missing]
        self._write(InsertWithKeys(self.target.table), missing, parameters)
        if self.source.key:
            self._compare(missing, self.target.find(missing), CHANGED_VALUE)
            self.target.connection.commit()
        return len(missing)

    def _compare(
        self, rows: Sequence[Row], found: Mapping[Row, Row], problem: str, *, with_deferred: bool = False
    ) -> None:
        """Raise MoveError, with the column in `problem`, for a row that was found with another value or not at all.

        A deferred column may be null still, unless `with_deferred`.
        """
        for row in rows:
            other_row = found.get(self.source.key_of(row), (None,) * len(row))
            for column, value, other in zip(self.source.columns, row, other_row, strict=True):
                may_be_null = column.is_deferred and not with_deferred
                if value != other and not (may_be_null and other is None):
                    raise self.source.error(row, problem.format(column.name))

    def _values(self, row: Row) -> dict[str, Any]:
        """Give a row as the target's driver takes it; raises MoveError if it can't hold a value."""
        values = {}
        for column, value in zip(self.target.columns, row, strict=True):
            try:
                values[column.name] = column.writable(value)
            except ValueError as error:
                raise self.source.error(row, f"{column.name} {error}. Correct it in the old database.") from None
        return values

    def _write(
        self, statement: sa.Insert | sa.Update, rows: Sequence[Row], parameters: Sequence[dict[str, Any]]
    ) -> None:
        """Execute a statement for some rows; raises MoveError for the row that the target doesn't take."""
        if not rows:
            return
        try:
            with self.target.connection.begin_nested():
                self.target.connection.execute(statement, parameters)
        except (DBAPIError, ArithmeticError, ValueError) as error:
            if isinstance(error, DBAPIError) and is_of_database(error):
                raise
            if len(rows) == 1:
                raise self.source.error(rows[0], f"the new database doesn't take it: {describe(error)}") from None
            for row, values in zip(rows, parameters, strict=True):
                self._write(statement, [row], [values])
