"""PostgreSQL's native enums in new revisions, which Alembic neither alters nor drops.

They are for columns of SQLAlchemy's `Enum(Role)`; `string_enum` of `app/db/types.py` makes a CHECK.
One is created before the tables that use it, gets its new values, and is dropped after its tables.
"""

import logging
from collections.abc import Sequence

from alembic.autogenerate import renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations.ops import ExecuteSQLOp, UpgradeOps
from alembic.util import PriorityDispatchResult
from sqlalchemy import ARRAY, Enum, MetaData, Table
from sqlalchemy.dialects.postgresql.base import PGInspector

from migrations.types import in_database

logger = logging.getLogger("alembic")


class EnumOp(ExecuteSQLOp):
    """A statement on an enum, and the one that undoes it, if there is one."""

    def __init__(self, statement: str, undo: str = "") -> None:
        super().__init__(statement)
        self.undo = undo

    def reverse(self) -> "EnumOp":
        return EnumOp(self.undo, str(self.sqltext))


@renderers.dispatch_for(EnumOp)
def render_statement(_autogen: AutogenContext, operation: EnumOp) -> str:
    if not operation.sqltext:
        return "pass  # PostgreSQL can't drop a value of an enum"
    return f"op.execute({operation.sqltext!r})"


def compare_enums(
    autogen: AutogenContext, operations: UpgradeOps, _schemas: set[str | None]
) -> PriorityDispatchResult:
    """Find enums that are new or gone, and values that are new."""
    if autogen.dialect is None or not isinstance(autogen.inspector, PGInspector):
        return PriorityDispatchResult.CONTINUE
    quote = autogen.dialect.identifier_preparer.quote
    found = {enum["name"]: enum["labels"] for enum in autogen.inspector.get_enums()}
    changes = []
    for name, values in declared_enums(autogen).items():
        present = found.pop(name, None)
        if present is None:
            changes.append(EnumOp(create_type(quote(name), values), f"DROP TYPE {quote(name)}"))
            continue
        changes += [EnumOp(statement) for statement in add_values(quote(name), values, present)]
        for value in set(present).difference(values):
            logger.warning("enum %s: PostgreSQL can't drop its value %r", name, value)
    operations.ops[:0] = changes
    for name, present in found.items():
        # A type's name is one of a table too: what leaves out tables leaves out types.
        if autogen.run_object_filters(Table(name, MetaData()), name, "table", True, None):
            undo = create_type(quote(name), present)
            operations.ops.append(EnumOp(f"DROP TYPE {quote(name)}", undo))
    return PriorityDispatchResult.CONTINUE


def declared_enums(autogen: AutogenContext) -> dict[str, list[str]]:
    """Return the values of each enum that a column has, or an array in one."""
    enums = {}
    for table in autogen.sorted_tables:
        for column in table.columns:
            type_ = in_database(column.type, autogen)
            if isinstance(type_, ARRAY):
                type_ = in_database(type_.item_type, autogen)
            if isinstance(type_, Enum) and type_.native_enum and type_.name and not type_.schema:
                enums[type_.name] = list(type_.enums)
    return enums


def create_type(name: str, values: Sequence[str]) -> str:
    return f"CREATE TYPE {name} AS ENUM ({', '.join(map(literal, values))})"


def add_values(name: str, values: Sequence[str], present: Sequence[str]) -> list[str]:
    """Return what adds the missing values, each in its place."""
    statements = []
    place = f"BEFORE {literal(present[0])}"
    for value in values:
        if value not in present:
            statements.append(f"ALTER TYPE {name} ADD VALUE IF NOT EXISTS {literal(value)} {place}")
        place = f"AFTER {literal(value)}"
    return statements


def literal(value: str) -> str:
    """Write a value into a statement of `op.execute`, where a colon begins a parameter."""
    return "'" + value.replace("'", "''").replace(":", r"\:") + "'"
