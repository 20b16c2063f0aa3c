"""Enters a resource in the two files that list them, and takes it out again: app/tables.py and app/main.py."""

import ast
import json
import re
from dataclasses import dataclass

from copier_fastapi_sqlalchemy.resource.errors import Refusal
from copier_fastapi_sqlalchemy.resource.source import LINE_LENGTH, Import, Item, Sequence, Source

TABLES, MAIN = "app/tables.py", "app/main.py"
# What a list ends with: the routers and tags of the service itself.
LAST = ("audit", "health")
# How the list without a resource is declared, by what brackets it has.
EMPTY = {ast.Tuple: "ROUTERS: tuple[APIRouter, ...] = ()", ast.List: "ROUTERS: list[APIRouter] = []"}
NOQA = re.compile(r"[ \t]*(  # noqa[^\n]*)")
BY_HAND = f"Give --no-register, which says what to add to {MAIN} by hand"


@dataclass(frozen=True)
class Entry:
    """A resource as app/main.py lists it: its router by the name of its package, and its tag in the documentation."""

    name: str
    description: str

    @property
    def module(self) -> str:
        """The module of the router."""
        return f"app.{self.name}.router"

    @property
    def import_line(self) -> str:
        """The line that imports the router."""
        return f"from {self.module} import router as {self.name}"

    @property
    def tag(self) -> str:
        """The tag that the router has, which is its path."""
        return self.name.replace("_", "-")


def add_to_tables(source: str, module: str) -> str:
    """Import the module of a resource's tables, such as `app.books.models`."""
    file = Source(TABLES, source)
    return source if _imports_it(file, module) else _with_import(file, f"import {module}")


def remove_from_tables(source: str, module: str) -> str:
    """Import the module no longer."""
    return _without_import(Source(TABLES, source), module)


def add_to_main(source: str, entry: Entry, limit: int = LINE_LENGTH) -> str:
    """Import the router, include it, and describe it, in lines of up to `limit` characters.

    Raises Refusal where there is no list to put it into.
    """
    file = Source(MAIN, source)
    routers = _routers(file)
    if entry.name not in _names(routers.value):
        file = Source(MAIN, _with_router(file, routers, entry.name, limit))
        _check_length(_routers(file).value, len(routers.value.elts) + 1)
    if not _imports_it(file, f"{entry.module}.router"):
        file = Source(MAIN, _with_import(file, entry.import_line))
    tags = _tags(file)
    if tags is None or _index_of_tag(tags, entry) is not None:
        return file.text
    name, text = json.dumps(entry.tag), json.dumps(entry.description, ensure_ascii=False)
    item = Item(
        f'{{"name": {name}, "description": {text}}}', f'{{\n    "name": {name},\n    "description": {text},\n}}'
    )
    file = Source(MAIN, Sequence(file, tags, limit).with_item(_before_last(_tag_names(tags)), item))
    _check_length(_tags(file), len(tags.elts) + 1)
    return file.text


def remove_from_main(source: str, entry: Entry, limit: int = LINE_LENGTH) -> str:
    """Take out what `add_to_main` put in, and give what was there before."""
    file = Source(MAIN, source)
    routers = _routers(file)
    if entry.name in _names(routers.value):
        file = Source(MAIN, _without_router(file, routers, entry.name, limit))
    file = Source(MAIN, _without_import(file, f"{entry.module}.router"))
    tags = _tags(file)
    index = None if tags is None else _index_of_tag(tags, entry)
    return file.text if tags is None or index is None else Sequence(file, tags, limit).without_item(index)


def correct_tag(source: str, entry: Entry) -> str:
    """Give the tag in TAGS the name that the router has, where it is the package's, as versions up to 1.5.0 wrote."""
    file = Source(MAIN, source)
    try:
        tags = _tags(file)
    except Refusal:  # it is made otherwise
        return source
    names = [name for item in (tags.elts if tags else ()) if (name := _tag_name(item))]
    old = next((name for name in names if name.value == entry.name), None)
    if old is None or any(name.value == entry.tag for name in names):
        return source
    return file.edited((file.start(old), file.end(old), file.code(old).replace(entry.name, entry.tag)))


def bound_names(source: str) -> set[str]:
    """Give the names that app/main.py has at its top level."""
    names: set[str] = set()
    for node in Source(MAIN, source).tree.body:
        if isinstance(node, Import):
            names |= {alias.asname or alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        else:
            names |= {
                part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
            }
    return names


@dataclass(frozen=True)
class _List:
    """The assignment of a tuple or a list to a name."""

    statement: ast.Assign | ast.AnnAssign
    value: ast.Tuple | ast.List


def _assigned(file: Source, name: str) -> _List | None:
    """Find the list that is assigned to `name`; raises Refusal if something else is."""
    for node in file.tree.body:
        if not isinstance(node, ast.Assign | ast.AnnAssign):
            continue
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            if isinstance(node.value, ast.Tuple | ast.List):
                return _List(node, node.value)
            raise Refusal(f"{BY_HAND}: line {node.lineno} assigns {name} no tuple or list.")
    return None


def _routers(file: Source) -> _List:
    routers = _assigned(file, "ROUTERS")
    if routers is None:
        raise Refusal(f"{BY_HAND}: it has no ROUTERS.")
    return routers


def _tags(file: Source) -> ast.Tuple | ast.List | None:
    """Find the list of tags, which an application can do without."""
    tags = _assigned(file, "TAGS")
    return tags.value if tags else None


def _check_length(items: ast.Tuple | ast.List | None, length: int) -> None:
    """Raise Refusal where an item was put elsewhere, as into the parentheses of another item."""
    if items is None or len(items.elts) != length:
        raise Refusal(f"{BY_HAND}: its lists have parentheses around an item.")


def _names(routers: ast.Tuple | ast.List) -> list[str]:
    return [item.id if isinstance(item, ast.Name) else "" for item in routers.elts]


def _tag_name(item: ast.expr) -> ast.Constant | None:
    """Find the name of a tag, unless it isn't written as the others are."""
    pairs = zip(item.keys, item.values, strict=True) if isinstance(item, ast.Dict) else ()
    for key, value in pairs:
        if isinstance(key, ast.Constant) and key.value == "name" and isinstance(value, ast.Constant):
            return value
    return None


def _tag_names(tags: ast.Tuple | ast.List) -> list[str]:
    """Give the name of each tag; "" where it isn't written as the others are."""
    return [str(name.value) if (name := _tag_name(item)) else "" for item in tags.elts]


def _index_of_tag(tags: ast.Tuple | ast.List, entry: Entry) -> int | None:
    """Find the tag of a resource, which versions up to 1.5.0 named as the package."""
    return next((index for index, name in enumerate(_tag_names(tags)) if name in {entry.tag, entry.name}), None)


def _before_last(names: list[str]) -> int:
    """Give the index at which a resource is put: the end, or before what a list ends with."""
    index = len(names)
    while index > 0 and names[index - 1] in LAST:
        index -= 1
    return index


def _with_router(file: Source, routers: _List, name: str, limit: int) -> str:
    statement, value = routers.statement, routers.value
    if value.elts or file.code(statement) != EMPTY[type(value)]:
        return Sequence(file, value, limit).with_item(_before_last(_names(value)), Item(name))
    written = f"ROUTERS = ({name},)" if isinstance(value, ast.Tuple) else f"ROUTERS = [{name}]"
    return _without_unused_class(Source(MAIN, file.edited((file.start(statement), file.end(statement), written))))


def _without_router(file: Source, routers: _List, name: str, limit: int) -> str:
    statement, value = routers.statement, routers.value
    if len(value.elts) > 1 or isinstance(statement, ast.AnnAssign) or "#" in file.code(value):
        return Sequence(file, value, limit).without_item(_names(value).index(name))
    return _with_class(
        Source(MAIN, file.edited((file.start(statement), file.end(statement), EMPTY[type(value)]))), limit
    )


def _without_unused_class(file: Source) -> str:
    """Import APIRouter no longer, unless something uses it."""
    if any(isinstance(node, ast.Name) and node.id == "APIRouter" for node in ast.walk(file.tree)):
        return file.text
    return _without_import(file, "fastapi.APIRouter")


def _with_class(file: Source, limit: int) -> str:
    """Import APIRouter, unless that is done."""
    imports = [node for node in file.tree.body if isinstance(node, ast.ImportFrom) and node.module == "fastapi"]
    if _imports_it(file, "fastapi.APIRouter"):
        return file.text
    if not imports:
        return _with_import(file, "from fastapi import APIRouter")
    names = [alias.name for alias in imports[0].names]
    index = next((index for index, name in enumerate(names) if name > "APIRouter"), len(names))
    return Sequence(file, imports[0], limit).with_item(index, Item("APIRouter"))


def _imports(file: Source) -> list[Import]:
    return [node for node in file.tree.body if isinstance(node, Import)]


def _imported(node: Import) -> list[str]:
    """Give the full name of each thing that a statement imports."""
    prefix = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
    return [f"{prefix}{alias.name}" for alias in node.names]


def _module(node: Import) -> str:
    """Give the module by which a statement is sorted; of a relative import, none."""
    return node.names[0].name if isinstance(node, ast.Import) else "" if node.level else node.module or ""


def _order(node: Import) -> tuple[bool, list[str | int]]:
    """Give what imports are sorted by: `import` comes before `from`, and numbers in names count as such."""
    parts = re.split(r"(\d+)", _module(node))
    return isinstance(node, ast.ImportFrom), [int(part) if part.isdecimal() else part for part in parts]


def _imports_it(file: Source, name: str) -> bool:
    return any(name in _imported(node) for node in _imports(file))


def _with_import(file: Source, line: str) -> str:
    """Add a line to the sorted imports of the application's own modules, or after the imports of others."""
    (new,) = ast.parse(line).body
    assert isinstance(new, Import)  # noqa: S101 - the line is ours
    own = [node for node in _imports(file) if _module(node).split(".")[0] == "app"]
    if isinstance(new, ast.Import):
        line += next((match[1] for node in own if (match := NOQA.match(file.text, file.end(node)))), "")
    following = next((node for node in own if _order(node) > _order(new)), None)
    if following:
        place = file.with_comments(file.start(following))
        return file.edited((place, place, f"{line}\n"))
    last = own[-1:] or _imports(file)[-1:] or file.tree.body[:1]
    place = file.after_line(file.end(last[0]) - 1) if last else 0
    before = "" if file.text[:place].endswith("\n") or not last else "\n"
    return file.edited((place, place, f"{before}{line}\n" if own else f"{before}\n{line}\n"))


def _without_import(file: Source, name: str) -> str:
    """Import `name` no longer, and nothing where it was the only one of its statement."""
    for node in _imports(file):
        if name not in _imported(node):
            continue
        if len(node.names) > 1:
            return Sequence(file, node).without_item(_imported(node).index(name))
        return file.edited((*file.line_span(file.start(node), file.end(node)), ""))
    return file.text
