"""Intervals that every database can keep."""

from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

MAX_INTERVAL = timedelta(days=100_000_000)


def no_bool(value: Any) -> Any:
    """Return the value; raise ValueError for true and false, which would be one second and none."""
    if value is True or value is False:
        raise ValueError("an interval is a text such as P1DT2H")
    return value


Interval = Annotated[
    timedelta, BeforeValidator(no_bool), Field(ge=-MAX_INTERVAL, le=MAX_INTERVAL)
]
