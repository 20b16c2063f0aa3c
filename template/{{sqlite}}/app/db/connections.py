"""The connections of an engine: what happens to them, in the log."""

import logging

from sqlalchemy import Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

logger = logging.getLogger(__name__)


def log_connections(engine: Engine) -> None:
    event.listen(engine, "connect", _opened)
    event.listen(engine, "close", _closed)
    event.listen(engine, "invalidate", _invalidated)


def _opened(_connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    logger.debug("A connection is open.")


def _closed(_connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    logger.debug("A connection is closed.")


def _invalidated(
    _connection: DBAPIConnection, _entry: ConnectionPoolEntry, error: BaseException | None
) -> None:
    """Name the error's class alone: a driver's message can hold values of a statement."""
    logger.warning("A connection is lost: %s", type(error).__name__ if error else "no error")
