"""What a revision that Alembic has written is made of before it runs: values for the rows, statements of our own."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from textwrap import indent
from types import MappingProxyType

from copier_fastapi_sqlalchemy.resource.edits import changes_between
from copier_fastapi_sqlalchemy.resource.fields import Field
from copier_fastapi_sqlalchemy.resource.fill import Fill
from copier_fastapi_sqlalchemy.resource.project import Project
from copier_fastapi_sqlalchemy.resource.record import Resource
from copier_fastapi_sqlalchemy.resource.source import Edit, Source
from copier_fastapi_sqlalchemy.resource.sql import drop_search, quoted, search_vector

INDENT = " " * 4
# Around a copy of tables of SQLite, in the databases that have what the copies lack.
KEEP = """\
# The copy of a table lacks these.
kept = sa.select(sa.column("sql", sa.Text)).select_from(sa.table("sqlite_master")).where(sa.column("name").in_({names}))
before = [] if op.get_context().as_sql else op.get_bind().scalars(kept).all()
"""
RESTORE = """\
for sql in before:
    if sql not in op.get_bind().scalars(kept).all():
        op.get_bind().exec_driver_sql(sql)
"""
PATH = "a revision"  # in messages
USING = "postgresql_using"
# What PostgreSQL calls the types to which it converts no text by itself.
CASTS = {
    "int": "integer",
    "bigint": "bigint",
    "ref": "bigint",
    "float": "double precision",
    "decimal": "numeric",
    "bool": "boolean",
    "date": "date",
    "datetime": "timestamp with time zone",
    "time": "time without time zone",
    "interval": "interval",
    "uuid": "uuid",
    "json": "jsonb",
    "bytes": "bytea",
}
TEXTS = {"str", "text", "email", "url"}
NUMBERS = {"int", "bigint", "ref", "float", "decimal"}


@dataclass(frozen=True)
class Review:
    """What is made of the revision of a change.

    `statements` are SQL that runs first, and `last` SQL that runs at the end; `undoing` are those of the downgrade.
    `columns` names those that can be altered, or dropped, and lose nothing; `kept` the triggers and indexes that a copy
    of a table of SQLite lacks; `losing` names the fields whose values are lost, or may not fit. `casts` has what
    PostgreSQL makes of columns whose type it doesn't convert by itself, there and back.
    """

    table: str
    database: str
    fills: tuple[Fill, ...] = ()
    statements: tuple[str, ...] = ()
    last: tuple[str, ...] = ()
    undoing: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    columns: frozenset[str] = frozenset()
    kept: tuple[tuple[str, Sequence[str]], ...] = ()
    losing: tuple[str, ...] = ()
    casts: tuple[Mapping[str, str], Mapping[str, str]] = (MappingProxyType({}), MappingProxyType({}))

    def edit(self, revision: str) -> str:
        """Put the values for rows into a revision, which leaves no default behind, and the statements."""
        source = Source(PATH, revision)
        upgrade, downgrade = (_function(source, name) for name in ("upgrade", "downgrade"))
        if upgrade is None:
            return revision
        added = {fill.column: fill for fill in self.fills if fill.is_new}
        edits = []
        filled = []
        for column in _added_columns(upgrade, self.table):
            if fill := added.get(_text(column.args[0])):
                place = source.start(column.keywords[0].value) - len(f"{column.keywords[0].arg}=")
                edits.append((place, place, f"server_default={_sql(fill.literal)}, "))
                filled.append(fill.column)
        ends = self._without_defaults(filled) if filled else ""
        keep, restore = self._keeping(upgrade)
        edits += self._casting(source, upgrade, self.casts[0])
        edits += _around(source, upgrade, keep + _executing(self._first()), ends + _executing(self.last) + restore)
        if downgrade is not None:
            keep, restore = self._keeping(downgrade)
            first, last = map(_executing, self.undoing)
            edits += self._casting(source, downgrade, self.casts[1])
            edits += _around(source, downgrade, keep + first, last + restore)
        return source.edited(*edits)

    def losses(self, revision: str) -> list[str]:
        """Give the operations, as Alembic wrote them, that can lose what rows have."""
        upgrade = _function(Source(PATH, revision), "upgrade")
        return [
            f"{call.func.attr}({', '.join(map(ast.unparse, call.args[:2]))})"
            for call in (_calls(upgrade) if upgrade else ())
            if isinstance(call.func, ast.Attribute)
            and (
                call.func.attr == "drop_table"
                or (
                    call.func.attr in {"drop_column", "alter_column"}
                    and not self.columns & {_text(part) for part in call.args[:2]}
                )
            )
        ]

    def is_empty(self, revision: str) -> bool:
        """Tell whether a revision does nothing."""
        upgrade = _function(Source(PATH, revision), "upgrade")
        return upgrade is not None and all(isinstance(node, ast.Pass) for node in upgrade.body)

    def by_hand(self) -> list[str]:
        """Say what an owner has to put into a revision that they let Alembic write."""
        undo_first, undo_last = self.undoing
        placed = {
            "Begin the revision": self._first(),
            "End the revision": self.last,
            "Begin its downgrade": undo_first,
            "End its downgrade": undo_last,
        }
        lines = [
            f"Give {fill.column} in the revision server_default={_sql(fill.literal)}, and take it away after that"
            for fill in self.fills
            if fill.is_new
        ]
        for place, casts in zip(("the revision", "its downgrade"), self.casts, strict=True):
            lines += [f"Give alter_column of {name} in {place} {USING}={cast!r}" for name, cast in casts.items()]
        lines += [
            f"{place} with: op.execute({_code(sql)})" for place, statements in placed.items() for sql in statements
        ]
        lines += [
            f"Make {', '.join(names)} again, as the first revision does, if this one copies {table} without it"
            for table, names in self.kept
        ]
        what = f": {', '.join(self.losing)} may lose values" if self.losing else ""
        return [*lines, f"Read the revision that it wrote{what}"]

    def _casting(self, source: Source, function: ast.FunctionDef, casts: Mapping[str, str]) -> list[Edit]:
        """Give the edits that let a function convert columns."""
        edits = []
        for call in _calls(function):
            if ast.unparse(call.func) == "op.alter_column" and _text(call.args[0]) == self.table:
                cast, is_converted = casts.get(_text(call.args[1])), any(key.arg == "type_" for key in call.keywords)
                end = source.end(call.keywords[-1].value) if call.keywords else 0
                edits += [(end, end, f", {USING}={cast!r}")] if cast and is_converted else []
        return edits

    def _keeping(self, function: ast.FunctionDef) -> tuple[str, str]:
        """Give the code before and after the tables are copied, which makes anew what the copies lack."""
        batches = [call for call in _calls(function) if ast.unparse(call.func) == "op.batch_alter_table"]
        copied = {_text(call.args[0]) for call in batches}
        names = [name for table, lacking in self.kept if table in copied for name in lacking]
        return (KEEP.format(names=names), RESTORE) if names else ("", "")

    def _first(self) -> list[str]:
        return [*self.statements, *self._updates()]

    def _updates(self) -> list[str]:
        table = quoted(self.table, self.database)
        columns = {quoted(fill.column, self.database): fill.literal for fill in self.fills if not fill.is_new}
        return [
            f"UPDATE {table} SET {name} = {literal} WHERE {name} IS NULL"  # noqa: S608 - the names are quoted
            for name, literal in columns.items()
        ]

    def _without_defaults(self, columns: Sequence[str]) -> str:
        """Give the code that drops the defaults of columns."""
        table = f'"{self.table}"'
        if self.database != "sqlite":  # whose tables are altered by making them anew
            return "".join(f'op.alter_column({table}, "{name}", server_default=None)\n' for name in columns)
        lines = "".join(f'    batch_op.alter_column("{name}", server_default=None)\n' for name in columns)
        return f"with op.batch_alter_table({table}) as batch_op:\n{lines}"


def review_of(project: Project, old: Resource, new: Resource, fills: tuple[Fill, ...]) -> Review:
    """Give what is made of the revision of a changed resource."""
    table, database = new.names.plural, project.answers.database
    pairs = changes_between(old, new)
    review = Review(
        table,
        database,
        fills,
        columns=frozenset(column_of(pair.after) for pair in pairs if pair.before and pair.after and not pair.loses),
        losing=tuple(pair.name for pair in pairs if pair.loses),
    )
    if database == "sqlite":
        decimals = [(pair.before, pair.after) for pair in pairs if pair.before and pair.after]
        rescaled = tuple(filter(None, (_rescaled(table, before, after) for before, after in decimals)))
        restored = tuple(filter(None, (_rescaled(table, after, before) for before, after in decimals)))
        review = replace(review, statements=rescaled, undoing=(restored, ()))
    if database == "postgresql":
        altered = [(pair.before, pair.after) for pair in pairs if pair.before and pair.after]
        there = {column_of(after): cast for before, after in altered if (cast := _cast(before, after))}
        back = {column_of(before): cast for before, after in altered if (cast := _cast(after, before))}
        review = replace(review, casts=(there, back))
    if "full_text_search" not in project.answers.mixins or not (_searched(old) or _searched(new)):
        return review
    return _search_anew(review, project, _searched(old), _searched(new))


def _search_anew(review: Review, project: Project, old: tuple[Field, ...], new: tuple[Field, ...]) -> Review:
    """Drop what the search of a table is made of where that changes, and make it anew."""
    table, database = review.table, review.database
    if database == "sqlite" and [field.name for field in old] != [field.name for field in new]:
        # `alembic upgrade` makes them anew at its end.
        return replace(review, statements=(*review.statements, *drop_search(table, database)))
    if database != "postgresql":
        return review
    if not old or not new or [_stored(field) for field in old] == [_stored(field) for field in new]:
        return replace(review, columns=review.columns | {"search"})  # it is computed
    drop, (before, after) = (
        drop_search(table, database),
        (search_vector(project.folder, table, side) for side in (old, new)),
    )
    return replace(review, statements=drop, last=after, undoing=(drop, before))


def _stored(field: Field) -> tuple[str, str, tuple[str, ...], bool]:
    return field.name, field.type, field.arguments, field.nullable


def column_of(field: Field) -> str:
    """Give the name of a field's column."""
    return f"{field.name}_id" if field.type == "ref" and not field.name.endswith("_id") else field.name


def _cast(before: Field, after: Field) -> str:
    """Give what PostgreSQL makes of a column whose type it doesn't convert by itself, or nothing."""
    name = quoted(column_of(after), "postgresql")
    if column_of(before) != column_of(after):
        return ""
    if before.type in TEXTS and after.type in CASTS:
        return f"{name}::{CASTS[after.type]}"
    if before.type == "bool" and after.type in NUMBERS:
        return f"{name}::integer"
    return f"{name} <> 0" if before.type in NUMBERS and after.type == "bool" else ""


def _searched(resource: Resource) -> tuple[Field, ...]:
    return tuple(field for field in resource.fields if field.search)


def _rescaled(table: str, before: Field, after: Field) -> str:
    """Give the statement that moves the point of a decimal number, which SQLite has as an integer."""
    if (before.type, after.type) != ("decimal", "decimal") or before.arguments[1] == after.arguments[1]:
        return ""
    shift, name = int(after.arguments[1]) - int(before.arguments[1]), quoted(after.name, "sqlite")
    value = f"{name} * {10**shift}" if shift > 0 else f"round({name} / {10.0**-shift})"
    return f"UPDATE {quoted(table, 'sqlite')} SET {name} = {value}"  # noqa: S608 - the names are quoted


def _function(source: Source, name: str) -> ast.FunctionDef | None:
    functions = (node for node in source.tree.body if isinstance(node, ast.FunctionDef))
    return next((node for node in functions if node.name == name), None)


def _executing(statements: Sequence[str]) -> str:
    """Give the code that executes statements."""
    return "".join(f"op.execute({_code(statement)})\n" for statement in statements)


def _around(source: Source, function: ast.FunctionDef, first: str, last: str) -> list[Edit]:
    """Give the edits that put code before and after what a function has."""
    start = source.line_starts[function.body[0].lineno - 1]
    end = source.after_line(source.end(function.body[-1]) - 1)
    if isinstance(function.body[0], ast.Pass) and (first or last):
        return [(start, end, indent(first + last, INDENT))]
    return [(place, place, indent(code, INDENT)) for place, code in ((start, first), (end, last)) if code]


def _calls(statement: ast.stmt) -> Iterator[ast.Call]:
    return (node for node in ast.walk(statement) if isinstance(node, ast.Call))


def _added_columns(function: ast.FunctionDef, table: str) -> Iterator[ast.Call]:
    """Give the columns that a function adds to a table, as `sa.Column(…)`; a batch is of one table."""
    for statement in function.body:
        batch = statement.items[0].context_expr if isinstance(statement, ast.With) else None
        for call in _calls(statement):
            if isinstance(call.func, ast.Attribute) and call.func.attr == "add_column":
                *tables, column = call.args[:2] if batch is None else call.args[:1]
                named = batch.args[0] if isinstance(batch, ast.Call) else tables[0]
                if _text(named) == table and isinstance(column, ast.Call) and column.keywords:
                    yield column


def _text(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _sql(literal: str) -> str:
    return f"sa.text({_code(literal)})"


def _code(sql: str) -> str:
    """Give a statement as Python, in which a colon begins a parameter."""
    return repr(sql.replace(":", "\\:"))
