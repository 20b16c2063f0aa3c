"""What a database error means, told by the driver's code and never by its message."""

from sqlalchemy.exc import DBAPIError

NO_SAVEPOINT = 1305
UNIQUE = {1062, 1586}
FOREIGN_KEY = {1451, 1452}
UNAVAILABLE = {
    1020,  # a row of the snapshot has changed
    1021,  # disk full
    1040,  # too many connections
    1041,  # out of memory
    1044,  # credentials refused
    1045,
    1049,  # no such database
    1053,  # the server shuts down
    1114,  # a table is full
    1129,  # host blocked
    1130,  # host refused
    1203,  # too many connections of this user
    1205,  # a lock wasn't free in time
    1213,  # deadlock
    1226,  # too many connections of this user
    1317,  # a statement was canceled
    1698,  # credentials refused
    1969,  # a statement took too long
    2002,  # no connection
    2003,
    2006,  # connection lost
    2013,
    3024,  # a statement took too long
    8002,  # TiDB: the transaction met another, and is undone
    8005,
    8022,
    8028,  # TiDB: a table was changed meanwhile
    9001,  # TiDB: a part of the cluster doesn't answer, or is busy
    9002,
    9003,
    9004,
    9005,
    9007,  # TiDB: the transaction met another
}
NEEDS_NEW_CONNECTION = {
    1047,  # the node of a Galera cluster has lost the others
    1290,  # the server turned read-only
    1836,
}


def is_unique_violation(error: DBAPIError) -> bool:
    return _code(error) in UNIQUE


def is_foreign_key_violation(error: DBAPIError) -> bool:
    return _code(error) in FOREIGN_KEY


def is_unavailable(error: DBAPIError) -> bool:
    """Whether the same request can succeed later: a lock, a timeout, a lost connection."""
    unavailable = _code(error) in UNAVAILABLE
    return unavailable or error.connection_invalidated or needs_new_connection(error)


def needs_new_connection(error: DBAPIError) -> bool:
    """Whether a connection can't be used any more, though it is open."""
    return _code(error) in NEEDS_NEW_CONNECTION


def _code(error: DBAPIError) -> int | None:
    """Return the driver's code; where a savepoint is gone, the code of what undid it.

    A deadlock undoes the whole transaction, so that the way back to a savepoint fails too.
    """
    cause: BaseException | None = error.orig
    code = cause.args[0] if cause is not None and cause.args else None
    if code == NO_SAVEPOINT:
        while cause is not None and not isinstance(cause, DBAPIError):
            cause = cause.__context__
    return _code(cause) if isinstance(cause, DBAPIError) else code
