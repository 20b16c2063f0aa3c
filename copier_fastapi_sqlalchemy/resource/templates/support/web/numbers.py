"""Numbers that are no date or time: Pydantic would take them as seconds."""

from typing import Any


def no_number(value: Any) -> Any:
    """Return the value; raise ValueError for a number, which would be one of seconds."""
    try:
        float(value)
    except (TypeError, ValueError):
        return value
    except OverflowError:
        pass  # an integer that no float can be
    raise ValueError("a date or time is a text as ISO 8601 has it, and no number")
