"""Lets the model of an imported table declare what the table has beside its fields."""

import ast
import keyword
import re
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.types import TypeEngine

from copier_fastapi_sqlalchemy.resource.declared_types import plain, server_default
from copier_fastapi_sqlalchemy.resource.errors import Refusal
from copier_fastapi_sqlalchemy.resource.fields import TAKEN
from copier_fastapi_sqlalchemy.resource.reflection import IndexInfo
from copier_fastapi_sqlalchemy.resource.source import Edit, Source
from copier_fastapi_sqlalchemy.resource.understanding import MIXIN_COLUMNS, Imported, column_name

DIALECTS = {"sqlite": sqlite, "postgresql": postgresql, "mysql": mysql}
PLAIN = re.compile(r"[a-z][a-z0-9_]*")
TYPE = re.compile(r"\b[A-Z][A-Za-z_]+(?=\()")


def adapt_model(path: str, text: str, one: Imported, database: str) -> str:
    """Add to the text of a module of tables: defaults and comments, columns without a field, and other indexes.

    Raises:
        Refusal: a type can't be written.

    """
    source = Source(path, text)
    columns = _class(source, one)
    edits = [*_arguments(source, columns, one, database), *_kept(source, columns, one, database)]
    edits += _table_arguments(source, columns, one, database)
    if not edits:
        return text
    first = source.tree.body[0]
    place = source.line_starts[first.lineno - 1]
    used = set(re.findall(r"\w+", " ".join(code for _, _, code in edits)))
    return source.edited((place, place, _imports(one, database, used)), *edits)


def _imports(one: Imported, database: str, used: set[str]) -> str:
    """Give the imports of what is added."""
    names = [name for name in ("Computed", "Index", "Text", "UniqueConstraint", "text") if name in used]
    lines = ["from typing import Any"] if "Any" in used else []
    lines += [f"from sqlalchemy import {', '.join(names)}"] if names else []
    dialect = DIALECTS[database]
    for kept in one.kept:
        for name in TYPE.findall(_type_code(one, kept.column)):
            module = dialect.__name__ if hasattr(dialect, name) and not hasattr(sa, name) else "sqlalchemy"
            lines.append(f"from {module} import {name}")
    return "".join(f"{line}\n" for line in lines)


def _class(source: Source, one: Imported) -> ast.ClassDef:
    """Give the class that declares the columns."""
    names = {one.names.class_name, f"{one.names.class_name}Columns"}
    return next(node for node in source.tree.body if isinstance(node, ast.ClassDef) and node.name in names)


def _declarations(columns: ast.ClassDef) -> dict[str, ast.Call]:
    return {
        node.target.id: node.value
        for node in columns.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and isinstance(node.value, ast.Call)
    }


def _arguments(source: Source, columns: ast.ClassDef, one: Imported, database: str) -> Iterator[Edit]:
    """Give the edits of columns that have a field."""
    declared = _declarations(columns)
    for field in one.resource.fields:
        name = column_name(field)
        if field.type == "many":
            continue
        call, column = declared[name], one.table.columns[name]
        more = []
        default = server_default(column, field, database)
        if default is not None:
            more.append(f"server_default={_default_code(default)}")
        if column.get("comment"):
            more.append(f"comment={column['comment']!r}")
        if more:
            end = source.end(call) - 1
            yield end, end, f", {', '.join(more)}"
        if name in one.long_texts:
            kind = next(argument for argument in call.args if "String" in source.code(argument))
            yield source.start(kind), source.end(kind), "Text"
        if field.type == "ref":
            yield from _reference(source, call, one.table.reference(name))


def _reference(source: Source, call: ast.Call, reference: Any) -> Iterator[Edit]:
    """Let a reference say what the table's says: nothing of what happens where that is the default."""
    options = {name: value for name, value in reference.get("options", {}).items() if value is not None}
    key = next(node for node in call.args if isinstance(node, ast.Call) and "ForeignKey" in source.code(node.func))
    on_delete = str(options.pop("ondelete", "")).upper()
    for option in key.keywords:
        if option.arg == "ondelete" and on_delete in {"", "NO ACTION"}:
            yield source.end(key.args[0]), source.end(option.value), ""
        elif option.arg == "ondelete":
            yield source.start(option.value), source.end(option.value), f'"{on_delete}"'
    if options:
        end = source.end(key) - 1
        yield end, end, "".join(f", {name}={value!r}" for name, value in sorted(options.items()))


def _kept(source: Source, columns: ast.ClassDef, one: Imported, database: str) -> Iterator[Edit]:
    """Give the edit that declares the columns without a field, behind those that have one."""
    is_mapped = columns.name == one.names.class_name
    lines = []
    for kept in one.kept:
        column = one.table.columns[kept.column]
        attribute = attribute_of(kept.column)
        arguments = [repr(kept.column)] if attribute != kept.column else []
        arguments.append(_type_code(one, kept.column))
        if computed := column.get("computed"):
            persisted = computed.get("persisted")
            arguments.append(
                f"Computed({computed['sqltext']!r}{'' if persisted is None else f', persisted={persisted}'})"
            )
        if (default := server_default(column, None, database)) is not None:
            arguments.append(f"server_default={_default_code(default)}")
        arguments += [f"comment={column['comment']!r}"] if column.get("comment") else []
        wrapper, call = ("Mapped", "mapped_column") if is_mapped else ("Named", "Column")
        annotation = "Any | None" if column["nullable"] else "Any"
        nullable = [] if is_mapped else [f"nullable={column['nullable']}"]
        lines.append(f"    {attribute}: {wrapper}[{annotation}] = {call}({', '.join([*arguments, *nullable])})\n")
    last = list(_declarations(columns).values())[-1]
    place = source.after_line(source.end(last) - 1)
    if lines:
        yield place, place, "".join(lines)


def attribute_of(column: str) -> str:
    """Give the name of the attribute of a column that no field has: its own, unless Python or the model uses it."""
    of_mixins = {name for names in MIXIN_COLUMNS.values() for name in names}
    is_free = column in of_mixins or not (keyword.iskeyword(column) or column in TAKEN)
    return column if is_free and PLAIN.fullmatch(column) else f"column_{re.sub(r'[^a-z0-9]+', '_', column.lower())}"


def _table_arguments(source: Source, columns: ast.ClassDef, one: Imported, database: str) -> Iterator[Edit]:
    """Give the edit that declares the indexes that no field has."""
    codes = [_index_code(index, database) for index in one.extra_indexes]
    if not codes:
        return
    assigned = {
        target.id: node
        for node in columns.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    if found := assigned.get("__table_args__"):
        end = source.end(found.value) - 1
        separator = "" if source.text[:end].rstrip().endswith(",") else ", "
        yield end, end, f"{separator}{', '.join(codes)},"
    elif "__tablename__" in assigned:
        place = source.after_line(source.end(assigned["__tablename__"]) - 1)
        yield place, place, f"    __table_args__ = ({', '.join(codes)},)\n"
    else:
        table = next(
            node.value
            for node in source.tree.body
            if isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Call)
            and source.code(node.value.func) == "Table"
            and columns.name in map(source.code, node.value.args)
        )
        end = source.end(table) - 1
        yield end, end, f", {', '.join(codes)}"


def _index_code(index: IndexInfo, database: str) -> str:
    parts = [f"text({part!r})" for part in index.expressions] or [repr(name) for name in index.columns]
    if index.is_constraint:
        name = [f"name={index.name!r}"] if index.name else []
        return f"UniqueConstraint({', '.join([*parts, *name])})"
    parts += ["unique=True"] if index.is_unique else []
    parts += [f"{database}_where=text({index.where!r})"] if index.where else []
    parts += [f"{name}={value!r}" for name, value in index.options]
    return f"Index({index.name!r}, {', '.join(parts)})"


def _default_code(default: str | sa.TextClause) -> str:
    return repr(default) if isinstance(default, str) else f"text({default.text!r})"


def _type_code(one: Imported, name: str) -> str:
    """Give the code of a column's type."""
    kind: TypeEngine[Any] = plain(one.table.columns[name]["type"])
    items = [kind, getattr(kind, "item_type", None)]
    if any(isinstance(item, sa.Enum | postgresql.DOMAIN) for item in items):
        raise Refusal(f"Leave out {one.table.name}: its column {name} is of {kind}, a type of its own.")
    code = repr(kind)
    return code if "(" in code else f"{code}()"
