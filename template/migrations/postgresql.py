"""How PostgreSQL is migrated."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection, text
from sqlalchemy.types import TypeDecorator


def render_item(kind: str, item: Any, autogen: AutogenContext) -> str | Literal[False]:
    """Write our own types as what they are in the database: a revision imports no code of ours."""
    if kind != "type" or not isinstance(item, TypeDecorator):
        return False
    implementation = item.impl_instance
    if not type(implementation).__module__.startswith("sqlalchemy.dialects.postgresql"):
        return f"sa.{implementation!r}"
    autogen.imports.add("from sqlalchemy.dialects import postgresql")
    return f"postgresql.{type(implementation).__name__}()"


OPTIONS: dict[str, Any] = {"compare_type": True, "render_item": render_item}


@contextmanager
def alone(connection: Connection) -> Iterator[None]:
    """Wait for the migrations of other processes, and make those wait until the connection ends."""
    connection.execute(text("SELECT pg_advisory_lock(hashtext('migrations'))"))
    connection.commit()
    yield
