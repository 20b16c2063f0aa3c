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
READ = "SELECT number, statement, is_done FROM migration_journal"
# Of two processes, through nodes of a Galera cluster that don't know each other's locks, one can.
ADD = "INSERT INTO migration_journal (number, statement, is_done) VALUES (%s, %s, %s)"
NOTE = "REPLACE INTO migration_journal (number, statement, is_done) VALUES (%s, %s, %s)"
FORGET_SENT = "DELETE FROM migration_journal WHERE number = %s AND NOT is_done"
FORGET = "DELETE FROM migration_journal"
DROP = "DROP TABLE migration_journal"

# Statements that change nothing which outlives the connection, and what belongs to a savepoint.
READS = re.compile(
    r"\s*(DESC|DESCRIBE|DO|EXPLAIN|RELEASE|ROLLBACK|SAVEPOINT|SELECT|SET(?!\s+STATEMENT\b)|SHOW"
    r"|WITH(?!.*\)\s*(DELETE|UPDATE)\b))\b",
    re.IGNORECASE | re.DOTALL,
)
CHANGES_ROWS = re.compile(r"\s*(DELETE|INSERT|LOAD|REPLACE|UPDATE|WITH)\b", re.IGNORECASE)
# How Alembic records a revision, in a table that it creates first.
RECORDS = re.compile(r"\s*(CREATE TABLE|DELETE FROM|INSERT INTO|UPDATE) alembic_version\b")
# What the server says of a change that was made before: something exists already, or is gone.
MADE_BEFORE = {
    *(1050, 1051, 1054, 1060, 1061, 1068, 1091, 1146, 1176, 1826, 3821, 3822, 3940),
    *(1304, 1305, 1359, 1360, 1537, 1539),  # of procedures, functions, triggers and events
    *(4091, 4092),  # of MariaDB's sequences and views
}
FOREIGN_KEY, NAME_IS_TAKEN = 1005, "(errno: 121 "  # MariaDB has one code for all its failures

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
        self.done = {number: statement for number, statement, is_done in noted if is_done}
        # One was sent, and nobody knows whether the server has done it.
        self.sent = {number: statement for number, statement, is_done in noted if not is_done}
        self.number = 0
        if noted:
            logger.info("A run was cut off: the next goes on after statement %d", len(self.done))

    def execute(
        self, cursor: DBAPICursor, statement: str, parameters: Any, context: ExecutionContext
    ) -> bool:
        """Execute a statement, unless it is done; return False to leave that to SQLAlchemy."""
        if READS.match(statement) or TABLE in statement:
            if statement.startswith("SAVEPOINT"):
                self.create()  # it would end the savepoint
            return False
        if recording := RECORDS.match(statement):
            if recording[1] != "CREATE TABLE":
                self.end_revision()
            return False
        self.number += 1
        note = note_of(statement, parameters)
        self.check(note)
        if self.number in self.done:
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
        was_sent = self.number in self.sent
        if not was_sent:
            self.add(note, is_done=False)
        self.commit()
        try:
            send(cursor, statement, parameters, context)
        except context.dialect.loaded_dbapi.Error as error:
            if not (was_sent and says_made_before(error)):
                self.write(FORGET_SENT, self.number)
                self.commit()
                raise
            logger.info("It was done before the run was cut off: %s: %s", error.args[1], note)
        self.write(NOTE, self.number, note, True)
        self.commit()

    def end_revision(self) -> None:
        """Forget the statements of a revision, in the transaction that records it."""
        for number in sorted({**self.done, **self.sent}):
            if number > self.number:
                self.number = number
                self.check("the end of the revision")
        if self.exists:
            self.write(FORGET)
        self.number, self.done, self.sent = 0, {}, {}

    def check(self, note: str) -> None:
        """Raise CommandError where an earlier run has done something else."""
        noted = {**self.done, **self.sent}.get(self.number, note)
        if note != noted:
            raise CommandError(
                f"A run was cut off after {len(self.done)} statements, which {TABLE} lists. Run its"
                " command again with the revision as it was, or undo them and drop that table."
                f" It has {noted.strip()!r} where this run has {note.strip()!r}."
            )

    def add(self, note: str, *, is_done: bool) -> None:
        """Note a statement in a row of its own; raise CommandError where another run has it."""
        try:
            self.write(ADD, self.number, note, is_done)
        except self.connection.dialect.loaded_dbapi.IntegrityError as error:
            raise CommandError(
                "Migrate through one server: another process migrates this database now."
            ) from error

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


def says_made_before(error: Exception) -> bool:
    code, message = (*error.args, None, "")[:2]
    return code in MADE_BEFORE or (code == FOREIGN_KEY and NAME_IS_TAKEN in message)


def send(cursor: DBAPICursor, statement: str, parameters: Any, context: ExecutionContext) -> None:
    if context.executemany:
        context.dialect.do_executemany(cursor, statement, parameters, context)
    else:
        context.dialect.do_execute(cursor, statement, parameters, context)
