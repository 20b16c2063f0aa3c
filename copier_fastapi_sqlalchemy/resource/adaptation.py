"""Brings tables that are there to the form that the models of a project declare."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.schema import CreateColumn
from sqlalchemy.types import TypeEngine

from copier_fastapi_sqlalchemy.resource.column_view import FieldView
from copier_fastapi_sqlalchemy.resource.declared import Declared
from copier_fastapi_sqlalchemy.resource.declared_types import default_sql, normal, plain
from copier_fastapi_sqlalchemy.resource.reflection import TableInfo
from copier_fastapi_sqlalchemy.resource.sql import quoted
from copier_fastapi_sqlalchemy.resource.understanding import column_name

COLLATION = "utf8mb4_bin"  # of the texts of a project on MySQL
SEQUENCE = re.compile(r"nextval\('([^']+)'")
# Among the statements of SQLite, where the revision creates a table.
CREATE = "create "


@dataclass(frozen=True)
class Adaptation:
    """The statements that bring a table to the form that the project declares.

    `conversions` says which columns get another type; where there is none, only names change.
    """

    statements: tuple[str, ...]
    conversions: tuple[str, ...]
    first: tuple[str, ...] = ()  # before those of all tables
    last: tuple[str, ...] = ()  # after them


class Adapter(Declared):
    """The tables as they are declared, and what those that are there lack."""

    def adaptation(self, info: TableInfo) -> Adaptation:
        """Give what brings a table that is there to its declared form."""
        table = self.metadata.tables[info.name]
        changed = [name for name in info.columns if self._differs(info, table.c[name])]
        conversions = tuple(
            f"{info.name}.{name}: {self._shown(info, name)} becomes {self._text(table.c[name].type)}"
            for name in changed
        )
        adapt = {"postgresql": self._postgresql, "mysql": self._mysql, "sqlite": self._sqlite}[self.database]
        moved = list(self._moved_references(info, table)) if self.database == "mysql" else []
        return Adaptation(
            tuple(adapt(info, table, changed)),
            conversions,
            tuple(drop for drop, _ in moved),
            tuple(add for _, add in moved),
        )

    def _moved_references(self, info: TableInfo, table: sa.Table) -> Iterator[tuple[str, str]]:
        """Give the statements that drop a reference whose columns change, which MySQL asks for, and make it again."""
        infos = {one.name: one for one in self.infos}
        quote = self.dialect.identifier_preparer.quote
        for key in table.foreign_key_constraints:
            found = next(one for one in info.references if one["constrained_columns"] == list(key.column_keys))
            pairs = [(info, column) for column in key.columns]
            if target := infos.get(found["referred_table"]):
                pairs.append((target, self.metadata.tables[target.name].c.id))
            if any(self._differs(*pair) for pair in pairs):
                drop = f"ALTER TABLE {quote(info.name)} DROP FOREIGN KEY {quote(found['name'])}"
                yield drop, str(sa.schema.AddConstraint(key).compile(dialect=self.dialect))

    def _shown(self, info: TableInfo, name: str) -> str:
        kind = info.columns[name]["type"]
        shown = self._text(kind)
        if self.database == "mysql" and isinstance(kind, sa.String) and not isinstance(kind, sa.Enum):
            shown = f"{self._text(plain(kind))} COLLATE {self._collation(info, kind)}"
        if self.database == "sqlite" and (collation := getattr(kind, "collation", None)):
            shown = f"{self._text(plain(kind))} COLLATE {collation}"
        default = info.columns[name].get("default")
        shown += f" DEFAULT {default}" if default is not None and "nextval(" not in str(default) else ""
        return shown + ("" if info.columns[name]["nullable"] else " NOT NULL")

    def _declaration(self, column: sa.Column[Any]) -> str:
        default = "" if column.server_default is None else f" DEFAULT {default_sql(column)}"
        return f"{self._text(column.type)}{default}{'' if column.nullable else ' NOT NULL'}"

    def _text(self, kind: TypeEngine[Any]) -> str:
        return kind.compile(dialect=self.dialect)

    def _collation(self, info: TableInfo, kind: Any) -> str:
        return str(getattr(kind, "collation", None) or info.collation)

    def _differs(self, info: TableInfo, column: sa.Column[Any]) -> bool:
        """Tell whether a column is of another type than it is declared with."""
        present = info.columns[column.name]
        kind = present["type"]
        if self._lacks_not_null(info, column) or self._has_other_default(info, column):
            return True
        if isinstance(column.type, sa.JSON) and isinstance(kind, sa.JSON | mysql.LONGTEXT):
            return self.database == "postgresql" and self._text(kind) != self._text(column.type)
        has_text = isinstance(kind, sa.String) and not isinstance(kind, sa.Enum)
        if self.database == "mysql" and has_text and self._collation(info, kind) != COLLATION:
            return True
        if self.database == "sqlite" and has_text and kind.collation:
            return True
        return normal(self._text(plain(kind))) != normal(self._text(plain(column.type)))

    def _lacks_not_null(self, info: TableInfo, column: sa.Column[Any]) -> bool:
        """Tell whether a column can be null and isn't declared so; SQLite says of a key that it can."""
        return bool(info.columns[column.name]["nullable"]) and not column.nullable and column.name not in info.key

    def _has_other_default(self, info: TableInfo, column: sa.Column[Any]) -> bool:
        """Tell whether a column of a mixin has another default than it is declared with."""
        one = next((one for one in self.imports if one.table is info), None)
        if one is None or column.name not in one.mixin_columns or column.computed is not None:
            return False
        present = info.columns[column.name].get("default")
        defaults = [str(present or ""), "" if column.server_default is None else default_sql(column)]
        first, second = (re.sub(r"[()'\s]", "", text).lower().replace("current_timestamp", "now") for text in defaults)
        return first != second

    def _postgresql(self, info: TableInfo, table: sa.Table, changed: Sequence[str]) -> Iterator[str]:
        quote = self.dialect.identifier_preparer.quote
        alter = f"ALTER TABLE {quote(info.name)}"
        yield from self._renamed_indexes(alter, info)
        for old, new in self._constraint_names(info, table):
            if old != new:
                yield f"{alter} RENAME CONSTRAINT {quote(old)} TO {quote(new)}"
        if info.columns.get("id", {}).get("identity"):
            yield from _serial(quote(info.name), f"{info.name}_id_seq")
        for name in changed:
            yield from self._alter_type(alter, info, table.c[name])
        for enum in self._unused_enums(info, changed):
            yield f"DROP TYPE {quote(enum)}"
        present = {check for check, _ in info.checks} | {new for _, new in self._constraint_names(info, table)}
        for check in self.checks(table):
            if self.name(check) not in present:
                yield f"{alter} ADD CONSTRAINT {quote(self.name(check))} CHECK ({check.sqltext})"

    def _renamed_indexes(self, alter: str, info: TableInfo) -> Iterator[str]:
        quote = self.dialect.identifier_preparer.quote
        for wanted, index, made in self.renamed[info.name]:
            if isinstance(made, sa.UniqueConstraint) and not index.is_constraint:
                yield f"{alter} ADD CONSTRAINT {quote(wanted)} UNIQUE USING INDEX {quote(index.name)}"
            elif index.name != wanted:
                rename = f"{alter} RENAME CONSTRAINT" if index.is_constraint else "ALTER INDEX"
                to = "TO" if index.is_constraint else "RENAME TO"
                yield f"{rename} {quote(index.name)} {to} {quote(wanted)}"

    def _unused_enums(self, info: TableInfo, changed: Sequence[str]) -> list[str]:
        """Give the enums that no column is of any longer when these columns are changed."""
        enums = {
            str(kind.name) for kind in (info.columns[name]["type"] for name in changed) if isinstance(kind, sa.Enum)
        }
        later = self.infos[self.infos.index(info) + 1 :]
        kept = {*self.kept_enums} | {
            str(column["type"].name)
            for other in later
            for column in other.columns.values()
            if isinstance(column["type"], sa.Enum)
        }
        return sorted(enums - kept)

    def _constraint_names(self, info: TableInfo, table: sa.Table) -> Iterator[tuple[str, str]]:
        """Give the names of the key, of the references and of enums' CHECKs: that which it has, and that wanted."""
        yield info.key_name, self.name(table.primary_key)
        for key in table.foreign_key_constraints:
            found = next(one for one in info.references if one["constrained_columns"] == list(key.column_keys))
            yield found["name"], self.name(key)
        one = next((one for one in self.imports if one.table is info), None)
        for column, old in one.enum_checks.items() if one else ():
            field = next(field for field in one.resource.fields if column_name(field) == column)  # type: ignore[union-attr]
            wanted = FieldView(field, one.names, self.answers).enum_name.lower()  # type: ignore[union-attr]
            yield old, f"ck_{info.name}_{wanted}"

    def _alter_type(self, alter: str, info: TableInfo, column: sa.Column[Any]) -> Iterator[str]:
        present, name = info.columns[column.name], quoted(column.name, self.database)
        kind, wanted = present["type"], self._text(column.type)
        default = present.get("default")
        is_serial = default is not None and "nextval(" in str(default)
        drops_default = default is not None and not is_serial and self._text(kind) != wanted
        sets_default = drops_default or self._has_other_default(info, column)
        if self._lacks_not_null(info, column):
            yield f"UPDATE {quoted(info.name, self.database)} SET {name} = {default_sql(column)} WHERE {name} IS NULL"  # noqa: S608
        if drops_default:
            yield f"{alter} ALTER COLUMN {name} DROP DEFAULT"
        if self._text(kind) != wanted:
            using = f" USING {name} AT TIME ZONE 'UTC'" if "WITHOUT TIME ZONE" in self._text(kind) else ""
            using = f" USING {name}::{wanted}" if isinstance(kind, sa.Enum | sa.JSON) else using
            yield f"{alter} ALTER COLUMN {name} TYPE {wanted}{using}"
        if sets_default and column.server_default is not None:
            yield f"{alter} ALTER COLUMN {name} SET DEFAULT {default_sql(column)}"
        if is_serial and (found := SEQUENCE.search(str(default))):
            yield f"ALTER SEQUENCE {found[1]} AS bigint"
        if self._lacks_not_null(info, column):
            yield f"{alter} ALTER COLUMN {name} SET NOT NULL"

    def _mysql(self, info: TableInfo, table: sa.Table, changed: Sequence[str]) -> Iterator[str]:
        quote = self.dialect.identifier_preparer.quote
        alter = f"ALTER TABLE {quote(info.name)}"
        for wanted, index, _ in self.renamed[info.name]:
            if index.name != wanted:
                yield f"{alter} RENAME INDEX {quote(index.name)} TO {quote(wanted)}"
        if info.collation != COLLATION:
            yield f"{alter} DEFAULT CHARACTER SET utf8mb4 COLLATE {COLLATION}"
        for name in changed:
            if self._lacks_not_null(info, table.c[name]):
                now = default_sql(table.c[name])
                yield f"UPDATE {quote(info.name)} SET {quote(name)} = {now} WHERE {quote(name)} IS NULL"  # noqa: S608
            yield f"{alter} MODIFY COLUMN {CreateColumn(table.c[name]).compile(dialect=self.dialect)}"
        names = {new: old for old, new in self._constraint_names(info, table)}
        for check in self.checks(table):
            old, new = names.get(self.name(check)), self.name(check)
            if old != new:
                yield from [f"{alter} DROP CONSTRAINT {quote(old)}"] if old else []
                yield f"{alter} ADD CONSTRAINT {quote(new)} CHECK ({check.sqltext})"

    def _sqlite(self, info: TableInfo, table: sa.Table, changed: Sequence[str]) -> Iterator[str]:
        """Copy the table where more than the name of an index differs: SQLite can't alter it."""
        quote = self.dialect.identifier_preparer.quote
        checks = {self.name(check) for check in self.checks(table)} - {name for name, _ in info.checks}
        uniques = [
            wanted
            for wanted, index, made in self.renamed[info.name]
            if isinstance(made, sa.UniqueConstraint) and index.name != wanted
        ]
        has_nullable_key = any(info.columns[name]["nullable"] for name in info.key)
        if not (changed or checks or uniques or has_nullable_key or info.is_misread):
            for wanted, index, made in self.renamed[info.name]:
                if index.name != wanted and isinstance(made, sa.Index):
                    yield f"DROP INDEX {quote(index.name)}"
                    yield str(sa.schema.CreateIndex(made).compile(dialect=self.dialect)).replace("\n", "")
            return
        rows, name = quote(f"{info.name}_rows"), quote(info.name)
        columns = [column for column in table.c if column.computed is None]
        values = ", ".join(self._converted(info, column) for column in columns)
        names = ", ".join(quote(column.name) for column in columns)
        yield f"CREATE TABLE {rows} AS SELECT * FROM {name}"  # noqa: S608 - the names are quoted
        yield f"DROP TABLE {name}"
        yield CREATE + info.name
        yield f"INSERT INTO {name} ({names}) SELECT {values} FROM {rows}"  # noqa: S608
        yield f"DROP TABLE {rows}"
        yield from (sql for _, sql in info.unseen)

    def _converted(self, info: TableInfo, column: sa.Column[Any]) -> str:
        """Give the value of a column of SQLite as its declared type has it."""
        name, kind = quoted(column.name, "sqlite"), info.columns[column.name]["type"]
        if isinstance(kind, sa.Numeric) and not isinstance(kind, sa.Float) and isinstance(column.type, sa.BigInteger):
            return f"CAST(round({name} * {10 ** (kind.scale or 0)}) AS INTEGER)"
        if self._lacks_not_null(info, column):
            return f"coalesce({name}, {default_sql(column)})"
        return name


def _serial(table: str, sequence: str) -> Iterator[str]:
    """Give the statements that let a sequence generate the keys of a table of PostgreSQL, as others' do."""
    yield f"ALTER TABLE {table} ALTER COLUMN id DROP IDENTITY"
    yield f"CREATE SEQUENCE {sequence} OWNED BY {table}.id"
    yield f"SELECT setval('{sequence}', coalesce(max(id), 0) + 1, false) FROM {table}"  # noqa: S608
    yield f"ALTER TABLE {table} ALTER COLUMN id SET DEFAULT nextval('{sequence}')"
