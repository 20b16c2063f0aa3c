"""Intervals that every database can keep."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

MAX_INTERVAL = timedelta(days=100_000_000)

Interval = Annotated[timedelta, Field(ge=-MAX_INTERVAL, le=MAX_INTERVAL)]
