"""The names that the code of every resource uses, and that no resource can have."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from copier_fastapi_sqlalchemy.resource import former
from copier_fastapi_sqlalchemy.resource.names import Names

TEMPLATES = Path(__file__).parent / "templates"

LIKE_PASSWORD = re.compile(r"(^|_)(PAS+WO?R?D|PASS(PHRASE)?|PWD|TOKEN|SECRETE?)($|_)")  # ruff's rule S105
# The modules in which a variable is named by the resource or its record.
MODULES = ("router.py.jinja", "repository.py.jinja", "test_router.py.jinja")


@cache
def reserved_names() -> frozenset[str]:
    """Give the names that the templates of a resource bind: what they import, assign, define and take.

    The templates are Python, of books: what is called by a book is named by the resource itself.
    """
    names = {
        name
        for path in TEMPLATES.rglob("*.py.jinja")
        if path.name != "callers.py.jinja"  # whose names no module of a resource has
        for name in _bound(ast.parse(path.read_text(encoding="utf-8")))
        if "book" not in name.lower() and (path.name in MODULES or name[0].isupper())
    }
    return frozenset(names)


def path_constant(names: Names, form: int) -> str:
    """Give the name that the tests have for the path of a resource: its own, unless that stands for something else."""
    if form == former.FORM:
        return "BOOKS"
    name = names.plural.upper()
    return "PATH" if name in reserved_names() or LIKE_PASSWORD.search(name) else name


def _bound(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.alias):
            yield (node.asname or node.name).partition(".")[0]
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
