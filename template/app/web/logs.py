"""The log: each record is a line of text or of JSON, on the standard error."""

import json
import logging
import re
from collections.abc import Mapping
from contextvars import ContextVar
from functools import lru_cache
from time import gmtime, strftime
from typing import Any

from app.settings import Settings

# What a record has of its own; the rest is what `extra` of a call gave it.
_STANDARD = {*vars(logging.makeLogRecord({})), "asctime", "color_message", "message", "taskName"}
_SIMPLE = re.compile(r"[\w.:/+=-]+", re.ASCII)

current_fields: ContextVar[dict[str, Any]] = ContextVar("current_fields")
_encode = json.JSONEncoder(default=str).encode


def set_up_logs(settings: Settings) -> None:
    """Write all records in one form: the service's, and those of the libraries and the server.

    `debug` is for the service alone: what libraries write then can hold the values of a statement.
    """
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if settings.log_format == "json" else TextFormatter())
    logging.basicConfig(handlers=[handler], level=max(level, logging.INFO), force=True)
    logging.captureWarnings(capture=True)
    logging.getLogger("app").setLevel(level)
    for name in ("uvicorn", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(max(level, logger.level))
    # Requests are logged by RequestLogMiddleware.
    access = logging.getLogger("uvicorn.access")
    access.handlers.clear()
    access.propagate = False
    # Without a handler, an engine that echoes its statements would get one of its own.
    logging.getLogger("sqlalchemy.engine.Engine").handlers = [logging.NullHandler()]


def request_fields() -> dict[str, Any]:
    """Return what every line of the request being answered has, such as its id; add to it at will.

    Outside of a request it is empty, and what is added is lost.
    """
    return current_fields.get({})


class JsonFormatter(logging.Formatter):
    """Writes a record as a JSON object, in ASCII, so that any text in it stays on the line.

    A call's mapping of arguments and its `extra` are members of their own.
    """

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": _time_of(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage().strip(),
        }
        if trace := _trace_of(self, record):
            line["trace"] = trace
        arguments = record.args if isinstance(record.args, Mapping) else {}
        return _encode({**line, **arguments, **_extra_of(record), **request_fields(), **line})


class TextFormatter(logging.Formatter):
    """Writes a record for a terminal; what comes after a line break is indented."""

    def format(self, record: logging.LogRecord) -> str:
        fields = {**_extra_of(record), **request_fields()}
        message = record.getMessage().strip()
        words = [f"{name}={_quote(str(value))}" for name, value in fields.items()]
        text = " ".join([_time_of(record), f"{record.levelname:<7}", record.name, message, *words])
        if trace := _trace_of(self, record):
            text += "\n" + trace
        return text if text.isprintable() else _escape(text)


def _time_of(record: logging.LogRecord) -> str:
    """Return the time in UTC, as ISO 8601 has it."""
    seconds = int(record.created)
    return f"{_second(seconds)}.{int((record.created - seconds) * 1000):03}Z"


@lru_cache(maxsize=1)  # most records are of the same second as the one before
def _second(seconds: int) -> str:
    return strftime("%Y-%m-%dT%H:%M:%S", gmtime(seconds))


def _extra_of(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}


def _trace_of(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    """Return the traceback or the stack that the record has, if any."""
    traces = [formatter.formatException(record.exc_info)] if record.exc_info else []
    return "\n".join([*traces, *([record.stack_info] if record.stack_info else [])])


def _quote(text: str) -> str:
    return text if _SIMPLE.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def _escape(text: str) -> str:
    """Return the text with nothing in it that moves a terminal's cursor, or looks like a line."""
    lines = ("".join(map(_printable, line)) for line in text.splitlines())
    return "\n    ".join(lines)


def _printable(character: str) -> str:
    return character if character.isprintable() else repr(character)[1:-1]
