"""Intervals that every database can keep."""

from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, Field

from app.web.numbers import no_number

MAX_INTERVAL = timedelta(days=100_000_000)

Interval = Annotated[
    timedelta, BeforeValidator(no_number), Field(ge=-MAX_INTERVAL, le=MAX_INTERVAL)
]
