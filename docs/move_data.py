# /// script
# requires-python = ">=3.11"
# dependencies = ["sqlalchemy>=2.1", "psycopg[binary]>=3.3", "pymysql[rsa]>=1.2"]
# ///
"""Moves every row of a database to another one: SQLite, PostgreSQL, MySQL or MariaDB.

`uv run move_data.py SOURCE_URL TARGET_URL`, once the service has stopped and the target has its tables. The source is
only read. After an interruption, the same command adds what is missing.
"""

import json
import re
import struct
import sys
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Context, Decimal, Inexact
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.exc import (
    ArgumentError,
    CircularDependencyError,
    DataError,
    DBAPIError,
    InterfaceError,
    OperationalError,
    SAWarning,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import sort_tables_and_constraints
from sqlalchemy.types import NullType, TypeEngine

BATCH = 1000
USAGE = "usage: move_data.py SOURCE_URL TARGET_URL, such as sqlite:///./app.db postgresql://user:password@host/name"
MIGRATE = "Migrate the target first: `alembic upgrade head`."
CHANGED = "{} comes back from the target as another value. Let its column there hold what the source has."
OTHERWISE = "the target has this row with another {}. Empty the target, or choose another."
DRIVERS = {"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql"}
OPTIONS: dict[str, dict[str, Any]] = {
    "sqlite": {"isolation_level": None},
    "postgresql": {"connect_timeout": 10, "client_encoding": "utf8"},
    "mysql": {"connect_timeout": 10, "charset": "utf8mb4"},
}
# Moments are in UTC. MySQL refuses what doesn't fit instead of cutting it, and a key of 0 is a key.
SETTINGS = {
    "sqlite": "PRAGMA foreign_keys = ON",
    "postgresql": "SET TIME ZONE 'UTC'",
    "mysql": "SET time_zone = '+00:00', sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION'",
}
# How SQLAlchemy converts each kind of values: by NullType not at all, for None by the column's own type.
KINDS = dict.fromkeys((float, str, dict), NullType) | {
    int: sa.BigInteger,  # of several values without a type, the first decides how large they may be
    bool: sa.Boolean,
    UUID: sa.Uuid,
    bytes: sa.LargeBinary,
    Decimal: None,
    datetime: sa.DateTime,
    date: sa.Date,
    time: sa.Time,
    timedelta: sa.Interval,
}
# What a column holds where the two databases have different types for it.
MIXED: dict[frozenset[type | None], type] = {
    frozenset((bool, int)): bool,
    frozenset((UUID, str)): UUID,
    frozenset((dict, str)): dict,
    frozenset((datetime, timedelta)): timedelta,
}
POSTGRESQL_COUNTERS = """
SELECT attname, coalesce(pg_sequence_last_value(pg_get_serial_sequence(:name, attname)::regclass), 0) AS last
FROM pg_attribute WHERE attrelid = CAST(:name AS regclass) AND attnum > 0 AND NOT attisdropped
AND pg_get_serial_sequence(:name, attname) IS NOT NULL
"""
EXACT = Context(prec=5000, traps=[Inexact])
NUL = re.compile("\0")
ESCAPED_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")

Row = tuple[Any, ...]


class Refused(Exception):
    """It can't be done; the text says why and what helps."""

    status = 1


class Misused(Refused):
    """The command line is wrong."""

    status = 2


@dataclass(frozen=True)
class Document:
    """JSON as it is written; two are equal where their values are."""

    text: str = field(compare=False)
    value: str

    @classmethod
    def parse(cls, read: str | float) -> "Document":
        """Take a text, or the number that SQLite makes of one; raises ValueError where it is no JSON."""
        text = read if isinstance(read, str) else json.dumps(read)
        return cls(text, repr(json.loads(text, parse_int=_number, parse_float=_number, object_pairs_hook=_sorted)))


def _number(digits: str) -> Decimal:
    return EXACT.add(Decimal(digits), Decimal(0)).normalize(EXACT)


def _sorted(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return dict(sorted(dict(pairs).items()))


def _shortest(value: float) -> float:
    """Give a number of single precision by the fewest digits that tell it from others."""
    digits = (float(f"{value:.{count}g}") for count in range(6, 10))
    return next(short for short in digits if struct.pack("f", short) == struct.pack("f", value))


@compiles(sa.Insert, "postgresql")
def _keep_keys(insert: sa.Insert, compiler: Any, **options: Any) -> Any:
    """Let keys be given to a column that is GENERATED ALWAYS AS IDENTITY."""
    return compiler.visit_insert(insert, **options).replace(") VALUES (", ") OVERRIDING SYSTEM VALUE VALUES (", 1)


class Side:
    """The source or the target: its connection and its tables."""

    def __init__(self, name: str, url: sa.URL) -> None:
        """Connect; the source is opened for reading, in one snapshot. Raises Refused where the database isn't there."""
        self.name, self.database, is_source = name, url.get_backend_name(), name == "source"
        if self.database == "sqlite":
            path = Path(str(url.database)).resolve()
            if not path.is_file():
                raise Misused(f"The {name} is no file: {path}")
            mode = {"mode": "ro" if is_source else "rw", "uri": "true"}
            url = url.set(database=path.as_uri().replace("file://", "file:", 1), query=mode)
        options = {"connect_args": OPTIONS[self.database], "poolclass": sa.NullPool, "hide_parameters": True}
        engine = sa.create_engine(url.set(drivername=DRIVERS[self.database]), **options)
        sa.event.listen(engine, "connect", self._prepare)
        if self.database == "sqlite":
            sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
        elif is_source:
            engine = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        try:
            self.connection = engine.connect()
        except (DBAPIError, TypeError, ValueError) as error:
            raise Refused(f"The {name} can't be reached: {_reason(error)}") from None
        if self.database == "mysql" and is_source:
            self.connection.exec_driver_sql("START TRANSACTION READ ONLY, WITH CONSISTENT SNAPSHOT")
        self.tables: dict[str, sa.Table] = {}

    def _prepare(self, connection: Any, _entry: object) -> None:
        cursor = connection.cursor()
        cursor.execute(SETTINGS[self.database])
        cursor.close()
        connection.commit()

    def reflect(self, wanted: Iterable[str] | None = None) -> None:
        """Read the tables that are `wanted`, or all; not Alembic's, nor what SQLite keeps for its searches."""
        found = set(sa.inspect(self.connection).get_table_names()) - {"alembic_version"}
        if self.database == "sqlite":
            virtual = "SELECT name FROM pragma_table_list WHERE type IN ('virtual', 'shadow')"
            found -= set(self.connection.exec_driver_sql(virtual).scalars())
        names = sorted(found if wanted is None else found.intersection(wanted))
        metadata = sa.MetaData()
        metadata.reflect(self.connection, only=names)
        self.tables = {name: metadata.tables[name] for name in names}

    def quoted(self, name: str) -> str:
        """Give the name of a table as it stands in SQL."""
        return self.connection.dialect.identifier_preparer.quote(name)

    def counters(self, name: str) -> dict[str, int]:
        """Give the last number that was given out for each column of a table that the database numbers."""
        table, ask = self.tables[name], self.connection.execute
        if self.database == "postgresql":
            found = ask(sa.text(POSTGRESQL_COUNTERS), {"name": self.quoted(name)})
            return {row.attname: row.last for row in found}
        if self.database == "mysql":
            made = ask(sa.text(f"SHOW CREATE TABLE {self.quoted(name)}")).one()[1]
            following = re.search(r"(?m)^\) ENGINE=\w+ AUTO_INCREMENT=(\d+)", made)
            numbered = [column.name for column in table.c if column.autoincrement is True]
            return dict.fromkeys(numbered, int(following[1]) - 1 if following else 0)
        made = ask(sa.text("SELECT sql FROM sqlite_master WHERE name = :name"), {"name": name}).scalar_one()
        if not re.search(r"(?i)\bAUTOINCREMENT\b", made):
            return {}
        given = ask(sa.text("SELECT seq FROM sqlite_sequence WHERE name = :name"), {"name": name}).scalar()
        return {table.primary_key.columns[0].name: given or 0}

    def count_on(self, name: str, column: str, last: int) -> None:
        """Let the numbers of a column go on after `last`."""
        values: dict[str, Any] = {"name": name, "last": last}
        if self.database == "postgresql":
            sequence = sa.func.pg_get_serial_sequence(self.quoted(name), column)
            self.connection.execute(sa.select(sa.func.setval(sequence, last)))
        elif self.database == "mysql":
            self.connection.execute(sa.text(f"ALTER TABLE {self.quoted(name)} AUTO_INCREMENT = {last + 1}"))
        else:
            self.connection.execute(sa.text("DELETE FROM sqlite_sequence WHERE name = :name"), values)
            self.connection.execute(sa.text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last)"), values)


def _reason(error: Exception) -> str:
    """Give what an error says, on one line."""
    said = error.orig if isinstance(error, DBAPIError) and error.orig else error
    return " ".join(str(said.args[-1] if said.args else said).split())


@dataclass(frozen=True)
class Column:
    """A column that both databases have; `waits` says that it refers to rows which may come after its own."""

    name: str
    kind: type
    types: dict[str, TypeEngine[Any]]
    waits: bool

    def bound(self, side: Side) -> sa.ColumnClause[Any]:
        """Give the column with the type that its values are converted by."""
        return sa.column(self.name, KINDS[self.kind] or self.types[side.name])

    def selected(self, side: Side) -> sa.ColumnElement[Any]:
        """Give what to select: JSON as its text, a MySQL FLOAT with all its digits."""
        if self.kind is dict and side.database == "postgresql":
            return sa.cast(self.bound(side), sa.Text)
        is_float = isinstance(self.types[side.name], mysql.FLOAT)
        return self.bound(side) + sa.literal_column("0e0") if is_float else self.bound(side)

    def value(self, read: Any, side: Side) -> Any:
        """Give what was read as it compares with any database's; raises ValueError where it is of another kind."""
        type_ = self.types[side.name]
        if read is None:
            return None
        if self.kind is dict:
            return Document.parse(read)
        if self.kind is datetime:
            return read.replace(tzinfo=None)
        if self.kind is str and isinstance(type_, sa.CHAR):
            return read.rstrip(" ")
        is_single = isinstance(type_, mysql.FLOAT if side.database == "mysql" else postgresql.REAL)
        return _shortest(read) if is_single else read

    def written(self, value: Any, side: Side) -> Any:
        """Give a value as the driver takes it; raises ValueError for a text that PostgreSQL can't hold."""
        text = value.text if isinstance(value, Document) else value
        nul = ESCAPED_NUL if isinstance(self.types[side.name], postgresql.JSONB) else NUL
        if side.database == "postgresql" and isinstance(text, str) and nul.search(text):
            raise ValueError("has a character NUL, which PostgreSQL can't hold")
        return text


class Move:
    """A table on its way: its rows are added in batches, each read back and compared before it is committed."""

    def __init__(self, source: Side, target: Side, name: str, columns: Sequence[Column]) -> None:
        """Take the two sides, the table's name and the columns that both have."""
        self.source, self.target, self.name, self.columns = source, target, name, columns
        self.table = sa.table(name, *(column.bound(target) for column in columns))
        names = [column.name for column in columns]
        self.key = [names.index(column.name) for column in source.tables[name].primary_key]
        self.total = self.count(source)

    def run(self, width: int) -> int:
        """Add what the target lacks, and give the number of rows; raises Refused where it has others."""
        added = seen = 0
        is_filled = not self.key and self.count(self.target) > 0
        for rows in self.batches():
            added += 0 if is_filled else self.add(rows)
            seen += len(rows)
            self.say(seen, width)
        if not seen:
            self.say(seen, width)
        is_same = self.key or self.digest(self.source) == self.digest(self.target)
        if not is_same or self.count(self.target) != self.total:
            raise Refused(f"{self.name}: the target has rows that the source lacks. Empty it, or choose another.")
        self.target.connection.commit()
        return added

    def link(self) -> None:
        """Fill the references that waited for rows."""
        for rows in self.batches() if any(column.waits for column in self.columns) else ():
            self.add(rows, linking=True)

    def add(self, rows: Sequence[Row], *, linking: bool = False) -> int:
        """Add the rows that are missing, or fill references, in a transaction, and give the number of rows."""
        there = self.there(rows)
        missing = [row for row in rows if self.key_of(row) not in there]
        unlike = [row for row in rows if there.get(self.key_of(row), row) != row]
        self.compare(unlike, there, OTHERWISE, may_wait=True)
        todo = unlike if linking else missing
        if todo:
            self.write(todo, linking=linking)
        if self.key:
            self.compare(todo, self.there(todo), CHANGED, may_wait=not linking)
            self.target.connection.commit()
        return len(todo)

    def compare(self, rows: Sequence[Row], there: dict[Row, Row], problem: str, *, may_wait: bool) -> None:
        """Raise Refused where the target has a row otherwise; a reference that waits may be null still."""
        for row in rows:
            found = there.get(self.key_of(row), (None,) * len(row))
            for column, value, other in zip(self.columns, row, found, strict=True):
                if value != other and not (may_wait and column.waits and other is None):
                    raise self.refusal(problem.format(column.name), row)

    def write(self, rows: Sequence[Row], *, linking: bool) -> None:
        """Insert rows, or update them; raises Refused, with the row that the target doesn't take."""
        key = [self.columns[place].bound(self.target) for place in self.key]
        values = [self.values(row) for row in rows]
        statement: sa.Insert | sa.Update = self.table.insert()
        if linking:
            statement = self.table.update().where(*(column == sa.bindparam(f"its {column.name}") for column in key))
            for value in values:
                value.update({f"its {column.name}": value.pop(column.name) for column in key})
        else:
            waiting = {column.name: None for column in self.columns if column.waits}
            values = [value | waiting for value in values]
        try:
            with self.target.connection.begin_nested():
                self.target.connection.execute(statement, values)
        except (DBAPIError, ArithmeticError, ValueError) as error:
            if isinstance(error, DBAPIError) and error.connection_invalidated:
                raise
            if len(rows) == 1:
                raise self.refusal(f"the target doesn't take it: {_reason(error)}", rows[0]) from None
            for row in rows:
                self.write([row], linking=linking)

    def values(self, row: Row) -> dict[str, Any]:
        """Give a row to write; raises Refused where the target can't hold it."""
        values = {}
        for column, value in zip(self.columns, row, strict=True):
            try:
                values[column.name] = column.written(value, self.target)
            except ValueError as error:
                raise self.refusal(f"{column.name} {error}. Correct it in the source.", row) from None
        return values

    def batches(self) -> Iterator[list[Row]]:
        """Read the source, by its key where it has one."""
        if not self.key:
            yield from self.streamed(self.source)
            return
        key = [self.columns[place].bound(self.source) for place in self.key]
        first = following = self.select(self.source).order_by(*key).limit(BATCH)
        while found := self.source.connection.execute(following).all():
            yield [self.row(read, self.source) for read in found]
            following = first.where(_beyond(key, [found[-1][place] for place in self.key]))

    def streamed(self, side: Side) -> Iterator[list[Row]]:
        """Read all rows of a side, in any order."""
        found = side.connection.execute(self.select(side), execution_options={"yield_per": BATCH})
        yield from ([self.row(read, side) for read in part] for part in found.partitions())

    def digest(self, side: Side) -> int:
        """Give a number that the sides have in common where they have the same rows."""
        return sum(hash(row) for rows in self.streamed(side) for row in rows)

    def there(self, rows: Sequence[Row]) -> dict[Row, Row]:
        """Read those of the rows that the target has, by their keys; raises Refused where it can't hold a key."""
        if not self.key or not rows:
            return {}
        try:
            with self.target.connection.begin_nested():
                found = self.target.connection.execute(self.select(self.target).where(self.chosen(rows))).all()
        except (DataError, ArithmeticError) as error:
            if len(rows) == 1:
                raise self.refusal(f"the target doesn't take it: {_reason(error)}", rows[0]) from None
            return {key: row for each in rows for key, row in self.there([each]).items()}
        return {self.key_of(row): row for row in (self.row(read, self.target) for read in found)}

    def chosen(self, rows: Sequence[Row]) -> sa.ColumnElement[bool]:
        """Give the condition for the target's rows with the keys of these."""
        key = [self.columns[place].bound(self.target) for place in self.key]
        keys = [self.key_of(row) for row in rows]
        return key[0].in_([value for (value,) in keys]) if len(key) == 1 else sa.tuple_(*key).in_(keys)

    def select(self, side: Side) -> sa.Select[Row]:
        """Give the statement that reads a side."""
        return sa.select(*(column.selected(side) for column in self.columns)).select_from(self.table)

    def row(self, read: Sequence[Any], side: Side) -> Row:
        """Give what was read as it compares with the other side's; raises Refused where a value is of another kind."""
        row = []
        for column, value in zip(self.columns, read, strict=True):
            try:
                row.append(column.value(value, side))
            except (ValueError, TypeError, AttributeError, ArithmeticError, RecursionError):
                problem = f"{column.name} holds what is no {column.kind.__name__} in the {side.name}. Correct it there."
                raise self.refusal(problem, read) from None
        return tuple(row)

    def key_of(self, row: Sequence[Any]) -> Row:
        """Give the values of a row's key."""
        return tuple(row[place] for place in self.key)

    def refusal(self, problem: str, row: Sequence[Any]) -> Refused:
        """Give the refusal of a row."""
        names = (self.columns[place].name for place in self.key)
        key = ", ".join(f"{name}={value}" for name, value in zip(names, self.key_of(row), strict=True))
        return Refused(f"{self.name} ({key or 'without a key'}): {problem}")

    def count(self, side: Side) -> int:
        """Count the rows on a side."""
        return side.connection.execute(sa.select(sa.func.count()).select_from(self.table)).scalar_one()

    def say(self, done: int, width: int) -> None:
        """Show how far it is."""
        end = "\r" if sys.stdout.isatty() and done < self.total else "\n"
        print(f"{self.name:<{width}}  {done:,} of {self.total:,}", end=end, flush=True)

    def count_on(self) -> None:
        """Let the numbers that the database makes go on after those that the source gave out."""
        given = self.source.counters(self.name)
        for name, last in self.target.counters(self.name).items():
            highest = self.target.connection.execute(sa.select(sa.func.max(self.table.c[name]))).scalar() or 0
            if max(highest, given.get(name, 0)) > last:
                self.target.count_on(self.name, name, max(highest, given.get(name, 0)))
        self.target.connection.commit()


def _beyond(key: Sequence[sa.ColumnClause[Any]], last: Sequence[Any]) -> sa.ColumnElement[bool]:
    """Give the condition for the rows whose key comes after `last`, in a form that any database uses an index for."""
    if len(key) == 1:
        return sa.and_(key[0] > last[0])
    return sa.and_(key[0] >= last[0], sa.or_(key[0] > last[0], _beyond(key[1:], last[1:])))


def _ordered(tables: Iterable[sa.Table]) -> Iterator[tuple[str, set[str]]]:
    """Give the tables' names, those that others refer to first, with the columns that have to wait for rows.

    Raises:
        Refused: none can be first.

    """

    def can_wait(key: sa.ForeignKeyConstraint) -> bool | None:
        return None if any(column.nullable for column in key.columns) else False

    try:
        *inner, (_, outer) = sort_tables_and_constraints(tables, can_wait)  # type: ignore[no-untyped-call]
    except CircularDependencyError as error:
        names = ", ".join(sorted(table.name for table in error.cycles))
        raise Refused(f"{names} refer to each other by columns that can't be null: no row can be first.") from None
    for table, _ in inner:
        keys = [key for key in table.foreign_key_constraints if key in outer or key.referred_table is table]
        yield table.name, {column.name for key in keys for column in key.columns if column.nullable}


def _kind(type_: TypeEngine[Any]) -> type | None:
    """Give the Python type of a column's values, or None for one that isn't moved."""
    if isinstance(type_, sa.JSON | sa.Float):
        return dict if isinstance(type_, sa.JSON) else float
    try:
        return type_.python_type
    except NotImplementedError:
        return None


def _columns(source: sa.Table, target: sa.Table, waiting: set[str]) -> Iterator[Column]:
    """Give the columns of a table that are moved; raises Refused where they don't match."""
    for column in source.c:
        if column.computed is None and column.name not in target.c:
            raise Refused(f"The target lacks the column {column}. {MIGRATE}")
    for column in target.c:
        fills_itself = column.nullable or column.server_default is not None or column.autoincrement is True
        if column.name not in source.c and not fills_itself:
            raise Refused(f"The source lacks the column {column}, which has no default. {MIGRATE}")
    if set(source.primary_key.columns.keys()) != set(target.primary_key.columns.keys()):
        raise Refused(f"The target has another primary key in {target}. {MIGRATE}")
    for column in (column for column in source.c if column.name in target.c):
        other = target.c[column.name]
        kinds = frozenset((_kind(column.type), _kind(other.type)))
        kind = MIXED.get(kinds) if len(kinds) > 1 else next(iter(kinds))
        if column.computed is not None or other.computed is not None:
            continue
        if kind not in KINDS:
            raise Refused(f"{column} is {column.type} in the source, {other.type} in the target. {MIGRATE}")
        yield Column(column.name, kind, {"source": column.type, "target": other.type}, column.name in waiting)


def move(source: Side, target: Side) -> None:
    """Move all rows; raises Refused where that can't be done."""
    source.reflect()
    target.reflect(source.tables)
    if missing := sorted(source.tables.keys() - target.tables.keys()):
        raise Refused(f"The target lacks the table {missing[0]}. {MIGRATE}")
    moves = []
    for name, waiting in _ordered(target.tables.values()):
        columns = list(
            _columns(source.tables[name], target.tables[name], waiting if source.tables[name].primary_key else set())
        )
        moves.append(Move(source, target, name, columns))
    added = sum(one.run(max(map(len, source.tables))) for one in moves)
    for one in moves:
        one.link()
        one.count_on()
    total = sum(one.total for one in moves)
    already = f"; {total - added:,} were there already" if total > added else ""
    print(f"Moved {added:,} rows of {len(moves)} tables{already}; each was read back and is the same.")


def _parse(text: str) -> sa.URL:
    """Read a URL as the service's settings have it; raises Refused where it is none."""
    try:
        url = sa.make_url(text)
    except (ArgumentError, ValueError):
        raise Misused(USAGE) from None
    if url.get_backend_name() not in DRIVERS or url.database in {None, "", ":memory:"}:
        raise Misused(USAGE)
    return url


def _place(url: sa.URL) -> object:
    """Give what tells a database from others."""
    if url.get_backend_name() == "sqlite":
        return Path(str(url.database)).resolve()
    return url.get_backend_name(), (url.host or "").replace("localhost", "127.0.0.1"), url.port, url.database


def main(arguments: Sequence[str]) -> None:
    """Move from the first URL to the second; raises Refused where that can't be done."""
    urls = [_parse(text) for text in arguments]
    if len(urls) != len(("source", "target")):
        raise Misused(USAGE)
    if _place(urls[0]) == _place(urls[1]):
        raise Misused("The source and the target are the same database.")
    move(Side("source", urls[0]), Side("target", urls[1]))


if __name__ == "__main__":
    warnings.simplefilter("ignore", SAWarning)
    try:
        main(sys.argv[1:])
    except Refused as refused:
        print(refused, file=sys.stderr)
        sys.exit(refused.status)
    except DBAPIError as error:
        passes = error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)
        advice = "Run the same command again: it goes on where it was." if passes else "Correct that first."
        print(f"{_reason(error)}. {advice}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("Interrupted. Run the same command again: it goes on where it was.", file=sys.stderr)
        sys.exit(130)
