"""Names that the code of a resource has for two things, because one of them is called so by its owner."""

import ast
from collections import defaultdict
from collections.abc import Collection, Iterator

from copier_fastapi_sqlalchemy.resource.errors import Refusal
from copier_fastapi_sqlalchemy.resource.project import Project, operations_of
from copier_fastapi_sqlalchemy.resource.record import Resource
from copier_fastapi_sqlalchemy.resource.render import own_texts
from copier_fastapi_sqlalchemy.resource.sql_words import DATABASES, reserved_columns, reserved_tables
from copier_fastapi_sqlalchemy.resource.view import View

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def check_names(resource: Resource, project: Project, known: Collection[str] = ()) -> None:
    """Raise Refusal where a name of a resource or of a field can't be, unless that is a known problem."""
    for problem in name_problems(resource, project):
        if problem not in known:
            raise Refusal(problem)


def name_problems(resource: Resource, project: Project) -> Iterator[str]:
    """Say which names the database reserves, or the project or the code has for something else."""
    database = project.answers.database
    tables, columns = View(resource, project).sql_names()
    for name in sorted({*reserved_tables(database, tables), *reserved_columns(database, columns)}):
        yield f"Choose another name: {name!r} is a word of SQL in {DATABASES[database]}."
    router, texts = f"app.{resource.names.plural}.router", own_texts(resource, project)
    for name in operations_of(ast.parse(texts[f"app/{resource.names.plural}/router.py"])):
        if (module := project.operations.get(name, router)) != router:
            yield f"Give the resource another name: {module} has a route {name}."
    for path, text in texts.items():
        if path.endswith(".py"):
            for name in clashes(text):
                yield f"Give the resource or a field another name: {path} has {name!r} for something else."


def clashes(text: str) -> Iterator[str]:
    """Give the names that a module binds twice, or binds in a function or class that needs what they hide."""
    tree = ast.parse(text)
    origins = defaultdict[str, set[str]](set)
    fixtures = set()
    for node in tree.body:
        for name, origin in _bound_by(node):
            origins[name].add(origin)
        if isinstance(node, FUNCTIONS) and any("fixture" in ast.unparse(one) for one in node.decorator_list):
            fixtures.add(node.name)
    yield from (name for name, known in origins.items() if len(known) > 1)
    hidden = origins.keys() - fixtures
    for scope in ast.walk(tree):
        if isinstance(scope, FUNCTIONS):
            yield from sorted(hidden & {*_local_names(scope)})
        elif isinstance(scope, ast.ClassDef):
            names = {name for statement in scope.body for name, _ in _bound_by(statement)}
            yield from sorted(names & {*_evaluated_names(scope)})


def _bound_by(node: ast.stmt) -> Iterator[tuple[str, str]]:
    """Give each name that a statement binds in its scope, and where it comes from."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        module = getattr(node, "module", "")
        for alias in node.names:
            yield alias.asname or alias.name.partition(".")[0], f"{module}.{alias.name}"
    elif isinstance(node, (*FUNCTIONS, ast.ClassDef)):
        yield node.name, f"line {node.lineno}"
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            if isinstance(target, ast.Name):
                yield target.id, f"line {node.lineno}"


def _local_names(function: ast.AST) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def _evaluated_names(definition: ast.ClassDef) -> Iterator[str]:
    """Give the names that the body of a class needs while it runs, which that of a method doesn't."""
    todo: list[ast.AST] = [*definition.body]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield node.id
        children = list(ast.iter_child_nodes(node))
        if isinstance(node, FUNCTIONS):
            children = [child for child in children if not isinstance(child, ast.stmt)]
        todo += children
