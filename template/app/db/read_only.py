"""Connections that only read: they refuse to write and to lock."""

from typing import Any

from sqlalchemy import Engine, GenerativeSelect, TextualSelect, UpdateBase, event
from sqlalchemy.engine.interfaces import DBAPICursor

from app.db.dialect import is_refused_write, refusing_writes


class ReadOnlyError(Exception):
    """A statement that writes or locks, where only reads belong."""

    def __init__(self, statement: str) -> None:
        super().__init__(f"It writes or locks, which takes Database.begin: {statement}")


def refuse_writes(engine: Engine) -> None:
    """Let the engine's connections with the execution option `read_only` raise ReadOnlyError.

    The class of a construct says whether it writes or locks, and the database refuses a text that
    writes. A function that writes and a subquery that locks go unseen in a construct.
    """
    event.listen(engine, "do_execute", _execute)
    event.listen(engine, "do_execute_no_params", _execute_no_params)
    event.listen(engine, "do_executemany", _execute)


def _execute_no_params(cursor: DBAPICursor, statement: str, context: Any) -> bool:
    return _execute(cursor, statement, (), context)


def _execute(cursor: DBAPICursor, statement: str, parameters: Any, context: Any) -> bool:
    """Refuse a construct that doesn't just read; execute a text and return True."""
    if not context.execution_options.get("read_only", False):
        return False
    construct = getattr(context.compiled, "statement", None)
    if context.is_text or isinstance(construct, TextualSelect):
        _execute_text(cursor, statement, parameters, context)
        return True
    if not isinstance(construct, GenerativeSelect) or construct._for_update_arg is not None:  # noqa: SLF001
        raise ReadOnlyError(statement)
    if any(isinstance(cte.element, UpdateBase) for cte in context.compiled.ctes or ()):
        raise ReadOnlyError(statement)
    return False


def _execute_text(cursor: DBAPICursor, statement: str, parameters: Any, context: Any) -> None:
    """Execute a text while the database refuses to write."""
    try:
        with refusing_writes(context):
            context.dialect.do_execute(cursor, statement, parameters, context)
    except Exception as error:
        if is_refused_write(error):
            raise ReadOnlyError(statement) from error
        raise
