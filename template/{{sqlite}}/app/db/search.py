"""Full-text search: an FTS5 table that triggers keep in step with the table it is of."""

import re
from typing import Any, TypeVar
from unicodedata import category

from sqlalchemy import ColumnClause, Connection, Select, Table, column, event, literal_column, text
from sqlalchemy import table as table_of
from sqlalchemy.dialects.sqlite import dialect

from app.db.metadata import metadata

# Words are letters and digits with their marks (M), such as vowel signs. The accents of Latin
# letters make no difference; the points of Arabic and Hebrew do.
# With "trigram" any three or more characters in a row are found, inside of words too: for scripts
# without spaces between words.
TOKENIZER = "unicode61 remove_diacritics 2 categories 'L* N* Co Mn Mc'"

# A match of a word in the first column counts more than any number of its matches in the others.
RANK = "bm25({search}, 10000)"

# As SQLite keeps them: `repair` compares them with those of the database.
TABLE = (
    "CREATE VIRTUAL TABLE {search} USING fts5({columns}, content={table},"
    ' content_rowid=id, tokenize="{tokenizer}")'
)
ADD = "INSERT INTO {search} (rowid, {columns}) VALUES (new.id, {new});"
REMOVE = "INSERT INTO {search} ({search}, rowid, {columns}) VALUES ('delete', old.id, {old});"
BOTH = f"{REMOVE} {ADD}"
TRIGGERS = (
    "CREATE TRIGGER {insert} AFTER INSERT ON {table} BEGIN " + ADD + " END",
    "CREATE TRIGGER {delete} AFTER DELETE ON {table} BEGIN " + REMOVE + " END",
    "CREATE TRIGGER {update} AFTER UPDATE OF id, {columns} ON {table} BEGIN " + BOTH + " END",
)
REBUILD = "INSERT INTO {search} ({search}) VALUES ('rebuild')"

SelectT = TypeVar("SelectT", bound=Select[*tuple[Any, ...]])

_columns: dict[str, tuple[str, ...]] = {}
_quoted = dialect().identifier_preparer.quote  # where a name needs it


def make_searchable(table_name: str, title: str, *others: str) -> None:
    """Let the texts of columns of a table be found, the first before the others.

    `alembic upgrade` builds the index anew after a change.
    """
    _columns[table_name] = (title, *others)
    table = metadata.tables[table_name]
    event.listen(table, "after_create", _create)
    event.listen(table, "before_drop", _drop)


def ranked(statement: SelectT, table_name: str, words: str) -> SelectT:
    """Return the statement for the rows alone that hold the words, the best first."""
    table = metadata.tables[table_name]
    search = table_of(f"{table_name}_search", column("rowid"))
    query = " ".join(f'"{word}"' for word in _words_of(words)) or '""'
    matching = statement.join(search, search.c.rowid == table.c.id).where(
        literal_column(_quoted(search.name)).bool_op("MATCH")(query)
    )
    rank: ColumnClause[float] = literal_column(RANK.format(search=_quoted(search.name)))
    return matching.order_by(rank, table.c.id.desc())


def repair(connection: Connection) -> None:
    """Make each index anew that isn't as it is made today: a migration may drop its triggers.

    At a revision where the table lacks a column of it, there is none.
    """
    kept = set(connection.scalars(text("SELECT sql FROM sqlite_master")))
    columns_of = text("SELECT name FROM pragma_table_xinfo(:name)")
    for name, columns in _columns.items():
        table = metadata.tables[name]
        if not {*columns} <= {*connection.scalars(columns_of, {"name": name})}:
            _drop(table, connection)
        elif not {*_statements(name)} <= kept:
            _create(table, connection)


def _words_of(text: str) -> list[str]:
    """Return the words of a text: letters and digits with their marks, such as vowel signs."""
    words = "".join(c if category(c)[0] in "LNM" else " " for c in text).split()
    return [word for word in words if re.search(r"\w", word)]


def _create(table: Table, connection: Connection, **_options: object) -> None:
    _drop(table, connection)
    for statement in _statements(table.name):
        connection.exec_driver_sql(statement)
    connection.exec_driver_sql(REBUILD.format(search=_quoted(f"{table.name}_search")))


def _drop(table: Table, connection: Connection, **_options: object) -> None:
    for trigger in _trigger_names(table.name).values():
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {trigger}")
    search = _quoted(f"{table.name}_search")
    connection.exec_driver_sql(f"DROP TABLE IF EXISTS {search}")


def _statements(name: str) -> list[str]:
    """Return what creates the index of a table, and the triggers that keep it in step."""
    names = _columns[name]
    words = {
        "table": _quoted(name),
        "search": _quoted(f"{name}_search"),
        "tokenizer": TOKENIZER,
        "columns": ", ".join(map(_quoted, names)),
        "new": ", ".join(f"new.{_quoted(column)}" for column in names),
        "old": ", ".join(f"old.{_quoted(column)}" for column in names),
    }
    words |= _trigger_names(name)
    return [statement.format(**words) for statement in (TABLE, *TRIGGERS)]


def _trigger_names(name: str) -> dict[str, str]:
    return {change: _quoted(f"{name}_search_{change}") for change in ("insert", "delete", "update")}
