"""The order of dropped tables in new revisions: Alembic drops them as it finds them."""

from alembic.autogenerate.api import AutogenContext
from alembic.operations.ops import DropTableOp, UpgradeOps
from alembic.util import PriorityDispatchResult


def drop_referring_first(
    autogen: AutogenContext, operations: UpgradeOps, _schemas: set[str | None]
) -> PriorityDispatchResult:
    """Drop tables after what refers to them: others that go, and columns of those that stay."""
    if autogen.inspector is not None:
        found = autogen.inspector.get_sorted_table_and_fkc_names()
        order = {name: number for number, (name, _keys) in enumerate(found)}
        drops = [op for op in operations.ops if isinstance(op, DropTableOp)]
        # A table of another schema isn't among those found.
        drops.sort(key=lambda op: order.get(op.table_name, -1), reverse=True)
        others = [op for op in operations.ops if not isinstance(op, DropTableOp)]
        operations.ops[:] = [*others, *drops]
    return PriorityDispatchResult.CONTINUE
