"""Numbers that are no date or time: Pydantic would take them as seconds."""

from typing import Any


def no_number(value: Any) -> Any:
    """Return the value; raise ValueError for a number, which would be one of seconds."""
    digits = value.lstrip("+-").replace(".", "", 1) if isinstance(value, str) else ""
    if isinstance(value, int | float) or digits.isdecimal():
        raise ValueError("a date or time is a text as ISO 8601 has it, and no number")
    return value
