"""Transactions of MySQL that refuse to write where they are for reading."""

from sqlalchemy import Connection, Engine, event


def own_transactions(engine: Engine) -> None:
    """Begin the transactions of `engine.execution_options(read_only=True)` by a statement."""
    event.listen(engine, "begin", _begin)


def _begin(connection: Connection) -> None:
    if connection.get_execution_options().get("read_only", False):
        connection.exec_driver_sql("START TRANSACTION READ ONLY")
