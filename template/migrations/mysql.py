"""How MySQL is migrated."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

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
from sqlalchemy import Column, Connection, text
from sqlalchemy.types import TypeEngine

from app.db.metadata import COLLATION
from migrations import journal
from migrations.types import render_item


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


def turn(operation: MigrateOperation) -> int:
    """Number a change of a table in an order that MySQL takes.

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


def put_in_order(
    _context: MigrationContext, _revision: object, scripts: list[MigrationScript]
) -> None:
    """Put the operations of a new revision in order; with a table, its indexes go by themselves."""
    for script in scripts:
        for half in (*script.upgrade_ops_list, *script.downgrade_ops_list):
            dropped = {op.table_name for op in half.ops if isinstance(op, DropTableOp)}
            for op in list(half.ops):
                if isinstance(op, ModifyTableOps):
                    op.ops.sort(key=turn)
                    if op.table_name in dropped:
                        half.ops.remove(op)


def include_name(name: str | None, kind: str, _parents: object) -> bool:
    return kind != "table" or name != journal.TABLE


OPTIONS: dict[str, Any] = {
    "compare_type": compare_type,
    "include_name": include_name,
    "process_revision_directives": put_in_order,
    "render_item": render_item,
}


@contextmanager
def alone(connection: Connection) -> Iterator[None]:
    """Wait for the migrations of other processes, and make those wait.

    The lock ends with the connection. Raises TimeoutError where one takes an hour.
    """
    lock = text("SELECT GET_LOCK(SHA2(CONCAT('migrations ', DATABASE()), 256), 1)")
    if not any(connection.scalar(lock) == 1 for _second in range(3600)):
        raise TimeoutError("another process has been migrating this database for an hour")
    yield
