"""Makes fields of the columns of a table that is there, and says what it can't express."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.types import NullType, TypeEngine

from copier_fastapi_sqlalchemy.resource.errors import Refusal
from copier_fastapi_sqlalchemy.resource.fields import Field, check_field_name, is_member
from copier_fastapi_sqlalchemy.resource.names import Names, singular_of
from copier_fastapi_sqlalchemy.resource.project import Answers, Project
from copier_fastapi_sqlalchemy.resource.record import Resource
from copier_fastapi_sqlalchemy.resource.reflection import IndexInfo, TableInfo
from copier_fastapi_sqlalchemy.resource.sql_words import reserved_columns, reserved_tables
from copier_fastapi_sqlalchemy.resource.types import (
    MAX_DIGITS,
    MAX_INDEXED,
    MAX_LENGTH,
    MAX_MEMBER,
    MAX_MEMBERS,
    TYPES,
    default_of,
)

MIXIN_COLUMNS = {
    "timestamps": ("created_at", "updated_at"),
    "soft_delete": ("deleted_at", "deletion_id"),
    "optimistic_locking": ("version",),
}
LIVE, LIVE_COLUMN = "deleted_at IS NULL", "is_live"
ON_DELETE = {"CASCADE": "cascade", "SET NULL": "null", "RESTRICT": "restrict", "NO ACTION": "restrict", "": "restrict"}
# 'draft', 0, 1.5, true, and the same with a type of PostgreSQL behind it or in brackets.
LITERAL = re.compile(
    r"""\(*(?:N?'(?P<text>(?:[^'\\]|'')*)'|(?P<word>-?[0-9.]+|true|false))\)*(?:::[\w "\[\](),.]+)?\)*""", re.IGNORECASE
)
SECRET = re.compile(r"password|passwd|secret|token|api_key|(^|_)(hash|salt|otp)(_|$)")
STAYS = "stays in the database alone: a body that it refuses is a 500"
MEMBER = re.compile(r"'((?:[^']|'')*)'")


@dataclass(frozen=True)
class Kept:
    """A column that no field can express, and that stays in the table and its model."""

    column: str
    reason: str


@dataclass(frozen=True)
class Imported:
    """A table that is there, as a resource."""

    table: TableInfo
    resource: Resource
    mixin_columns: tuple[str, ...]
    kept: tuple[Kept, ...]
    extra_indexes: tuple[IndexInfo, ...]
    enum_checks: Mapping[str, str]  # the name of the CHECK of each column that has values of an enum
    long_texts: frozenset[str]  # columns of unlimited texts that are fields of limited ones
    associations: tuple[TableInfo, ...]
    notes: tuple[str, ...]

    @property
    def names(self) -> Names:
        """What the resource is called."""
        return self.resource.names


@dataclass
class Reader:
    """Reads one table. `known` are the names of tables that it can refer to."""

    table: TableInfo
    names: Names
    project: Project
    known: frozenset[str]

    def __post_init__(self) -> None:
        """Start with nothing said."""
        self.notes: list[str] = []
        self.kept: list[Kept] = []
        self.enum_checks: dict[str, str] = {}
        self.read_checks: set[str] = set()
        self.long_texts: set[str] = set()
        self.mixin_columns = self._mixin_columns()

    @property
    def answers(self) -> Answers:
        """The answers of the project."""
        return self.project.answers

    def read(self, associations: Sequence[TableInfo]) -> Imported:
        """Give the table as a resource; raises Refusal where the project couldn't serve it."""
        self._check_key()
        self._check_words()
        columns = [name for name in self.table.columns if name != "id" and name not in self.mixin_columns]
        uniques, groups, indexed, extra = self._indexes()
        found = (self._field(name, is_unique=name in uniques, is_indexed=name in indexed) for name in columns)
        fields = [field for field in found if field]
        fields += [Field(many, "many", (target,)) for many, target in self._manys(associations)]
        if not fields:
            raise Refusal(f"Leave out {self.table.name}: none of its columns can be a field.")
        kept = {one.column for one in self.kept}
        groups = [group for group in groups if not kept & set(group)]
        extra += [index for index in self.table.indexes if kept & set(index.columns) and index not in extra]
        columns_of = {column_name(field): field.name for field in fields}
        unique = tuple(tuple(columns_of[name] for name in group) for group in groups)
        self._say_of_mixins()
        self._say_of_rules()
        return Imported(
            self.table,
            Resource(self.names, tuple(fields), unique, form=self.project.form),
            tuple(self.mixin_columns),
            tuple(self.kept),
            tuple(extra),
            self.enum_checks,
            frozenset(self.long_texts),
            tuple(associations),
            tuple(self.notes),
        )

    def say(self, column: str, text: str) -> None:
        """Note what an owner should know of a column."""
        self.notes.append(f"{column}: {text}")

    def _check_key(self) -> None:
        table = self.table
        if table.key != ("id",):
            shown = ", ".join(table.key) or "none"
            raise Refusal(f"Leave out {table.name}: its primary key is {shown}, and has to be `id` alone.")
        column = table.columns["id"]
        kind = column["type"]
        if not isinstance(kind, sa.Integer):
            raise Refusal(f"Leave out {table.name}: its id is {kind}, and has to be an integer.")
        default = str(column.get("default") or "")
        is_generated = {
            "sqlite": type(kind) is sa.INTEGER,
            "postgresql": "nextval(" in default or column.get("identity") is not None,
            "mysql": column.get("autoincrement") is True,
        }[self.answers.database]
        if not is_generated:
            raise Refusal(f"Let the database generate the id of {table.name} first: a new row has to get one.")

    def _check_words(self) -> None:
        database, table = self.answers.database, self.table.name
        columns = (f"{table}.{name}" for name in reserved_columns(database, self.table.columns))
        for name in (*reserved_tables(database, [table]), *columns):
            word = name.rpartition(".")[2]
            raise Refusal(f"Rename {name} first: {word!r} is a word of SQL, which SQLAlchemy doesn't quote.")

    def _mixin_columns(self) -> list[str]:
        names = [
            name
            for mixin, columns in MIXIN_COLUMNS.items()
            if mixin in self.answers.mixins
            for name in columns
            if name in self.table.columns
        ]
        live = self.table.columns.get(LIVE_COLUMN)
        is_live = "soft_delete" in self.answers.mixins and live is not None and live.get("computed")
        return [*names, *([LIVE_COLUMN] if is_live else [])]

    def _say_of_mixins(self) -> None:
        for mixin, columns in MIXIN_COLUMNS.items():
            if mixin in self.answers.mixins:
                missing = [name for name in columns if name not in self.table.columns]
                found = [name for name in columns if name not in missing]
                if found:
                    self.notes.append(f"{', '.join(found)}: as {mixin} has it")
                if missing:
                    self.notes.append(f"{', '.join(missing)}: the revision adds what {mixin} needs")

    def _say_of_rules(self) -> None:
        for _, condition in self.table.checks:
            if condition not in self.read_checks and "json_valid" not in condition:
                stays = "goes with the copy of the table" if self.answers.database == "sqlite" else STAYS
                self.notes.append(f"CHECK ({condition}) {stays}; a new database doesn't have it")
        for name, _ in self.table.unseen:
            if name not in self.table.triggers:
                self.notes.append(f"index {name} stays in the database alone: it is of expressions")
        for trigger in self.table.triggers:
            self.notes.append(f"trigger {trigger} stays in the database alone: a new database doesn't have it")

    def _indexes(self) -> tuple[set[str], list[tuple[str, ...]], set[str], list[IndexInfo]]:
        """Give the columns that are unique, alone and together, those with an index, and the other indexes."""
        soft_delete = "soft_delete" in self.answers.mixins
        alone: set[str] = set()
        together: list[tuple[str, ...]] = []
        indexed: set[str] = set()
        extra: list[IndexInfo] = []
        for index in sorted(self.table.indexes, key=lambda one: not one.is_unique):
            columns = index.columns
            is_live = soft_delete and re.sub(r"[()\"`]", "", index.where).upper() == LIVE.upper()
            if soft_delete and index.is_unique and LIVE_COLUMN in columns:
                columns, is_live = tuple(name for name in columns if name != LIVE_COLUMN), True
            is_plain = not (index.expressions or index.options) and (is_live or not index.where)
            if not is_plain or not set(columns) <= self.table.columns.keys():
                extra.append(index)
            elif index.is_unique and set(columns) <= {"id"}:
                continue
            elif index.is_unique and len(columns) == 1 and columns[0] not in alone and self._can_have_index(columns[0]):
                alone.add(columns[0])
            elif index.is_unique and len(columns) > 1 and columns not in together:
                together.append(columns)
            elif (
                not index.is_unique
                and len(columns) == 1
                and not is_live
                and columns[0] not in alone | indexed
                and self._can_have_index(columns[0])
            ):
                indexed.add(columns[0])
            else:
                extra.append(index)
        return alone, together, indexed, extra

    def _can_have_index(self, name: str) -> bool:
        if name in self.mixin_columns or name == "id":
            return False
        found = kind_of(self.table.columns[name]["type"])
        return found == "text" or TYPES[found].indexable if found else False

    def _field(self, name: str, *, is_unique: bool, is_indexed: bool) -> Field | None:
        """Give the field of a column, or None for one that is kept without."""
        column = self.table.columns[name]
        reference = self.table.reference(name)
        options: set[str] = {"unique"} if is_unique else {"index"} if is_indexed and reference is None else set()
        if column.get("computed") or column.get("identity"):
            self._keep(name, column, "the database computes it")
            return None
        try:
            field = self._reference(name, column, reference) if reference else self._value(name, column, options)
            _check_name(field)
            field = replace(field, nullable=bool(column["nullable"]), options=field.options | options)
            TYPES[field.type].check(field)
        except Stop:
            raise
        except (Unsupported, Refusal) as problem:
            self._keep(name, column, str(problem).rstrip("."))
            return None
        return self._with_default(field, column)

    def _keep(self, name: str, column: Any, reason: str) -> None:
        """Keep a column in the model alone; raises Refusal where no row can be inserted without it."""
        is_free = column["nullable"] or column.get("default") is not None or column.get("computed")
        if not is_free:
            raise Refusal(
                f"Let {self.table.name}.{name} be null, or give it a default: {reason}, and without it no row can be"
                " inserted."
            )
        if isinstance(column["type"], NullType):
            raise Refusal(f"Leave out {self.table.name}: SQLAlchemy doesn't know the type of {name}.")
        self.kept.append(Kept(name, reason))
        self.say(name, f"{reason}: it is in the model, and in no body")

    def _reference(self, name: str, column: Any, reference: Any) -> Field:
        target = reference["referred_table"]
        if reference["referred_columns"] != ["id"]:
            raise Unsupported(f"it refers to {target}.{reference['referred_columns'][0]}, not to an id")
        if not name.endswith("_id") or name == "_id":
            raise Unsupported("the name of a reference ends in _id")
        if target != self.table.name and target not in self.known:
            raise Stop(f"Name {target} too: {self.table.name}.{name} refers to it.")
        action = (reference.get("options", {}).get("ondelete") or "").upper()
        if action not in ON_DELETE:
            raise Unsupported(f"it has ON DELETE {action}")
        on_delete = ON_DELETE[action]
        natural = "null" if column["nullable"] else "cascade"
        if on_delete == "restrict" and "soft_delete" in self.answers.mixins:
            # The model keeps what the table has. It never refuses anything, because what is deleted stays.
            on_delete = natural
            self.say(
                name, f"rows stay when theirs of {target} is deleted; with ON DELETE CASCADE they would go with it"
            )
        short = name.removesuffix("_id")
        options = frozenset() if on_delete == natural else frozenset({on_delete})
        field = Field(short, "ref", (target,), bool(column["nullable"]), options)
        try:
            check_field_name(short)
        except Refusal:
            field = replace(field, name=name)
        return field

    def _value(self, name: str, column: Any, options: set[str]) -> Field:
        """Give the field of a column that is no reference."""
        kind = column["type"]
        members = self._members(name, kind)
        if members is not None:
            return self._enum(name, kind, members)
        found = "uuid" if name in self.table.uuids else "json" if self._is_json(name, kind) else kind_of(kind)
        if found is None:
            raise Unsupported(f"its type is {kind}")
        if found in {"str", "text"} and SECRET.search(name):
            options.add("secret")
            self.say(name, "in no response, because of its name; `resource change` can take `secret` away")
        if found == "str" and kind.length is not None and kind.length <= MAX_LENGTH:
            return Field(name, "str", (str(kind.length),))
        found = "text" if found == "str" else found
        if found == "text" and (by := options - {"secret"}):
            self.long_texts.add(name)
            self.say(name, f"a text of any length that is {' and '.join(by)}: bodies take {MAX_INDEXED} characters")
            return Field(name, "str", (str(MAX_INDEXED),))
        if found == "json":
            self.say(name, "bodies take and show objects; other JSON in it would be a 500")
        return self._decimal(name, kind) if found == "decimal" else Field(name, found)

    def _is_json(self, name: str, kind: TypeEngine[Any]) -> bool:
        """Tell whether a column has JSON, which MariaDB keeps as a text with a CHECK."""
        if isinstance(kind, sa.JSON):
            return True
        return isinstance(kind, mysql.LONGTEXT) and any(
            "json_valid" in condition and name in condition for _, condition in self.table.checks
        )

    def _decimal(self, name: str, kind: Any) -> Field:
        digits, decimals = kind.precision, kind.scale or 0
        if digits is None or digits > MAX_DIGITS or not 0 <= decimals <= digits:
            raise Unsupported(f"its type is {kind}, and a decimal has up to {MAX_DIGITS} digits")
        return Field(name, "decimal", (str(digits), str(decimals)))

    def _members(self, name: str, kind: TypeEngine[Any]) -> list[str] | None:
        """Give the values that a column can have: of an enum of the database's, or by a CHECK."""
        if isinstance(kind, sa.Enum) and kind.enums:
            return list(kind.enums)
        if not isinstance(kind, sa.String):
            return None
        for check, condition in self.table.checks:
            if (values := values_of(condition, name)) is not None:
                self.enum_checks[name] = check
                self.read_checks.add(condition)
                return values
        return None

    def _enum(self, name: str, kind: TypeEngine[Any], members: Sequence[str]) -> Field:
        is_plain = len(set(members)) == len(members) <= MAX_MEMBERS and all(map(is_member, members))
        differ = len({member.replace("-", "_") for member in members}) == len(members)
        if is_plain and differ and max(map(len, members)) <= MAX_MEMBER:
            return Field(name, "enum", tuple(members))
        self.enum_checks.pop(name, None)
        self.read_checks = {condition for condition in self.read_checks if values_of(condition, name) is None}
        self.say(name, f"bodies take any text: {', '.join(members)} can't be an enum here, which is in lower case")
        longest = max(map(len, members))
        return Field(name, "str", (str(getattr(kind, "length", None) or longest),))

    def _with_default(self, field: Field, column: Any) -> Field:
        """Give a field the default of its column, where that is a literal of its type."""
        default = column.get("default")
        if default is None:
            return field
        text = literal(str(default))
        if text is not None and field.type == "bool":
            text = {"0": "false", "1": "true", "b'0'": "false"}.get(text, text)
        if text is not None and text.upper() != "NULL":
            candidate = replace(field, default=text)
            try:
                default_of(candidate)
            except Refusal:
                pass
            else:
                return candidate
        what = "a body that leaves it out writes null" if field.nullable else "a body has to give a value"
        self.say(column_name(field), f"DEFAULT {default} stays, for other programs: {what}")
        return field

    def _manys(self, associations: Sequence[TableInfo]) -> Iterator[tuple[str, str]]:
        for table in associations:
            many = table.name.removeprefix(f"{self.names.singular}_")
            column = f"{singular_of(many)}_id"
            yield many, table.reference(column)["referred_table"]


class Unsupported(Exception):
    """A column that no field can express. The message says why."""


class Stop(Refusal):
    """A column for which the whole table is refused."""


def _check_name(field: Field) -> None:
    try:
        check_field_name(field.name)
    except Refusal:
        raise Unsupported("no field can have this name") from None


def column_name(field: Field) -> str:
    """Give the name of a field's column."""
    return f"{field.name}_id" if field.type == "ref" and not field.name.endswith("_id") else field.name


def kind_of(kind: TypeEngine[Any]) -> str | None:
    """Give the type of field for a type of a database; None if there is none."""
    if isinstance(kind, mysql.TINYINT) and kind.display_width == 1:
        return "bool"
    if isinstance(kind, sa.Time) and kind.timezone:
        return None
    if isinstance(kind, mysql.INTEGER) and kind.unsigned:
        return "bigint"
    for types, found in _KINDS:
        if isinstance(kind, types):
            return found
    return None


def literal(default: str) -> str | None:
    """Give the value of a default that is a literal; None for an expression."""
    match = LITERAL.fullmatch(default.strip())
    if match is None:
        return None
    text = match["text"]
    return match["word"] if text is None else text.replace("''", "'")


def values_of(condition: str, column: str) -> list[str] | None:
    """Give the texts that a CHECK admits for a column; None for a condition of another form."""
    flat = re.sub(r"::(?:text|character varying|bpchar)(?:\[\])?|_utf8mb\d(?=\\?')|[()`\"\[\]]", " ", condition)
    flat = re.sub(r"\s+", " ", flat.replace("\\'", "'")).strip()
    quoted = r"'(?:[^']|'')*'"
    form = rf"{re.escape(column)} (?:IN|= ANY ARRAY) ?({quoted}(?: ?, ?{quoted})*)|{re.escape(column)} = ({quoted})"
    match = re.fullmatch(form, flat, re.IGNORECASE)
    return [text.replace("''", "'") for text in MEMBER.findall(match[1] or match[2])] if match else None


# The first that fits counts.
_KINDS: tuple[tuple[Any, str | None], ...] = (
    ((sa.ARRAY, sa.Enum, postgresql.HSTORE, mysql.SET, mysql.BIT, mysql.YEAR, postgresql.DOMAIN, postgresql.BIT), None),
    (sa.Boolean, "bool"),
    (sa.BigInteger, "bigint"),
    (sa.Integer, "int"),
    (sa.Float, "float"),
    (sa.Numeric, "decimal"),
    (sa.DateTime, "datetime"),
    (sa.Date, "date"),
    (sa.Interval, "interval"),
    (postgresql.INTERVAL, "interval"),
    (sa.Uuid, "uuid"),
    (sa.JSON, "json"),
    (sa.Text, "text"),
    (sa.String, "str"),
    (sa.LargeBinary, "bytes"),
    ((sa.BINARY, sa.VARBINARY), "bytes"),
    (sa.Time, "time"),
)
