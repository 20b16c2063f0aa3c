"""Statements that take long, in the log."""

import logging
from time import monotonic
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine.interfaces import ExceptionContext

MAX_LENGTH = 2000

logger = logging.getLogger(__name__)


def log_slow_statements(engine: Engine, seconds: float) -> None:
    """Log each statement that takes longer: its text, and never its parameters."""

    def started(connection: Connection, *_statement: Any) -> None:
        connection.info["statement_start"] = monotonic()

    def ended(connection: Connection, _cursor: object, statement: str, *_others: Any) -> None:
        start: float | None = connection.info.pop("statement_start", None)
        if start is not None and monotonic() - start > seconds:
            duration = round((monotonic() - start) * 1000)
            fields = {"duration_ms": duration, "statement": statement[:MAX_LENGTH]}
            logger.warning("A statement took %(duration_ms)d ms: %(statement)s", fields)

    def failed(context: ExceptionContext) -> None:
        connection = context.connection
        if context.statement and connection is not None and not connection.invalidated:
            ended(connection, None, context.statement)

    event.listen(engine, "before_cursor_execute", started)
    event.listen(engine, "after_cursor_execute", ended)
    event.listen(engine, "handle_error", failed)
