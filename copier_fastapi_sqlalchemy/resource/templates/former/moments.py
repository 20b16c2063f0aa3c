"""Moments, which are kept in UTC."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime


def in_utc(moment: datetime) -> datetime:
    """Return the moment in UTC; raise ValueError where that is out of any calendar."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("the moment is in no year from 1 to 9999") from None


Moment = Annotated[AwareDatetime, AfterValidator(in_utc)]
