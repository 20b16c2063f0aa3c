"""The order of dropped tables in new revisions: Alembic drops them as it finds them."""

from alembic.autogenerate.api import AutogenContext
from alembic.operations.ops import DropTableOp, UpgradeOps
from alembic.util import PriorityDispatchResult


def drop_referring_first(
    autogen: AutogenContext, operations: UpgradeOps, _schemas: set[str | None]
) -> PriorityDispatchResult:
    """Drop tables after what refers to them: others that go, and columns of those that stay."""
    if autogen.inspector is not None:
        names = [name for name, _keys in autogen.inspector.get_sorted_table_and_fkc_names()]
        drops = [op for op in operations.ops if isinstance(op, DropTableOp)]
        drops.sort(key=lambda op: names.index(op.table_name), reverse=True)
        others = [op for op in operations.ops if not isinstance(op, DropTableOp)]
        operations.ops[:] = [*others, *drops]
    return PriorityDispatchResult.CONTINUE
