"""Moments, which are kept in UTC."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime


def in_utc(moment: datetime) -> datetime:
    """Return the moment in UTC; raise OverflowError where that is out of any calendar."""
    return moment.astimezone(UTC)


Moment = Annotated[AwareDatetime, AfterValidator(in_utc)]
