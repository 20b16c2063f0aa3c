"""Times of day."""

from datetime import time
from typing import Annotated

from pydantic import AfterValidator


def without_offset(value: time) -> time:
    """Return the time of day; raise ValueError where it has an offset, which isn't kept."""
    if value.tzinfo is not None:
        raise ValueError("a time of day has no offset")
    return value


TimeOfDay = Annotated[time, AfterValidator(without_offset)]
