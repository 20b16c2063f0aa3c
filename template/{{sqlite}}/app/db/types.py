"""Column types of our own."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, DateTime, Dialect, Enum, Integer
from sqlalchemy.types import TypeDecorator

Key = Integer  # of generated keys, and of foreign keys to them


class UTCDateTime(TypeDecorator[datetime]):
    """A moment: an aware datetime in UTC, to the microsecond. A naive one is refused."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone: use datetime.now(UTC)")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


class JSONObject(TypeDecorator[dict[str, Any]]):
    """A JSON object; other JSON is refused."""

    impl = JSON
    cache_ok = True

    def process_bind_param(self, value: Any, _dialect: Dialect) -> dict[str, Any] | None:
        if value is not None and not isinstance(value, dict):
            raise TypeError(f"expected a dict, got {type(value).__name__}")
        return value


def string_enum(members: type[StrEnum], length: int = 20) -> Enum:
    """Return the type of a text column with a CHECK that admits the values of an enum alone."""
    return Enum(
        members,
        name=members.__name__.lower(),
        length=length,
        native_enum=False,
        create_constraint=True,
        values_callable=lambda enum: [member.value for member in enum],
    )
