"""Says who may call the routes of a resource, in a project with accounts: app/auth/access.py has a row for each."""

import ast
from collections.abc import Collection, Mapping

from copier_fastapi_sqlalchemy.resource.errors import Refusal
from copier_fastapi_sqlalchemy.resource.source import Source

ACCESS = "app/auth/access.py"
READ, WRITE, ADMINISTER = "READER", "AUTHOR", "ADMIN"
FOR_ADMINS = ("delete_", "restore_")


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


def add_to_access(source: str, roles: Mapping[str, str]) -> str:
    """Add a row for each route that has none, at the end of the table.

    Raises Refusal where there is no table to put it into.
    """
    file = Source(ACCESS, source)
    table = _table(file)
    known = _names(table)
    rows = [f'    "{name}": {role},\n' for name, role in roles.items() if name not in known]
    lines = source.splitlines(keepends=True)
    end = (table.end_lineno or 0) - 1
    if rows and lines[end].strip() != "}":
        raise Refusal(f"Give --no-register, and add to {ACCESS} who may call {', '.join(roles)}.")
    return "".join([*lines[:end], *rows, *lines[end:]])


def remove_from_access(source: str, names: Collection[str]) -> str:
    """Take out the rows of these routes."""
    table = _table(Source(ACCESS, source))
    gone: set[int] = set()
    for key, value in zip(table.keys, table.values, strict=True):
        if key is not None and isinstance(key, ast.Constant) and key.value in names:
            gone |= {*range(key.lineno, (value.end_lineno or key.lineno) + 1)}
    lines = source.splitlines(keepends=True)
    return "".join(line for number, line in enumerate(lines, start=1) if number not in gone)


def _table(file: Source) -> ast.Dict:
    """Find the dictionary that is assigned to ACCESS."""
    for node in file.tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        value = getattr(node, "value", None)
        if isinstance(value, ast.Dict) and any(isinstance(one, ast.Name) and one.id == "ACCESS" for one in targets):
            return value
    raise Refusal(f"Give --no-register: {ACCESS} has no table that is called ACCESS.")


def _names(table: ast.Dict) -> set[object]:
    return {key.value for key in table.keys if isinstance(key, ast.Constant)}
