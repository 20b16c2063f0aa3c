"""Compares the texts that are server defaults; Alembic mistakes them where quotes are in them."""

import logging

from alembic.autogenerate.api import AutogenContext
from alembic.operations.ops import AlterColumnOp
from alembic.util import PriorityDispatchResult
from sqlalchemy import Column, DefaultClause, String

logger = logging.getLogger("alembic.autogenerate.compare.server_defaults")


def compare_text(
    context: AutogenContext,
    change: AlterColumnOp,
    _schema: str | None,
    _table: str,
    _name: str,
    present: Column[object],
    declared: Column[object],
) -> PriorityDispatchResult:
    """Compare a text with what the database has, as CREATE TABLE would write it."""
    wanted, found = declared.server_default, present.server_default
    is_text = isinstance(wanted, DefaultClause) and isinstance(wanted.arg, str)
    if not is_text or not isinstance(found, DefaultClause) or not isinstance(present.type, String):
        return PriorityDispatchResult.CONTINUE
    compiler = context.dialect.ddl_compiler(context.dialect, None)  # type: ignore[arg-type]
    written = str(compiler.get_column_default_string(declared)).replace("%%", "%")
    escaped = written.replace("\n", r"\n").replace("\r", r"\r")  # as some show them
    kept = str(found.arg).strip("()")  # Alembic puts some into parentheses
    if kept not in (written, escaped) and not kept.startswith(f"{written}::"):  # a type may follow
        change.modify_server_default = wanted
        logger.info("Detected server default on column '%s'", declared)
    return PriorityDispatchResult.STOP
