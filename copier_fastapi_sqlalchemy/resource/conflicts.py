"""Resolves conflicts of lines where no definition is in conflict: columns, fields and methods are merged by name."""

import ast
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

from copier_fastapi_sqlalchemy.resource.errors import Refusal
from copier_fastapi_sqlalchemy.resource.source import Source

CONFLICT = re.compile(
    r"(^<{7} [^\n]*\n)(?P<mine>.*?)(^\|{7} [^\n]*\n)(?P<old>.*?)(^={7}\n)(?P<new>.*?)(^>{7} [^\n]*\n)",
    re.DOTALL | re.MULTILINE,
)
# What lets lines of a class be parsed.
CLASS = "class Of:\n"
# The parts of a value that aren't its items or arguments: none of these has such a name.
TYPE, VALUE = ":", "="
Parts = Mapping[str, str]
ByBoth = Callable[[str, str, str], str]


class _ConflictError(Exception):
    """Both sides have changed the same thing."""


def resolve(text: str) -> str:
    """Merge the definitions of each conflict, and the arguments or items of one that both sides have changed.

    A definition that can't be merged stays in conflict, without the others. A column or field that the new side has
    removed goes, whatever was changed in it.
    """
    return CONFLICT.sub(_resolved, text)


def _resolved(conflict: re.Match[str]) -> str:
    marks = conflict.groups()[::2]

    def by_both(*sides: str) -> str:
        try:
            return _merge_values(*sides)
        except _ConflictError:
            return "".join([*(text for pair in zip(marks, sides, strict=False) for text in pair), marks[-1]])

    try:
        mine, old, new = (_definitions(conflict[side]) for side in ("mine", "old", "new"))
        removed = {name for name in old.keys() - new.keys() if _is_annotated(old[name])}
        mine = {name: definition for name, definition in mine.items() if name not in removed}
        return "".join(_merge(mine, old, new, by_both).values())
    except _ConflictError:
        return conflict[0]


def _merge(mine: Parts, old: Parts, new: Parts, by_both: ByBoth) -> dict[str, str]:
    """Merge named parts in the order of `mine`: `by_both` merges what both sides have changed."""
    merged = dict[str, str]()
    for name in {**mine, **new}:
        sides = [side.get(name, "") for side in (mine, old, new)]
        is_mine, was, is_new = (side.strip() for side in sides)
        if is_new in (was, is_mine):
            merged[name] = sides[0]
        elif is_mine == was:
            merged[name] = sides[2]
        else:
            merged[name] = by_both(*sides)
    order, before = [*mine], ""
    for name in new:
        if name not in order:
            order.insert(order.index(before) + 1 if before in order else len(order), name)
        before = name
    return {name: merged[name] for name in order if merged[name]}


def _definitions(block: str) -> dict[str, str]:
    """Give the lines of each definition, with those above it; raises _ConflictError where there is something else."""
    source, body = _parsed(block)
    found, first = dict[str, str](), _head(block)
    for node in body:
        name = _name(node)
        end = source.after_line(source.end(node) - 1)
        if not name or name in found:
            raise _ConflictError
        found[name] = source.text[first:end]
        first = end
    rest = source.text[first:]
    if rest.strip():
        raise _ConflictError
    if found:
        found[[*found][-1]] += rest
    return found


def _head(block: str) -> int:
    return len(CLASS) if block.strip() and re.match(r"\n*[ \t]", block) else 0


def _parsed(block: str) -> tuple[Source, list[ast.stmt]]:
    """Parse lines of a module, or of a class in it."""
    head = CLASS[: _head(block)]
    try:
        source = Source("", head + block)
    except Refusal:
        raise _ConflictError from None
    body = source.tree.body
    if not head:
        return source, body
    if len(body) == 1 and isinstance(body[0], ast.ClassDef):
        return source, body[0].body
    raise _ConflictError


def _name(node: ast.stmt) -> str:
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return node.target.id
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    return node.name if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) else ""


def _is_annotated(definition: str) -> bool:
    """Tell whether lines are `name: type`, or `name: type = value`: a column or a field."""
    _, body = _parsed(definition)
    return isinstance(body[0], ast.AnnAssign)


def _merge_values(mine: str, old: str, new: str) -> str:
    """Merge the type of a definition, and each argument or item of its value; raises _ConflictError."""
    sides = [_Value.of(side) for side in (mine, old, new)]
    kinds = {one.kind for one in sides if one}
    if None in sides and kinds != {ast.Tuple}:
        raise _ConflictError
    if sides[0] and "#" in sides[0].source.code(sides[0].node):
        raise _ConflictError  # a comment would be lost
    are_alike = len(kinds) == 1
    parts = [one.parts(split=are_alike) if one else {} for one in sides]
    merged = _merge(parts[0], parts[1], parts[2], _refuse)
    source, (node,) = _parsed(mine or new)
    value = next(one for one in sides if one).code(merged, split=are_alike)
    if not value and TYPE not in merged:
        return ""
    code = _name(node) + (f": {merged[TYPE]}" if TYPE in merged else "") + (f" = {value}" if value else "")
    begin = _head(mine or new)
    return source.text[begin : source.start(node)] + code + source.text[source.end(node) :]


@dataclass(frozen=True)
class _Value:
    """A definition `name = value` or `name: type = value`."""

    source: Source
    node: ast.Assign | ast.AnnAssign

    @classmethod
    def of(cls, definition: str) -> Self | None:
        """Read it; None if there is none. Raises _ConflictError for another definition."""
        if not definition:
            return None
        source, (node,) = _parsed(definition)
        if isinstance(node, ast.Assign | ast.AnnAssign):
            return cls(source, node)
        raise _ConflictError

    @property
    def kind(self) -> type:
        """The kind of its value."""
        return type(self.node.value)

    def parts(self, *, split: bool) -> dict[str, str]:
        """Give its type and value; `split` gives a call's function and arguments, and a tuple's items, one by one."""
        code, value = self.source.code, self.node.value
        parts = {TYPE: code(self.node.annotation)} if isinstance(self.node, ast.AnnAssign) else {}
        if split and isinstance(value, ast.Call):
            parts[VALUE] = code(value.func)
            parts |= {str(number): code(argument) for number, argument in enumerate(value.args)}
            return parts | {str(one.arg): code(one) for one in value.keywords}
        if split and isinstance(value, ast.Tuple):
            return parts | {ast.unparse(item): code(item) for item in value.elts}
        return {**parts, VALUE: code(value)} if value else parts

    def code(self, merged: Parts, *, split: bool) -> str:
        """Give the code of a value of merged parts."""
        items = [text for name, text in merged.items() if name not in (TYPE, VALUE)]
        if split and self.kind is ast.Call:
            items.sort(key=lambda text: bool(re.match(r"\w+\s*=[^=]", text)))  # those without a name come first
            return f"{merged[VALUE]}({', '.join(items)})"
        if split and self.kind is ast.Tuple:
            return f"({', '.join(items)}{',' if len(items) == 1 else ''})" if items else ""
        return merged.get(VALUE, "")


def _refuse(*_: str) -> str:
    raise _ConflictError
