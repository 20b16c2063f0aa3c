"""Lets a migration that failed go on where it stopped, since MySQL can't undo a change of a table.

Until a revision is done, each of its statements is noted in a table, `migration_journal`.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from logging import getLogger
from typing import Any

from alembic.util import CommandError
from sqlalchemy import Connection, event, inspect
from sqlalchemy.engine.interfaces import DBAPICursor, ExecutionContext

TABLE = "migration_journal"
CREATE = (
    "CREATE TABLE migration_journal"
    " (number INTEGER PRIMARY KEY, statement LONGTEXT NOT NULL, is_done BOOLEAN NOT NULL)"
)
READ = "SELECT statement, is_done FROM migration_journal ORDER BY number"
# Of two processes, through nodes of a Galera cluster that don't know each other's locks, one can.
ADD = "INSERT INTO migration_journal (number, statement, is_done) VALUES (%s, %s, %s)"
NOTE = "REPLACE INTO migration_journal (number, statement, is_done) VALUES (%s, %s, %s)"
FORGET = "DELETE FROM migration_journal WHERE number >= %s"
DROP = "DROP TABLE migration_journal"

READS = re.compile(
    r"\s*(DESC|DESCRIBE|DO|EXPLAIN|SELECT|SET|SHOW|WITH(?!.*\)\s*(DELETE|UPDATE)\b))\b",
    re.IGNORECASE | re.DOTALL,
)
CHANGES_ROWS = re.compile(r"\s*(DELETE|INSERT|LOAD|REPLACE|UPDATE|WITH)\b", re.IGNORECASE)
# What the server says of a change that was made before: something exists already, or is gone.
MADE_BEFORE = {1050, 1051, 1054, 1060, 1061, 1068, 1091, 1146, 1826, 3821, 3822}

logger = getLogger("alembic")


@contextmanager
def resuming(connection: Connection) -> Iterator[None]:
    """Leave out what a run that was cut off has done, and note what this one does."""
    journal = Journal(connection)
    for name in ("do_execute", "do_executemany"):
        event.listen(connection.engine, name, journal.execute)
    yield
    if journal.exists and not connection.exec_driver_sql(READ).all():
        connection.exec_driver_sql(DROP)


class Journal:
    """Executes the statements of a revision, but for those that an earlier run has done."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.exists = inspect(connection).has_table(TABLE)
        noted = connection.exec_driver_sql(READ).all() if self.exists else []
        self.done = [statement for statement, is_done in noted if is_done]
        # One was sent, and nobody knows whether the server has done it.
        self.sent = [statement for statement, is_done in noted if not is_done]
        self.number = 0
        if noted:
            logger.info("A run was cut off: the next goes on after statement %d", len(self.done))

    def execute(
        self, cursor: DBAPICursor, statement: str, parameters: Any, context: ExecutionContext
    ) -> bool:
        """Execute a statement, unless it is done; return False to leave that to SQLAlchemy."""
        if READS.match(statement) or TABLE in statement:
            return False
        if "alembic_version" in statement:
            self.end_revision()
            return False
        self.number += 1
        note = note_of(statement, parameters)
        if self.number <= len(self.done):
            self.check(note)
            return True
        self.create()
        if CHANGES_ROWS.match(statement):
            send(cursor, statement, parameters, context)
            self.add(note, is_done=True)
        else:
            self.change_schema(note, cursor, statement, parameters, context)
        return True

    def change_schema(
        self,
        note: str,
        cursor: DBAPICursor,
        statement: str,
        parameters: Any,
        context: ExecutionContext,
    ) -> None:
        """Execute a statement that is committed at once."""
        was_sent = self.sent == [note]
        self.add(note, is_done=False)
        self.sent = []
        self.commit()
        try:
            send(cursor, statement, parameters, context)
        except context.dialect.loaded_dbapi.Error as error:
            if not was_sent or error.args[0] not in MADE_BEFORE:
                self.write(FORGET, self.number)
                self.commit()
                raise
        self.write(NOTE, self.number, note, True)
        self.commit()

    def end_revision(self) -> None:
        """Forget the statements of a revision, in the transaction that records it."""
        if self.exists:
            self.write(FORGET, 0)
        self.number, self.done, self.sent = 0, [], []

    def check(self, note: str) -> None:
        """Raise CommandError where an earlier run has done something else."""
        done = self.done[self.number - 1]
        if note != done:
            raise CommandError(
                f"A run was cut off after {len(self.done)} statements, which {TABLE} lists. Run its"
                " command again with the revision as it was, or undo them and drop that table."
                f" It has {done.strip()!r} where this run has {note.strip()!r}."
            )

    def add(self, note: str, *, is_done: bool) -> None:
        """Note a statement in a row of its own, or in that of one that an earlier run has sent."""
        self.write(NOTE if self.sent else ADD, self.number, note, is_done)

    def create(self) -> None:
        """Create the table while nothing is pending: that commits what the connection did."""
        if not self.exists:
            self.write(CREATE)
            self.exists = True

    def commit(self) -> None:
        self.connection.connection.commit()

    def write(self, statement: str, *parameters: Any) -> None:
        cursor = self.connection.connection.cursor()
        cursor.execute(statement, parameters)
        cursor.close()


def note_of(statement: str, parameters: Any) -> str:
    """Return what the journal has of a statement: its parameters too, but not as they are."""
    if not parameters:
        return statement
    digest = blake2b(repr(parameters).encode(), digest_size=8).hexdigest()
    return f"{statement} -- with parameters {digest}"


def send(cursor: DBAPICursor, statement: str, parameters: Any, context: ExecutionContext) -> None:
    if context.executemany:
        context.dialect.do_executemany(cursor, statement, parameters, context)
    else:
        context.dialect.do_execute(cursor, statement, parameters, context)
