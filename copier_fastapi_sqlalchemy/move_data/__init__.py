"""Moves the rows of one database to another one: SQLite, PostgreSQL, MySQL or MariaDB."""

from copier_fastapi_sqlalchemy.move_data.errors import MoveError, UsageError, describe, is_full, is_temporary
from copier_fastapi_sqlalchemy.move_data.move import move

__all__ = ["MoveError", "UsageError", "describe", "is_full", "is_temporary", "move"]
