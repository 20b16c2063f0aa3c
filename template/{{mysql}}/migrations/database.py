"""What MySQL asks of a migration: operations in its order, and a way on after a failure."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from alembic.autogenerate import comparators
from alembic.autogenerate.api import AutogenContext
from alembic.operations.ops import (
    AddColumnOp,
    AlterColumnOp,
    DropColumnOp,
    DropConstraintOp,
    DropIndexOp,
    DropTableOp,
    MigrateOperation,
    MigrationScript,
    ModifyTableOps,
)
from alembic.runtime.migration import MigrationContext
from alembic.util import DispatchPriority, PriorityDispatchResult
from sqlalchemy import URL, Column, Connection, Table, event, text
from sqlalchemy.types import TypeEngine

from app.db.metadata import COLLATION
from migrations import journal
from migrations.defaults import compare_text
from migrations.drops import drop_referring_first
from migrations.types import render_item

comparators.dispatch_for("schema", priority=DispatchPriority.LAST)(drop_referring_first)
comparators.dispatch_for("column", subgroup="server_default")(compare_text)

# A migration has no time limit.
SETTINGS = {"db_statement_timeout": 0, "db_lock_timeout": 0}


def compare_type(
    _context: MigrationContext,
    _column: Column[Any],
    _declared: Column[Any],
    present: TypeEngine[Any],
    wanted: TypeEngine[Any],
) -> bool | None:
    """Find a collation that differs; leave the rest to Alembic."""
    collations = {getattr(kind, "collation", None) or COLLATION for kind in (present, wanted)}
    return True if len(collations) > 1 else None


@comparators.dispatch_for("column", subgroup="server_default")
def compare_default(
    _context: AutogenContext,
    _change: AlterColumnOp,
    _schema: str | None,
    _table: str,
    _name: str,
    present: Column[Any],
    declared: Column[Any],
) -> PriorityDispatchResult:
    """Find that an expression is the same; Alembic looks for quotes around that of a text."""
    wanted, found = (
        str(getattr(column.server_default, "arg", "")).strip("()") for column in (declared, present)
    )
    is_same = wanted == found != ""
    return PriorityDispatchResult.STOP if is_same else PriorityDispatchResult.CONTINUE


def include_name(name: str | None, kind: str, _parents: object) -> bool:
    return kind != "table" or name != journal.TABLE


def sort_operations(
    _context: MigrationContext, _revision: object, scripts: list[MigrationScript]
) -> None:
    """Sort the operations of a new revision; the indexes of a table that is dropped go with it."""
    for script in scripts:
        for half in (*script.upgrade_ops_list, *script.downgrade_ops_list):
            dropped = {op.table_name for op in half.ops if isinstance(op, DropTableOp)}
            for op in list(half.ops):
                if isinstance(op, ModifyTableOps):
                    op.ops.sort(key=position)
                    if op.table_name in dropped:
                        half.ops.remove(op)


def position(operation: MigrateOperation) -> int:
    """Return the place of a change of a table in the order that MySQL takes.

    A foreign key goes before the index that it needs. A full-text index goes before its columns
    take another collation, and comes after. So does a computed column with those it is made of.
    """
    match operation:
        case DropConstraintOp(constraint_type="foreignkey"):
            return 0
        case DropIndexOp(kw={"mysql_prefix": "FULLTEXT"}):
            return 0
        case AddColumnOp(column=column):
            return 1 if column.computed is None else 2
        case AlterColumnOp():
            return 3
        case DropColumnOp():
            return 5 if operation.to_column().computed is not None else 6
        case _:
            return 4


OPTIONS: dict[str, Any] = {
    "compare_type": compare_type,
    "include_name": include_name,
    "process_revision_directives": sort_operations,
    "render_item": render_item,
}


@event.listens_for(Table, "before_create")
def set_collation(table: Table, _connection: Connection, **_options: object) -> None:
    """Let a table of a revision compare texts as those of the service do, unless it says how."""
    table.kwargs.setdefault("mysql_charset", "utf8mb4")
    table.kwargs.setdefault("mysql_collate", COLLATION)


@contextmanager
def wait_for_others(connection: Connection) -> Iterator[None]:
    """Wait for the migrations of other processes, make those wait, and go on where one stopped.

    The lock ends with the connection. Raises TimeoutError where another takes an hour.
    """
    lock = text("SELECT GET_LOCK(SHA2(CONCAT('migrations ', DATABASE()), 256), 1)")
    if not any(connection.scalar(lock) == 1 for _second in range(3600)):
        raise TimeoutError("another process has been migrating this database for an hour")
    with journal.resuming(connection):
        yield


def explain_failure(url: URL, reason: str) -> str:
    user = f" as {url.username}" if url.username else ""
    return (
        f"DATABASE_URL: can't connect to {url.database} on"
        f" {url.host or 'localhost'}:{url.port or 3306}{user}: {reason}."
        " Is the server running, and does it have this database and this user?"
    )
