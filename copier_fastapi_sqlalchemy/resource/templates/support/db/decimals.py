"""Decimal numbers that SQLite, which has none of its own, keeps exactly."""

from decimal import Decimal

from sqlalchemy import BigInteger, Dialect
from sqlalchemy.types import TypeDecorator


class ScaledDecimal(TypeDecorator[Decimal]):
    """A decimal number, kept as the integer that it is without its point.

    A number with more decimals than the column has is rounded, as other databases do.
    """

    impl = BigInteger
    cache_ok = True

    def __init__(self, digits: int, decimals: int) -> None:
        super().__init__()
        self.digits = digits
        self.decimals = decimals

    @property
    def python_type(self) -> type[Decimal]:
        return Decimal

    def process_bind_param(self, value: Decimal | None, _dialect: Dialect) -> int | None:
        return None if value is None else int(round(value, self.decimals).scaleb(self.decimals))

    def process_result_value(self, value: int | None, _dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value).scaleb(-self.decimals)
