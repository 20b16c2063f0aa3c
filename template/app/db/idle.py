"""Connections that were idle, asked for a sign of life before they are used again."""

from time import monotonic

from sqlalchemy import Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry

MAX_IDLE = 1.0  # seconds


def ping_idle(engine: Engine) -> None:
    """Replace a connection of the pool that the server has closed while it was idle.

    The `pool_pre_ping` of an engine asks before every use, which takes a request up to three
    round trips more. A busy connection that is lost fails the one request that meets it.
    """

    def note(_connection: DBAPIConnection | None, entry: ConnectionPoolEntry) -> None:
        entry.info["idle_since"] = monotonic()

    def ping(connection: DBAPIConnection, entry: ConnectionPoolEntry, _proxy: object) -> None:
        if monotonic() - entry.info.get("idle_since", monotonic()) <= MAX_IDLE:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise DisconnectionError("The server closed an idle connection.") from error

    event.listen(engine, "checkin", note)
    event.listen(engine, "checkout", ping)
