"""How PostgreSQL is migrated."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Any

from alembic.autogenerate import comparators
from alembic.util import DispatchPriority
from sqlalchemy import Connection, text

from migrations.enums import compare_enums
from migrations.types import render_item

comparators.dispatch_for("schema", priority=DispatchPriority.LAST)(compare_enums)

OPTIONS: dict[str, Any] = {"compare_type": True, "render_item": render_item}

HOUR = 3600
LOCK = text("SELECT pg_try_advisory_xact_lock(hashtext('migrations'))")
# It comes last, since asyncpg keeps the snapshot of a SELECT until the next statement.
STAY = text("SET LOCAL idle_in_transaction_session_timeout = 0")


@contextmanager
def alone(connection: Connection) -> Iterator[None]:
    """Wait for the migrations of other processes, and make those wait.

    The lock belongs to a transaction on a second connection, so that it works through a pooler, and
    ends with the process. Neither the holder nor those who wait have a snapshot, which an index
    that is built concurrently would wait for. Raises TimeoutError where another takes an hour.
    """
    with connection.engine.connect() as second:
        second.execution_options(isolation_level="READ COMMITTED")
        deadline = monotonic() + HOUR
        while not second.scalar(LOCK):
            second.rollback()
            if monotonic() > deadline:
                raise TimeoutError("another process has been migrating this database for an hour")
            sleep(0.2)
        second.execute(STAY)
        yield
