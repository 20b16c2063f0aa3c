"""What stops a move."""

from sqlalchemy.exc import DBAPIError


class MoveError(Exception):
    """The data can't be moved. The message is one line: what is wrong, and what to do about it."""

    exit_code = 1


class UsageError(MoveError):
    """An argument of the command is wrong."""

    exit_code = 2


def describe(error: Exception) -> str:
    """Give the message of an error, of the driver's own where there is one, on one line."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    return " ".join(str(cause.args[-1] if cause.args else cause).split())
