"""Full-text search: an FTS5 table that triggers keep in step with the table it is of."""

import re
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnClause,
    Connection,
    Select,
    Table,
    column,
    event,
    inspect,
    literal_column,
    text,
)
from sqlalchemy import table as table_of
from sqlalchemy.dialects.sqlite import dialect

from app.db.metadata import metadata

# With "trigram" any three or more characters in a row are found, inside of words too: for scripts
# without spaces between words. `alembic upgrade` builds the index anew after a change.
TOKENIZER = "unicode61 remove_diacritics 2"

# A match in the first column counts more than any number of them in the others.
RANK = "bm25({search}, 10000)"

TABLE = """
CREATE VIRTUAL TABLE IF NOT EXISTS {search} USING fts5(
  {columns}, content={table}, content_rowid=id, tokenize='{tokenizer}'
)"""
ADD = "INSERT INTO {search} (rowid, {columns}) VALUES (new.id, {new});"
REMOVE = """
  INSERT INTO {search} ({search}, rowid, {columns}) VALUES ('delete', old.id, {old});
"""
TRIGGER = "CREATE TRIGGER IF NOT EXISTS "
TRIGGERS = (
    TRIGGER + "{insert} AFTER INSERT ON {table} BEGIN " + ADD + " END",
    TRIGGER + "{delete} AFTER DELETE ON {table} BEGIN" + REMOVE + "END",
    TRIGGER + "{update} AFTER UPDATE OF id, {columns} ON {table} BEGIN" + REMOVE + ADD + " END",
)
REBUILD = "INSERT INTO {search} ({search}) VALUES ('rebuild')"

SelectT = TypeVar("SelectT", bound=Select[*tuple[Any, ...]])

_columns: dict[str, tuple[str, ...]] = {}
_quoted = dialect().identifier_preparer.quote  # where a name needs it


def make_searchable(table_name: str, title: str, *others: str) -> None:
    """Let the texts of columns of a table be found, the first before the others."""
    _columns[table_name] = (title, *others)
    table = metadata.tables[table_name]
    event.listen(table, "after_create", _create)
    event.listen(table, "before_drop", _drop)


def ranked(statement: SelectT, table_name: str, words: str) -> SelectT:
    """Return the statement for the rows alone that hold the words, the best first."""
    table = metadata.tables[table_name]
    search = table_of(f"{table_name}_search", column("rowid"))
    query = " ".join(f'"{word}"' for word in re.findall(r"\w+", words)) or '""'
    matching = statement.join(search, search.c.rowid == table.c.id).where(
        literal_column(_quoted(search.name)).bool_op("MATCH")(query)
    )
    rank: ColumnClause[float] = literal_column(RANK.format(search=_quoted(search.name)))
    return matching.order_by(rank, table.c.id.desc())


def repair(connection: Connection) -> None:
    """Make anew what a migration dropped with a table, or didn't make."""
    for name in _columns:
        if not inspect(connection).has_table(name):
            _drop(metadata.tables[name], connection)
        elif _tokenizer_differs(connection, name):
            _drop(metadata.tables[name], connection)
            _create(metadata.tables[name], connection)
        elif _lacks_triggers(connection, name):
            _create(metadata.tables[name], connection)


def _tokenizer_differs(connection: Connection, name: str) -> bool:
    statement = text("SELECT sql FROM sqlite_master WHERE name = :name")
    found = connection.scalar(statement, {"name": f"{name}_search"})
    return found is not None and f"tokenize='{TOKENIZER}'" not in found


def _lacks_triggers(connection: Connection, name: str) -> bool:
    statement = text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
    return not set(_trigger_names(name).values()) <= set(connection.scalars(statement))


def _trigger_names(name: str) -> dict[str, str]:
    return {change: f"{name}_search_{change}" for change in ("insert", "delete", "update")}


def _create(table: Table, connection: Connection, **_options: object) -> None:
    names = _columns[table.name]
    words = {
        "table": _quoted(table.name),
        "search": _quoted(f"{table.name}_search"),
        "tokenizer": TOKENIZER,
        "columns": ", ".join(map(_quoted, names)),
        "new": ", ".join(f"new.{_quoted(name)}" for name in names),
        "old": ", ".join(f"old.{_quoted(name)}" for name in names),
    }
    words |= {change: _quoted(name) for change, name in _trigger_names(table.name).items()}
    for statement in (TABLE, *TRIGGERS, REBUILD):
        connection.exec_driver_sql(statement.format(**words))


def _drop(table: Table, connection: Connection, **_options: object) -> None:
    search = _quoted(f"{table.name}_search")
    connection.exec_driver_sql(f"DROP TABLE IF EXISTS {search}")
