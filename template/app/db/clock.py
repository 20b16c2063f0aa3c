"""What time it is: a test says so by replacing `clock.now`."""

from datetime import UTC, datetime


class Clock:
    def now(self) -> datetime:
        return datetime.now(UTC)


clock = Clock()


def utcnow() -> datetime:
    return clock.now()
