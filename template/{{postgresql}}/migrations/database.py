"""What PostgreSQL asks of a migration: its enums are written, and two processes take turns."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Any

from alembic.autogenerate import comparators
from alembic.util import DispatchPriority
from sqlalchemy import URL, Connection, text

from migrations.defaults import compare_text
from migrations.drops import drop_referring_first
from migrations.enums import compare_enums
from migrations.types import render_item

for compare in (drop_referring_first, compare_enums):
    comparators.dispatch_for("schema", priority=DispatchPriority.LAST)(compare)
comparators.dispatch_for("column", subgroup="server_default")(compare_text)

OPTIONS: dict[str, Any] = {"compare_type": True, "render_item": render_item}
# A migration has no time limit, and works through an external pooler.
SETTINGS = {"db_pool": "null", "db_statement_timeout": 0, "db_lock_timeout": 0}

HOUR = 3600
LOCK = text("SELECT pg_try_advisory_xact_lock(hashtext('migrations'))")
# It comes last, since a driver can keep the snapshot of a SELECT until the next statement.
STAY = text("SET LOCAL idle_in_transaction_session_timeout = 0")


@contextmanager
def wait_for_others(connection: Connection) -> Iterator[None]:
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


def explain_failure(url: URL, reason: str) -> str:
    user = f" as {url.username}" if url.username else ""
    return (
        f"DATABASE_URL: can't connect to {url.database} on"
        f" {url.host or 'localhost'}:{url.port or 5432}{user}: {reason}."
        " Is the server running, and does it have this database and this user?"
    )
