"""The connections of an engine: logged, and replaced once they are bad."""

import logging

from sqlalchemy import Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection, ExceptionContext
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry

from app.db.driver_errors import needs_new_connection

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


def replace_bad(engine: Engine) -> None:
    """Close a connection whose error says that it stays bad, and all that were opened before."""

    def check(context: ExceptionContext) -> None:
        error = context.sqlalchemy_exception
        if isinstance(error, DBAPIError) and needs_new_connection(error):
            context.is_disconnect = True

    event.listen(engine, "handle_error", check)
