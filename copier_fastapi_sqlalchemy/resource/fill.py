"""Values that the rows of a table get in a column that a change adds: as literals of SQL, by the database."""

import json
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

from pydantic import TypeAdapter

from copier_fastapi_sqlalchemy.resource.errors import Refusal
from copier_fastapi_sqlalchemy.resource.fields import Field
from copier_fastapi_sqlalchemy.resource.types import TYPES, default_of

EXAMPLES = {
    "decimal": "9.50",
    "date": "2026-01-31",
    "datetime": "2026-01-31T12:00:00Z",
    "time": "12:30:00",
    "interval": "P1DT2H",
    "uuid": "00000000-0000-4000-8000-000000000001",
    "json": '{"key": 1}',
    "bytes": "AP8= (base64)",
    "ref": "1 (the id of a row)",
}
MAX_KEY = 2**63
INTERVAL = TypeAdapter(timedelta)
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Fill:
    """The value, as a literal of SQL, that rows get in a column. Without one, `is_new` ones can't be added."""

    column: str
    literal: str
    is_new: bool


def literal_of(field: Field, text: str, database: str) -> str:
    """Give the SQL of a value of a field's type.

    Raises:
        Refusal: the text isn't one.

    """
    try:
        if TYPES[field.type].defaults:
            default_of(replace(field, default=text))
        return _LITERALS[field.type](field, text, database)
    except (Refusal, ValueError, TypeError, OverflowError):
        example = EXAMPLES.get(field.type)
        advice = f", as in --fill '{field.name}={example}'" if example else ""
        raise Refusal(f"Give --fill {field.name} a value of its type, {field.type}{advice}: not {text!r}.") from None


def _quoted(text: str, database: str) -> str:
    """Give a literal of a text; a backslash is one of MySQL's own signs."""
    escaped = text.replace("'", "''")
    return "'" + (escaped.replace("\\", "\\\\") if database == "mysql" else escaped) + "'"


def _short(_field: Field, text: str, database: str) -> str:
    return _quoted(text, database)


def _long(_field: Field, text: str, database: str) -> str:
    """Give a literal of a long text, which MySQL takes as an expression alone."""
    literal = _quoted(text, database)
    return f"({literal})" if database == "mysql" else literal


def _number(_field: Field, text: str, _database: str) -> str:
    return str(int(text))


def _float(_field: Field, text: str, _database: str) -> str:
    return repr(float(text))


def _decimal(field: Field, text: str, database: str) -> str:
    number, decimals = Decimal(text), int(field.arguments[1])
    return str(int(number.scaleb(decimals))) if database == "sqlite" else f"{number:.{decimals}f}"


def _bool(_field: Field, text: str, database: str) -> str:
    is_true = text.lower() == "true"
    return str(int(is_true)) if database == "sqlite" else str(is_true).lower()


def _date(_field: Field, text: str, _database: str) -> str:
    return f"'{date.fromisoformat(text).isoformat()}'"


def _datetime(_field: Field, text: str, database: str) -> str:
    moment = datetime.fromisoformat(text).astimezone(UTC)
    zone = "+00:00" if database == "postgresql" else ""
    return f"'{moment.replace(tzinfo=None).isoformat(' ', 'microseconds')}{zone}'"


def _time(_field: Field, text: str, _database: str) -> str:
    moment = time.fromisoformat(text)
    if moment.tzinfo is not None:
        raise ValueError(text)
    return f"'{moment.isoformat('microseconds')}'"


def _interval(_field: Field, text: str, database: str) -> str:
    interval = INTERVAL.validate_python(text)
    if database != "postgresql":
        return str(interval // MICROSECOND)
    return f"'{interval.days} days {interval.seconds} seconds {interval.microseconds} microseconds'"


def _uuid(_field: Field, text: str, database: str) -> str:
    value = UUID(text)
    return f"'{value}'" if database == "postgresql" else f"'{value.hex}'"


def _json(_field: Field, text: str, database: str) -> str:
    value = json.loads(text, parse_constant=lambda _: 1 / 0)
    if not isinstance(value, dict):
        raise TypeError(text)
    return _long(_field, json.dumps(value, ensure_ascii=False), database)


def _bytes(_field: Field, text: str, database: str) -> str:
    value = b64decode(text, validate=True).hex()
    return {"sqlite": f"x'{value}'", "postgresql": f"'\\x{value}'", "mysql": f"(x'{value}')"}[database]


def _key(_field: Field, text: str, _database: str) -> str:
    key = int(text)
    if not 0 < key < MAX_KEY:
        raise ValueError(text)
    return str(key)


_LITERALS: dict[str, Callable[[Field, str, str], str]] = {
    "str": _short,
    "email": _short,
    "url": _short,
    "enum": _short,
    "text": _long,
    "int": _number,
    "bigint": _number,
    "float": _float,
    "decimal": _decimal,
    "bool": _bool,
    "date": _date,
    "datetime": _datetime,
    "time": _time,
    "interval": _interval,
    "uuid": _uuid,
    "json": _json,
    "bytes": _bytes,
    "ref": _key,
}
