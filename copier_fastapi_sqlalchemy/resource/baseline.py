"""Writes the first revision of tables that are there: it makes them where they are missing.

Where they are there, it gives their constraints and indexes the names that the project's have, and their columns the
types.
"""

import ast
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from textwrap import indent
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from copier_fastapi_sqlalchemy.resource.adaptation import CREATE, Adaptation
from copier_fastapi_sqlalchemy.resource.code import read_text
from copier_fastapi_sqlalchemy.resource.declared import Declared
from copier_fastapi_sqlalchemy.resource.errors import Refusal
from copier_fastapi_sqlalchemy.resource.formatting import tidy

REVISIONS = "migrations/versions"
WIDTH = 80  # of a line of SQL

SCRIPT = '''"""{title}: the tables that are there, for databases without them.

Revision ID: {revision}
{revises}Create Date: {created}
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql, postgresql, sqlite

revision: str = "{revision}"
down_revision: str | Sequence[str] | None = {down_revision}
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

TABLES = [{tables}]  # in the order of their references


def upgrade() -> None:
    present = [] if op.get_context().as_sql else sa.inspect(op.get_bind()).get_table_names()
{upgrades}

def downgrade() -> None:
    """Drop the tables, unless one has rows: they may be older than this revision."""
    if op.get_context().as_sql:
        return
    for name in TABLES:
        first = sa.select(sa.literal(1)).select_from(sa.table(name)).limit(1)
        if op.get_bind().scalar(first) is not None:
            raise RuntimeError(f"{{name}} has rows, and stays: delete them first, or go down no further")
    for name in reversed(TABLES):
        op.drop_table(name)


{creations}
'''


def revision_text(declared: Declared, title: str, folder: Path, adaptations: Sequence[Adaptation]) -> tuple[str, str]:
    """Give the path and the text of the revision; raises Refusal where the history has several ends."""
    heads = _heads(folder)
    if len(heads) > 1:
        raise Refusal(f"Merge the revisions first, with `alembic merge heads`: {', '.join(heads)}.")
    now, revision = datetime.now(UTC), uuid4().hex[:12]
    upgrades = []
    for table, adaptation in zip(declared.tables, adaptations, strict=True):
        upgrades.append(f'if "{table.name}" not in present:\n    create_{table.name}()\n')
        if adaptation.statements:
            steps = "".join(_step(statement) for statement in adaptation.statements)
            upgrades[-1] += f"else:\n{indent(steps, '    ')}"
    pairs = list(zip(declared.tables, adaptations, strict=True))
    upgrades = [
        *(_where_present(table, adaptation.first) for table, adaptation in pairs),
        *upgrades,
        *(_where_present(table, adaptation.last) for table, adaptation in pairs),
    ]
    text = SCRIPT.format(
        title=title,
        revision=revision,
        revises=f"Revises: {heads[0]}\n" if heads else "",
        created=now.isoformat(" ", "seconds"),
        down_revision=f'"{heads[0]}"' if heads else "None",
        tables=", ".join(f'"{table.name}"' for table in declared.tables),
        upgrades=indent("".join(upgrades), "    "),
        creations="\n\n\n".join(
            f"def create_{table.name}() -> None:\n{declared.creation(table)}" for table in declared.tables
        ),
    )
    slug = re.sub(r"\W+", "_", title.lower())[:40].strip("_")
    path = f"{REVISIONS}/{now:%Y%m%d_%H%M%S}_{slug}.py"
    return path, tidy(folder, path, text, "I,F401,F811")


def _where_present(table: sa.Table, statements: Sequence[str]) -> str:
    """Give the code that executes statements for a table that is there."""
    steps = "".join(map(_step, statements))
    return f'if "{table.name}" in present:\n{indent(steps, "    ")}' if steps else ""


def _step(statement: str) -> str:
    if statement.startswith(CREATE):
        return f"create_{statement.removeprefix(CREATE)}()\n"
    lines = [""]
    for word in re.findall(r"[^ ]* ?", statement.replace(":", "\\:")):
        if len(lines[-1]) + len(word) > WIDTH:
            lines.append("")
        lines[-1] += word
    return f"op.execute({' '.join(map(repr, lines))})\n"


def _heads(folder: Path) -> list[str]:
    """Give the revisions that no other one follows."""
    revisions: set[str] = set()
    followed: set[str] = set()
    for path in sorted((folder / REVISIONS).glob("*.py")):
        values = _assigned(ast.parse(read_text(folder, path.relative_to(folder).as_posix())))
        revisions |= {values["revision"]} if "revision" in values else set()
        down = values.get("down_revision") or ()
        followed |= {down} if isinstance(down, str) else set(down)
    return sorted(revisions - followed)


def _assigned(tree: ast.Module) -> dict[str, Any]:
    """Give the names of revisions that a module assigns."""
    found = {}
    for node in tree.body:
        if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
            continue
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            if isinstance(target, ast.Name) and target.id in {"revision", "down_revision"}:
                found[target.id] = ast.literal_eval(node.value)
    return found
