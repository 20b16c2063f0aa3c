"""A column of one of the two databases, and the conversion of its values."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.types import NullType, TypeEngine

from copier_fastapi_sqlalchemy.move_data.values import ESCAPED_NUL, NUL, JsonValue, shortest_float

# The SQLAlchemy type that converts each kind of values. NullType leaves them as the driver has them.
CONVERTERS: dict[type, type[TypeEngine[Any]]] = {
    float: NullType,
    str: NullType,
    dict: NullType,
    int: sa.BigInteger,  # without a type, drivers go by the size of the first value of a batch
    bool: sa.Boolean,
    UUID: sa.Uuid,
    bytes: sa.LargeBinary,
    datetime: sa.DateTime,
    date: sa.Date,
    time: sa.Time,
    timedelta: sa.Interval,
    Decimal: sa.Numeric,  # in fact the column's own, with its number of decimals
}
# The kind of a column for which the two databases have types of different kinds.
MIXED_KINDS: dict[frozenset[type | None], type] = {
    frozenset((bool, int)): bool,
    frozenset((UUID, str)): UUID,
    frozenset((dict, str)): dict,
    frozenset((datetime, timedelta)): timedelta,
}


def kind_of(sql_type: TypeEngine[Any]) -> type | None:
    """Give the Python type of a column's values, `dict` for JSON; None for one that can't be moved."""
    if isinstance(sql_type, sa.JSON):
        return dict
    if isinstance(sql_type, sa.Float):
        return float
    try:
        return sql_type.python_type
    except NotImplementedError:
        return None


@dataclass(frozen=True)
class Column:
    """A column as one of the two databases has it.

    `kind` is the Python type in which its values are compared; `dict` stands for JSON. The values of a deferred column
    are written when all rows are there, because they refer to rows that may come later.
    """

    name: str
    kind: type
    sql_type: TypeEngine[Any]
    backend: str
    is_deferred: bool

    def clause(self) -> sa.ColumnClause[Any]:
        """Give the column for use in statements; numbers with decimals are converted by its own type."""
        return sa.column(self.name, self.sql_type if self.kind is Decimal else CONVERTERS[self.kind])

    def selected(self, clause: sa.ColumnClause[Any]) -> sa.ColumnElement[Any]:
        """Give what to select: JSON as text, and a FLOAT of MySQL with all its digits."""
        if self.kind is dict and self.backend == "postgresql":
            return sa.cast(clause, sa.Text)
        if isinstance(self.sql_type, mysql.FLOAT):
            return clause + sa.literal_column("0e0")
        return clause

    def comparable(self, value: Any) -> Any:
        """Give a value that was read as those of all databases compare; raises ValueError if it is of another kind."""
        if value is None:
            return None
        if self.kind is dict:
            return JsonValue.parse(value)
        if self.kind is datetime:
            return value.replace(tzinfo=None)
        if self.kind is str and isinstance(self.sql_type, sa.CHAR):
            return value.rstrip(" ")
        is_single_precision = isinstance(self.sql_type, mysql.FLOAT if self.backend == "mysql" else postgresql.REAL)
        return shortest_float(value) if is_single_precision else value

    def writable(self, value: Any) -> Any:
        """Give a comparable value as the driver takes it; raises ValueError if PostgreSQL can't hold its text."""
        text = value.text if isinstance(value, JsonValue) else value
        nul = ESCAPED_NUL if isinstance(self.sql_type, postgresql.JSONB) else NUL
        if self.backend == "postgresql" and isinstance(text, str) and nul.search(text):
            raise ValueError("has a character NUL, which PostgreSQL can't hold")
        return text
