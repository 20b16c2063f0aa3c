"""Lets Alembic leave alone the tables of a database that no model declares."""

import ast
from collections.abc import Collection
from pathlib import Path

from copier_fastapi_sqlalchemy.resource.code import read_text
from copier_fastapi_sqlalchemy.resource.errors import Refusal
from copier_fastapi_sqlalchemy.resource.source import Source

ENV = "migrations/env.py"
NAME = "OTHERS"
FILTER = """# Tables and types of other programs, which no revision touches.
{name} = {others}


def include_object(
    _item: object, name: str | None, kind: str, _reflected: bool, _other: object
) -> bool:
    return kind != "table" or name not in {name}


"""


def leave_alone(text: str, names: Collection[str]) -> str:
    """Give migrations/env.py as it leaves these tables and types alone, and no others.

    Raises:
        Refusal: it configures Alembic in a way of its own.

    """
    source = Source(ENV, text)
    others = f"{{{', '.join(repr(name) for name in sorted(names))}}}" if names else "set[str]()"
    if value := _value(source):
        return source.edited((source.start(value), source.end(value), others))
    if not names:
        return text
    for function in source.tree.body:
        calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
        for call in calls:
            given = {keyword.arg: keyword for keyword in call.keywords}
            if source.code(call.func) == "context.configure" and "target_metadata" in given:
                if "include_object" in given or not isinstance(function, ast.FunctionDef):
                    break
                end = source.end(given["target_metadata"].value)
                start = source.line_starts[function.lineno - 1]
                return source.edited(
                    (start, start, FILTER.format(name=NAME, others=others)),
                    (end, end, ", include_object=include_object"),
                )
    raise Refusal(
        f"Let `include_object` in {ENV} leave out the tables that no model has, and import then: Alembic would drop"
        f" {', '.join(sorted(names)[:3])}."
    )


def require_in_revisions(folder: Path, tables: Collection[str]) -> None:
    """Raise Refusal where migrations/env.py leaves a new table alone: no revision would make it."""
    if not (folder / ENV).exists():
        return
    value = _value(Source(ENV, read_text(folder, ENV)))
    others = {part.value for part in ast.walk(value) if isinstance(part, ast.Constant)} if value else set[object]()
    for name in sorted(name for name in tables if name in others):
        raise Refusal(
            f"Choose another name, or take {name!r} out of {NAME} in {ENV} and import the table if it is there:"
            " no revision touches those of other programs."
        )


def _value(source: Source) -> ast.expr | None:
    """Give the set of names that Alembic leaves alone."""
    for node in source.tree.body:
        if isinstance(node, ast.Assign) and [source.code(target) for target in node.targets] == [NAME]:
            return node.value
    return None
