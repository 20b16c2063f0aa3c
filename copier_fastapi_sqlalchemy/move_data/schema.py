"""Which tables and columns are moved, and in which order."""

from collections.abc import Collection, Iterable, Iterator

import sqlalchemy as sa
from sqlalchemy.exc import CircularDependencyError
from sqlalchemy.schema import sort_tables_and_constraints

from copier_fastapi_sqlalchemy.move_data.columns import CONVERTERS, MIXED_KINDS, Column, kind_of
from copier_fastapi_sqlalchemy.move_data.errors import MoveError

MIGRATE = "Migrate the new database first: `alembic upgrade head`."


def in_dependency_order(tables: Iterable[sa.Table]) -> Iterator[tuple[sa.Table, set[str]]]:
    """Give the tables, those that others refer to first, each with the names of its deferred columns.

    A column is deferred if it refers to its own table, or to one that comes later because the two refer to each other.
    Raises MoveError if they do so by columns that can't be null.
    """

    def is_breakable(key: sa.ForeignKeyConstraint) -> bool | None:
        return None if any(column.nullable for column in key.columns) else False  # None: if there is no other way

    try:
        *ordered, (_, broken) = sort_tables_and_constraints(tables, is_breakable)  # type: ignore[no-untyped-call]
    except CircularDependencyError as error:
        names = ", ".join(sorted(table.name for table in error.cycles))
        raise MoveError(f"{names} refer to each other by columns that can't be null: no row can be first.") from None
    for table, _ in ordered:
        keys = [key for key in table.foreign_key_constraints if key in broken or key.referred_table is table]
        yield table, {column.name for key in keys for column in key.columns if column.nullable}


def match_columns(
    source: sa.Table, target: sa.Table, deferred: Collection[str], backends: tuple[str, str]
) -> Iterator[tuple[Column, Column]]:
    """Give each column of a table as the two databases have it, but for those that a database computes.

    Raises MoveError if the columns don't match.
    """
    for column in source.c:
        if column.computed is None and column.name not in target.c:
            raise MoveError(f"The new database has no column {column}. {MIGRATE}")
    for column in target.c:
        is_optional = column.nullable or column.server_default is not None or column.autoincrement is True
        if column.name not in source.c and not is_optional:
            raise MoveError(f"The old database has no column {column}, which has no default. {MIGRATE}")
    if set(source.primary_key.columns.keys()) != set(target.primary_key.columns.keys()):
        raise MoveError(f"The new database has another primary key in {target}. {MIGRATE}")
    for column in source.c:
        other = target.c.get(column.name)
        if other is None or column.computed is not None or other.computed is not None:
            continue
        kinds = frozenset((kind_of(column.type), kind_of(other.type)))
        kind = MIXED_KINDS.get(kinds) if len(kinds) > 1 else next(iter(kinds))
        if kind not in CONVERTERS:
            raise MoveError(f"{column} is {column.type} in the old database, {other.type} in the new one. {MIGRATE}")
        is_deferred = column.name in deferred
        yield (
            Column(column.name, kind, column.type, backends[0], is_deferred),
            Column(column.name, kind, other.type, backends[1], is_deferred),
        )
