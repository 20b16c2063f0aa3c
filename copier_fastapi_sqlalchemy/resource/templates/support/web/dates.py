"""Dates in JSON."""

from datetime import date
from typing import Annotated

from pydantic import BeforeValidator

from app.web.numbers import no_number

Date = Annotated[date, BeforeValidator(no_number)]
