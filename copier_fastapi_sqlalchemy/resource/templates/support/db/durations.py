"""Intervals on a database that has no type for them."""

from datetime import timedelta

from sqlalchemy import BigInteger, Dialect
from sqlalchemy.types import TypeDecorator

MICROSECOND = timedelta(microseconds=1)


class Duration(TypeDecorator[timedelta]):
    """An interval, kept as a number of microseconds."""

    impl = BigInteger
    cache_ok = True

    @property
    def python_type(self) -> type[timedelta]:
        return timedelta

    def process_bind_param(self, value: timedelta | None, _dialect: Dialect) -> int | None:
        return None if value is None else value // MICROSECOND

    def process_result_value(self, value: int | None, _dialect: Dialect) -> timedelta | None:
        return None if value is None else value * MICROSECOND
