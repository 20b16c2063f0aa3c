"""Decimal numbers in JSON."""

from decimal import Decimal
from typing import Annotated

from pydantic import PlainSerializer


def plain_number(value: Decimal) -> str:
    """Write the number as 12.5, also where the database has 12.50."""
    digits = format(value + 0, "f")  # -0 is 0
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


PlainDecimal = Annotated[Decimal, PlainSerializer(plain_number, str, when_used="json")]
