"""Reads what a database says of its tables."""

import re
import sqlite3
import warnings
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, SAWarning

from copier_fastapi_sqlalchemy.move_data.database import Database, connect, location, parse_url
from copier_fastapi_sqlalchemy.move_data.errors import MoveError, describe
from copier_fastapi_sqlalchemy.resource.errors import Refusal
from copier_fastapi_sqlalchemy.resource.project import Project

LABEL = "database"
URL = "DATABASE_URL"
TRIGGERS = {
    "sqlite": "SELECT tbl_name, name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT relname, tgname FROM pg_trigger JOIN pg_class c ON c.oid = tgrelid"
    " WHERE NOT tgisinternal AND relnamespace = current_schema()::regnamespace",
    "mysql": "SELECT event_object_table, trigger_name FROM information_schema.triggers"
    " WHERE trigger_schema = DATABASE()",
}
# The CHECKs of columns, which MariaDB has beside those of tables: that of JSON is one.
COLUMN_CHECKS = (
    "SELECT table_name, check_clause FROM information_schema.check_constraints"
    " WHERE constraint_schema = DATABASE() AND level = 'Column'"
)
# What SQLAlchemy writes of a UUID where the database has no type for it: 32 digits, with a version and a variant.
HEX = {
    "sqlite": "{name} NOT GLOB '*[^0-9a-f]*' AND substr({name}, 13, 1) GLOB '[1-8]'"
    " AND substr({name}, 17, 1) GLOB '[89ab]' AND length({name}) = 32",
    "mysql": "{name} REGEXP '^[0-9a-f]{{12}}[1-8][0-9a-f]{{3}}[89ab][0-9a-f]{{15}}$'",
}
UUID_LENGTH = 32


@dataclass(frozen=True)
class IndexInfo:
    """An index, or a constraint that keeps columns unique. `columns` is empty for one of expressions."""

    name: str
    columns: tuple[str, ...]
    is_unique: bool
    is_constraint: bool = False
    where: str = ""
    expressions: tuple[str, ...] = ()
    options: tuple[tuple[str, Any], ...] = ()

    @property
    def is_plain(self) -> bool:
        """Whether it is of all rows and of columns as they are, in the usual way."""
        return not (self.where or self.expressions or self.options)


@dataclass(frozen=True)
class TableInfo:
    """A table as a database has it; `uuids` are the columns of 32 characters that hold UUIDs alone."""

    name: str
    columns: Mapping[str, Any]
    key: tuple[str, ...]
    key_name: str
    references: tuple[Any, ...]
    indexes: tuple[IndexInfo, ...]
    checks: tuple[tuple[str, str], ...]
    triggers: tuple[str, ...]
    unseen: tuple[tuple[str, str], ...]  # indexes and triggers of SQLite that a copy of the table lacks, with their SQL
    comment: str
    collation: str
    uuids: frozenset[str]
    is_misread: bool = False  # by SQLAlchemy, and so by Alembic, in SQLite

    def reference(self, column: str) -> Any:
        """Give the foreign key that a column is, alone; None if it is none."""
        return next((key for key in self.references if key["constrained_columns"] == [column]), None)


@dataclass(frozen=True)
class Reflected:
    """The tables of a database. `is_own` tells whether the database is the project's own.

    `schema` is the SQL of all that SQLite has.
    """

    dialect: sa.Dialect
    tables: Mapping[str, TableInfo]
    is_own: bool
    schema: tuple[str, ...] = ()


def read_database(project: Project, given: str | None, environment: Mapping[str, str]) -> Reflected:
    """Read the tables of the database at a URL, or of the project's own.

    Raises:
        Refusal: there is none, it is of another kind than the project's, or it can't be read.

    """
    own = _own_url(project, environment)
    try:
        url = parse_url(given, "--from") if given else own
        if url is None:
            raise Refusal(f"Give the database with --from URL: neither the environment nor .env here has {URL}.")
        backend = url.get_backend_name()
        if backend != project.answers.database:
            raise Refusal(
                f"Move the data first, with `move-data`: the project is on {project.answers.database}, and"
                f" the tables are on {backend}."
            )
        is_own = own is not None and location(url) == location(own)
        with (
            warnings.catch_warnings(action="ignore", category=SAWarning),
            connect(url, LABEL, read_only=True) as database,
        ):
            return Reflected(database.connection.dialect, _read_tables(database), is_own, _schema(database))
    except MoveError as error:
        raise Refusal(str(error)) from None
    except DBAPIError as error:
        raise Refusal(f"Let the account read the catalogue of the database: {describe(error)}.") from None


def _own_url(project: Project, environment: Mapping[str, str]) -> sa.URL | None:
    """Give the URL of the project's own database, as its settings read it: None if it isn't set."""
    text = environment.get(URL) or _in_dotenv(project.folder / ".env")
    if not text:
        return None
    url = parse_url(text, URL)
    if url.get_backend_name() == "sqlite" and url.database:
        return url.set(database=str(project.folder / url.database))
    return url


def _in_dotenv(path: Path) -> str:
    if not path.is_file():
        return ""
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    found = [line for line in lines if re.match(rf"\s*(?:export\s+)?{URL}\s*=", line)]
    return found[-1].partition("=")[2].strip().strip("'\"") if found else ""


def _schema(database: Database) -> tuple[str, ...]:
    if database.backend != "sqlite":
        return ()
    statement = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid"
    return tuple(database.connection.exec_driver_sql(statement).scalars())


def _read_tables(database: Database) -> dict[str, TableInfo]:
    connection = database.connection
    inspector = sa.inspect(connection)
    triggers = connection.exec_driver_sql(TRIGGERS[database.backend]).all()
    names = set(inspector.get_table_names()) - {"alembic_version", "migration_journal"}
    if database.backend == "sqlite":
        kept = "SELECT name FROM pragma_table_list WHERE type IN ('virtual', 'shadow')"
        names -= set(connection.exec_driver_sql(kept).scalars())
    tables = {name: _read_table(database, inspector, name, triggers) for name in sorted(names)}
    if getattr(connection.dialect, "is_mariadb", False):
        for name, condition in connection.exec_driver_sql(COLUMN_CHECKS):
            if name in tables:
                tables[name] = replace(tables[name], checks=(*tables[name].checks, ("", condition)))
    return tables


def _read_table(database: Database, inspector: sa.Inspector, name: str, triggers: Any) -> TableInfo:
    key = inspector.get_pk_constraint(name)
    columns = {column["name"]: column for column in inspector.get_columns(name)}
    options = inspector.get_table_options(name) if database.backend == "mysql" else {}
    comment = "" if database.backend == "sqlite" else inspector.get_table_comment(name)["text"]
    table = TableInfo(
        name,
        columns,
        tuple(key["constrained_columns"]),
        key.get("name") or "",
        tuple(inspector.get_foreign_keys(name)),
        tuple(_indexes(inspector, name)),
        tuple((check["name"] or "", str(check["sqltext"])) for check in inspector.get_check_constraints(name)),
        tuple(trigger for table, trigger in triggers if table == name and not trigger.startswith(f"{name}_search_")),
        tuple(_unseen(database, inspector, name)),
        comment or "",
        str(options.get("mysql_collate") or ""),
        frozenset(column for column in columns if _holds_uuids(database, name, columns[column])),
    )
    return _read_sqlite_table(database, table) if database.backend == "sqlite" else table


def _read_sqlite_table(database: Database, table: TableInfo) -> TableInfo:
    """Correct what SQLAlchemy reads of the SQL of a table, which it understands in the usual form alone."""
    quoted = database.connection.dialect.identifier_preparer.quote(table.name)
    keys: dict[int, Any] = {}
    for number, _, target, column, referred, on_update, on_delete, _ in database.connection.exec_driver_sql(
        f"PRAGMA foreign_key_list({quoted})"
    ):
        actions = {"onupdate": on_update, "ondelete": on_delete}
        options = {name: action for name, action in actions.items() if action != "NO ACTION"}
        empty = {"constrained_columns": [], "referred_table": target, "referred_columns": [], "options": options}
        key = keys.setdefault(number, empty)
        key["constrained_columns"].append(column)
        key["referred_columns"].append(referred or "id")
    read = {tuple(key["constrained_columns"]): key for key in table.references}
    references = tuple({**read.get(tuple(key["constrained_columns"]), {"name": None}), **key} for key in keys.values())
    uniques = []
    for _, name, _, origin, _ in database.connection.exec_driver_sql(f"PRAGMA index_list({quoted})"):
        if origin == "u":
            found = database.connection.exec_driver_sql(f'PRAGMA index_info("{name}")')
            uniques.append(IndexInfo("", tuple(column for _, _, column in found), is_unique=True, is_constraint=True))
    seen = {index.columns for index in table.indexes if index.is_constraint}
    missing = tuple(unique for unique in uniques if unique.columns not in seen)
    is_misread = bool(missing) or [*references] != [read.get(tuple(key["constrained_columns"])) for key in references]
    _read_collations(database, table)
    return replace(table, references=references, indexes=(*missing, *table.indexes), is_misread=is_misread)


def _read_collations(database: Database, table: TableInfo) -> None:
    """Give types the collations of their columns, of which an index tells: one of an empty table made like this."""
    statement = sa.text("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :name")
    quote = database.connection.dialect.identifier_preparer.quote
    with closing(sqlite3.connect(":memory:")) as empty, suppress(sqlite3.Error):  # of a function that isn't SQLite's
        empty.execute(database.connection.execute(statement, {"name": table.name}).scalar_one())
        for name, column in table.columns.items():
            if not isinstance(column["type"], sa.String):
                continue
            index = quote(f"of {name}")
            empty.execute(f"CREATE INDEX {index} ON {quote(table.name)} ({quote(name)})")
            *_, collation, _ = empty.execute(f"PRAGMA index_xinfo({index})").fetchone()
            column["type"].collation = None if collation == "BINARY" else collation


def _indexes(inspector: sa.Inspector, table: str) -> list[IndexInfo]:
    found = [
        IndexInfo(unique["name"] or "", tuple(unique["column_names"]), is_unique=True, is_constraint=True)
        for unique in inspector.get_unique_constraints(table)
    ]
    constraints = {one.name for one in found if one.name}
    for index in inspector.get_indexes(table):
        if index["name"] in constraints:
            continue
        options = {
            name: value
            for name, value in index.get("dialect_options", {}).items()
            if value not in (None, [], {}, False, "btree")
        }
        if sorting := index.get("column_sorting"):
            options["sorting"] = repr(sorting)
        where = next((str(options.pop(name)) for name in [*options] if name.endswith("_where")), "")
        found.append(
            IndexInfo(
                str(index["name"]),
                tuple(column for column in index["column_names"] if column),
                bool(index["unique"]),
                where=where,
                expressions=tuple(index.get("expressions", ())),
                options=tuple(sorted(options.items())),
            )
        )
    return found


def _unseen(database: Database, inspector: sa.Inspector, table: str) -> Iterator[tuple[str, str]]:
    """Give what SQLite has beside a table and its indexes of columns: indexes of expressions, and triggers."""
    if database.backend != "sqlite":
        return
    seen = {index["name"] for index in inspector.get_indexes(table)}
    statement = sa.text(
        "SELECT name, sql FROM sqlite_master WHERE type IN ('index', 'trigger') AND tbl_name = :table"
        " AND sql IS NOT NULL ORDER BY type, name"
    )
    for name, sql in database.connection.execute(statement, {"table": table}):
        if name not in seen and not name.startswith(f"{table}_search_"):
            yield name, sql


def _holds_uuids(database: Database, table: str, column: Any) -> bool:
    """Tell whether all values of a column of 32 characters are UUIDs."""
    kind = column["type"]
    if database.backend not in HEX or not isinstance(kind, sa.CHAR) or kind.length != UUID_LENGTH:
        return False
    quote = database.connection.dialect.identifier_preparer.quote
    name = quote(column["name"])
    condition = HEX[database.backend].format(name=name)
    others = f"SELECT 1 FROM {quote(table)} WHERE NOT ({condition}) LIMIT 1"  # noqa: S608 - the names are quoted
    return database.connection.exec_driver_sql(others).first() is None
