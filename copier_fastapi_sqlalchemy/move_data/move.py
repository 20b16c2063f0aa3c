"""Moves all tables of one database to another one."""

import warnings
from collections.abc import Iterator

from sqlalchemy.exc import SAWarning

from copier_fastapi_sqlalchemy.move_data.database import Database, connect, location, parse_url
from copier_fastapi_sqlalchemy.move_data.errors import MoveError, UsageError
from copier_fastapi_sqlalchemy.move_data.progress import show_progress
from copier_fastapi_sqlalchemy.move_data.rows import Rows
from copier_fastapi_sqlalchemy.move_data.schema import MIGRATE, in_dependency_order, match_columns
from copier_fastapi_sqlalchemy.move_data.table import TableMove


def move(old_url: str, new_url: str) -> str:
    """Copy all rows of a database to another one that has the same tables, and give a summary.

    Raises UsageError if a URL is wrong, MoveError if a row can't be moved, DBAPIError if a connection breaks.
    """
    old, new = parse_url(old_url, "OLD_URL"), parse_url(new_url, "NEW_URL")
    if location(old) == location(new):
        raise UsageError("OLD_URL and NEW_URL are the same database. Name another as NEW_URL.")
    with (
        warnings.catch_warnings(action="ignore", category=SAWarning),
        connect(old, "old database", read_only=True) as source,
        connect(new, "new database", read_only=False) as target,
    ):
        tables = list(_plan(source, target))
        width = max((len(table.name) for table in tables), default=0)
        inserted = 0
        for table in tables:
            with show_progress(table.name.ljust(width), table.total) as advance:
                inserted += table.copy_rows(advance)
        for table in tables:
            if table.deferred:
                with show_progress(f"{table.name}, references".ljust(width), table.total) as advance:
                    table.fill_references(advance)
            table.continue_keys()
    present = sum(table.total for table in tables) - inserted
    already = f"; {present:,} were there already" if present else ""
    return f"Moved {inserted:,} rows of {len(tables)} tables{already}; each was read back and is the same."


def _plan(source: Database, target: Database) -> Iterator[TableMove]:
    """Give the tables to move, in order; raises MoveError if the two databases don't have the same ones."""
    source_tables = source.reflect()
    target_tables = target.reflect(only=source_tables)
    if missing := sorted(source_tables.keys() - target_tables.keys()):
        raise MoveError(f"The new database has no table {missing[0]}. {MIGRATE}")
    for table, deferred in in_dependency_order(target_tables.values()):
        original = source_tables[table.name]
        key = [column.name for column in original.primary_key]
        can_update = bool(key)
        backends = source.backend, target.backend
        pairs = list(match_columns(original, table, deferred if can_update else (), backends))
        old, new = zip(*pairs, strict=True) if pairs else ((), ())
        yield TableMove(Rows(source, original, old, key), Rows(target, table, new, key))
