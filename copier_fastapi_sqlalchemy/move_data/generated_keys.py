"""The counters from which databases generate primary keys."""

import re

import sqlalchemy as sa

from copier_fastapi_sqlalchemy.move_data.database import Database

POSTGRESQL_SEQUENCES = sa.text("""
SELECT attname, coalesce(pg_sequence_last_value(pg_get_serial_sequence(:name, attname)::regclass), 0) AS last
FROM pg_attribute WHERE attrelid = CAST(:name AS regclass) AND attnum > 0 AND NOT attisdropped
AND pg_get_serial_sequence(:name, attname) IS NOT NULL
""")
SQLITE_DEFINITION = sa.text("SELECT sql FROM sqlite_master WHERE name = :name")
SQLITE_LAST_KEY = sa.text("SELECT seq FROM sqlite_sequence WHERE name = :name")
SQLITE_FORGET = sa.text("DELETE FROM sqlite_sequence WHERE name = :name")
SQLITE_REMEMBER = sa.text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last)")


def last_keys(database: Database, table: sa.Table) -> dict[str, int]:
    """Give the last generated value of each column for which the database remembers it; 0 is none."""
    execute = database.connection.execute
    if database.backend == "postgresql":
        return {row.attname: row.last for row in execute(POSTGRESQL_SEQUENCES, {"name": _quoted(database, table)})}
    if database.backend == "mysql":
        definition = execute(sa.text(f"SHOW CREATE TABLE {_quoted(database, table)}")).one()[1]
        following = re.search(r"(?m)^\) ENGINE=\w+ AUTO_INCREMENT=(\d+)", definition)
        names = [column.name for column in table.c if column.autoincrement is True]
        return dict.fromkeys(names, int(following[1]) - 1 if following else 0)
    definition = execute(SQLITE_DEFINITION, {"name": table.name}).scalar_one()
    if not re.search(r"(?i)\bAUTOINCREMENT\b", definition):
        return {}
    return {table.primary_key.columns[0].name: execute(SQLITE_LAST_KEY, {"name": table.name}).scalar() or 0}


def set_last_key(database: Database, table: sa.Table, column: str, last: int) -> None:
    """Let the next generated value of a column be `last` + 1."""
    execute = database.connection.execute
    if database.backend == "postgresql":
        sequence = sa.func.pg_get_serial_sequence(_quoted(database, table), column)
        execute(sa.select(sa.func.setval(sequence, last)))
    elif database.backend == "mysql":
        execute(sa.text(f"ALTER TABLE {_quoted(database, table)} AUTO_INCREMENT = {last + 1}"))
    else:
        execute(SQLITE_FORGET, {"name": table.name})
        execute(SQLITE_REMEMBER, {"name": table.name, "last": last})


def _quoted(database: Database, table: sa.Table) -> str:
    return database.connection.dialect.identifier_preparer.quote(table.name)
