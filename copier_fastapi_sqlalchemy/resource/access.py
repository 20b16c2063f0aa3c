"""Says who may call the routes of a resource, in a project with accounts: app/auth/access.py has a row for each."""

import ast
from bisect import bisect
from collections.abc import Collection, Iterator, Mapping

from copier_fastapi_sqlalchemy.resource.errors import Refusal
from copier_fastapi_sqlalchemy.resource.project import ACCESS
from copier_fastapi_sqlalchemy.resource.source import Item, Sequence, Source

READ, WRITE, ADMINISTER = "READER", "AUTHOR", "ADMIN"
FOR_ADMINS = ("delete_", "restore_")
RULES = "app.auth.rules"


def roles_of(router: str) -> dict[str, str]:
    """Give the least role for each route of a router's module, by the name of its function, in order."""
    roles = {}
    for node in ast.parse(router).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for method in filter(None, map(_method, node.decorator_list)):
                roles[node.name] = (
                    READ if method == "get" else ADMINISTER if node.name.startswith(FOR_ADMINS) else WRITE
                )
    return roles


def _method(decorator: ast.expr) -> str | None:
    """Give `get` of `@router.get("")`; None where the decorator is another."""
    match decorator:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="router"), attr=method)):
            return method
    return None


def add_to_access(source: str, rules: Mapping[str, str]) -> str:
    """Add a row for each route that has none, at the end of the table.

    Raises Refusal where there is no table to put it into.
    """
    file = Source(ACCESS, source)
    table = _table(file)
    known = _rows(table)
    added = {name: rule for name, rule in rules.items() if name not in known}
    rows = [f'    "{name}": {rule},\n' for name, rule in added.items()]
    lines = source.splitlines(keepends=True)
    end = (table.end_lineno or 0) - 1
    if rows and lines[end].strip() != "}":
        raise Refusal(f"Give --no-register, and add to {ACCESS} who may call {', '.join(rules)}.")
    return _with_imports("".join([*lines[:end], *rows, *lines[end:]]), _called_by(added.values()))


def remove_from_access(source: str, names: Collection[str]) -> str:
    """Take out the rows of these routes."""
    gone: set[int] = set()
    removed = {name: row for name, row in _rows(_table(Source(ACCESS, source))).items() if name in names}
    for key, value in removed.values():
        gone |= {*range(key.lineno, (value.end_lineno or key.lineno) + 1)}
    lines = source.splitlines(keepends=True)
    text = "".join(line for number, line in enumerate(lines, start=1) if number not in gone)
    return _without_imports(text, _called_by(ast.unparse(value) for _, value in removed.values()))


def replace_in_access(source: str, before: Mapping[str, str], after: Mapping[str, str]) -> tuple[str, list[str]]:
    """Let rows ask for what they do after a change, and name those that an owner of the project has edited."""
    file = Source(ACCESS, source)
    rows, edits, edited = _rows(_table(file)), [], []
    for name in before.keys() & after.keys() & rows.keys():
        value = rows[name][1]
        if before[name] == after[name] or _is_same(value, after[name]):
            continue
        if _is_same(value, before[name]):
            edits.append((file.start(value), file.end(value), after[name]))
        else:
            edited.append(name)
    text = _with_imports(file.edited(*edits), _called_by(rule for _, _, rule in edits))
    return _without_imports(text, _called_by(before.values())), sorted(edited)


def _is_same(value: ast.expr, rule: str) -> bool:
    return ast.unparse(value) == ast.unparse(ast.parse(rule, mode="eval"))


def _called_by(rules: Collection[str] | Iterator[str]) -> list[str]:
    """Give the names of the functions that rules call, such as `own`."""
    return sorted({rule.partition("(")[0] for rule in rules if "(" in rule})


def _with_imports(source: str, names: Collection[str]) -> str:
    """Import functions of app/auth/rules.py, if they aren't yet."""
    for name in names:
        file = Source(ACCESS, source)
        node = _import_of_rules(file)
        if node is None:
            raise Refusal(f"Add `from {RULES} import {', '.join(names)}` to {ACCESS} first.")
        if name not in (known := [alias.name for alias in node.names]):
            source = Sequence(file, node).with_item(bisect(known, name), Item(name))
    return source


def _without_imports(source: str, names: Collection[str]) -> str:
    """Import functions of app/auth/rules.py no longer, if no row calls them."""
    for name in names:
        file = Source(ACCESS, source)
        node = _import_of_rules(file)
        is_used = any(isinstance(one, ast.Name) and one.id == name for one in ast.walk(file.tree))
        if node and not is_used and len(node.names) > 1:
            known = [alias.name for alias in node.names]
            source = Sequence(file, node).without_item(known.index(name)) if name in known else source
    return source


def _import_of_rules(file: Source) -> ast.ImportFrom | None:
    return next((one for one in file.tree.body if isinstance(one, ast.ImportFrom) and one.module == RULES), None)


def _table(file: Source) -> ast.Dict:
    """Find the dictionary that is assigned to ACCESS."""
    for node in file.tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        value = getattr(node, "value", None)
        if isinstance(value, ast.Dict) and any(isinstance(one, ast.Name) and one.id == "ACCESS" for one in targets):
            return value
    raise Refusal(f"Give --no-register: {ACCESS} has no table that is called ACCESS.")


def _rows(table: ast.Dict) -> dict[object, tuple[ast.Constant, ast.expr]]:
    """Give the key and the value of each row, by the name of its route."""
    pairs = zip(table.keys, table.values, strict=True)
    return {key.value: (key, value) for key, value in pairs if isinstance(key, ast.Constant)}
