"""Moments, which are kept in UTC."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BeforeValidator

from app.web.numbers import no_number


def in_utc(moment: datetime) -> datetime:
    """Return the moment in UTC; raise ValueError where that is out of any calendar."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("the moment is in no year from 1 to 9999") from None


Moment = Annotated[AwareDatetime, BeforeValidator(no_number), AfterValidator(in_utc)]
