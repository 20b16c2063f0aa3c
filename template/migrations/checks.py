"""CHECK constraints in new revisions, so that a new value of an enum is found.

Alembic leaves them out; its plugin `alembic.ext.checkconstraint_byname` compares names alone.
"""

import re

from alembic.autogenerate import comparators
from alembic.autogenerate.api import AutogenContext
from alembic.operations.ops import AddConstraintOp, DropConstraintOp, ModifyTableOps
from alembic.util import PriorityDispatchResult
from sqlalchemy import CheckConstraint, Table
from sqlalchemy.schema import CreateTable, conv

TEXT = re.compile(r"'((?:[^'\\]|''|\\.)*)'")


@comparators.dispatch_for("table")
def compare_checks(
    autogen: AutogenContext,
    operations: ModifyTableOps,
    schema: str | None,
    name: str,
    *tables: Table | None,
) -> PriorityDispatchResult:
    """Find CHECK constraints that are new or gone, or have other texts in them, as an enum's have.

    Give a constraint another name where its condition changes in another way: that goes unseen.
    """
    present, wanted = tables
    if present is None or wanted is None or autogen.inspector is None:
        return PriorityDispatchResult.CONTINUE
    found = {}
    for check in autogen.inspector.get_check_constraints(name, schema=schema):
        key = str(check["name"])
        if key.startswith(f"ck_{name}_"):
            found[key] = CheckConstraint(check["sqltext"], name=conv(key), table=present)
    added = []
    for declared in declared_checks(wanted, autogen):
        key = str(declared.name)
        if key in found and texts(found[key], autogen) == texts(declared, autogen):
            del found[key]
        else:
            added.append(AddConstraintOp.from_constraint(declared))
    operations.ops += [DropConstraintOp.from_constraint(gone) for gone in found.values()]
    operations.ops += added
    return PriorityDispatchResult.CONTINUE


def declared_checks(table: Table, autogen: AutogenContext) -> list[CheckConstraint]:
    """Return the CHECK constraints that this database is given: not each needs a boolean's."""
    statement = str(CreateTable(table).compile(dialect=autogen.dialect))
    checks = [check for check in table.constraints if isinstance(check, CheckConstraint)]
    return [check for check in checks if re.search(rf"CONSTRAINT \W?{check.name}\W", statement)]


def condition(check: CheckConstraint, autogen: AutogenContext) -> str:
    return autogen.migration_context.impl.render_ddl_sql_expr(check.sqltext)


def texts(check: CheckConstraint, autogen: AutogenContext) -> set[str]:
    """Return the texts in a condition, however the database writes it."""
    found = TEXT.findall(condition(check, autogen))
    return {text.replace("''", "'").replace("\\", "") for text in found}


def render_check(check: CheckConstraint, autogen: AutogenContext) -> str:
    """Write a constraint of a new table; the name of an enum's lacks what the convention adds."""
    name = check.name if isinstance(check.name, conv) else f"ck_{check.table.name}_{check.name}"
    return f"sa.CheckConstraint({condition(check, autogen)!r}, name=op.f({str(name)!r}))"
