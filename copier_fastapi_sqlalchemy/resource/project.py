"""A project that was made with the template: its answers, and the tables, repositories and routes that it has.

They are read from the code's syntax tree. Nothing of the project is imported, so it need not be installed.
"""

import ast
import os
import subprocess
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from copier_fastapi_sqlalchemy.resource import former
from copier_fastapi_sqlalchemy.resource.code import Code, Module, read_text
from copier_fastapi_sqlalchemy.resource.errors import Refusal
from copier_fastapi_sqlalchemy.resource.names import Names
from copier_fastapi_sqlalchemy.resource.plan import STAGE
from copier_fastapi_sqlalchemy.resource.register import MAIN, TABLES, bound_names
from copier_fastapi_sqlalchemy.resource.shell import typed
from copier_fastapi_sqlalchemy.resource.source import LINE_LENGTH

ANSWERS = ".copier-answers.yml"
RECORD = "resource.toml"
ACCESS = "app/auth/access.py"
CHOICES = {
    "database": ("sqlite", "postgresql", "mysql"),
    "io": ("async", "sync"),
    "data_access": ("orm", "core"),
}
MIXINS = ("timestamps", "soft_delete", "audit_log", "optimistic_locking", "full_text_search")
ERRORS, SCHEMAS = "app/db/errors.py", "app/web/schemas.py"
# Files that a project has since version 1.1.0, and that the code of a resource builds on.
NEEDED = ("app/db/base.py", "app/db/read_only.py", ERRORS, "app/web/links.py", TABLES, MAIN)
DEFAULT_LENGTH = 88
# What a class inherits from decides what its table has.
BASE = "app.db.base"
RECORDS, WITH_KEY = {f"{BASE}.Record", f"{BASE}.RecordColumns"}, {f"{BASE}.Entity", f"{BASE}.KeyColumns"}
METHODS = frozenset({"get", "post", "put", "patch", "delete", "head", "options", "api_route"})
REPOSITORY = "app.db.repository.Repository"


@dataclass(frozen=True)
class Answers:
    """What the questions of the template were answered with, as far as the code of a resource depends on it."""

    database: str
    io: str
    data_access: str
    mixins: tuple[str, ...]

    @property
    def is_async(self) -> bool:
        """Whether the code is of coroutines."""
        return self.io == "async"

    @property
    def orm(self) -> bool:
        """Whether tables are mapped classes."""
        return self.data_access == "orm"

    @property
    def kind(self) -> str:
        """The name of a module that has tables: `models` or `tables`."""
        return "models" if self.orm else "tables"

    @property
    def touched(self) -> bool:
        """Whether a write to what belongs to a record has to show in the record's own row."""
        return bool({"timestamps", "optimistic_locking"} & set(self.mixins))

    def facts(self) -> dict[str, Any]:
        """Give the variables that the templates have from the answers, named as in copier.yml."""
        choices = {"database": self.database, "io": self.io, "data_access": self.data_access}
        mixins = {mixin: mixin in self.mixins for mixin in MIXINS}
        return {**choices, "mixins": list(self.mixins), **mixins, "kind": self.kind, "touched": self.touched}


@dataclass(frozen=True)
class KnownTable:
    """A table of the project.

    `symbol` of `module` is the mapped class, or with Core the `Table`, whose columns are declared by the class
    `columns`. `has_generated_key` tells whether its primary key is a generated `id` alone, so that others can refer to
    it; `is_record` whether it has the columns of the mixins too.
    """

    name: str
    module: str
    symbol: str
    columns: str = ""
    repository: tuple[str, str] | None = None
    has_generated_key: bool = False
    is_record: bool = False


@dataclass(frozen=True)
class Project:
    """A project as its files are. `records` has the text of the record of each resource that was added.

    `has_moment` tells whether app/web/schemas.py has `Moment`; None where that is to be looked up.
    """

    folder: Path
    answers: Answers
    tables: Mapping[str, KnownTable]
    routes: Mapping[str, str]
    records: Mapping[str, str]
    line_length: int = LINE_LENGTH
    has_moment: bool | None = None
    form: int = former.NOW  # in which its resources are written
    operations: Mapping[str, str] = field(default_factory=dict)  # the module of each function of a route, by its name

    @property
    def has_accounts(self) -> bool:
        """Whether a table says who may call which route."""
        return (self.folder / ACCESS).is_file()

    def own_table(self, names: Names) -> KnownTable:
        """Give the table that a resource will have, for references to itself."""
        module = f"app.{names.plural}"
        symbol = names.class_name if self.answers.orm else names.plural
        columns = "" if self.answers.orm else f"{names.class_name}Columns"
        repository = f"{module}.repository", f"{names.class_name}Repository"
        return KnownTable(
            names.plural,
            f"{module}.{self.answers.kind}",
            symbol,
            columns,
            repository,
            has_generated_key=True,
            is_record=True,
        )


def open_project(folder: Path) -> Project:
    """Read the project that has `folder`, which is its own or one below it.

    Raises:
        Refusal: there is none, it is of another template or of a version that this can't serve, or it can't be read.

    """
    start = folder.resolve()
    root = next((place for place in (start, *start.parents) if (place / ANSWERS).is_file()), None)
    if root is None or not start.is_dir():
        raise Refusal(f"Go to the folder of a project, or give it with --project: {folder} has no {ANSWERS}.")
    answers = read_answers(read_text(root, ANSWERS))
    for path in NEEDED:
        if not (root / path).is_file():
            raise Refusal(f"Update the project first, with `uvx copier update`: {path} is missing, which 1.1.0 has.")
    code = Code(root)
    records = {
        path.parent.name: read_text(root, path.relative_to(root).as_posix())
        for path in sorted(root.glob(f"app/*/{RECORD}"))
    }
    return Project(
        root,
        answers,
        tables_of(code),
        routes_of(code),
        records,
        _line_length(root),
        form=_form(root),
        operations={
            name: module.name for module in code.modules.values() for name in operations_of(module.source.tree)
        },
    )


def read_answers(text: str) -> Answers:
    """Read the answers of a project; raises Refusal if they are those of another template."""
    try:
        answers = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise Refusal(f"Restore {ANSWERS} from your history: it is no YAML ({' '.join(str(error).split())}).") from None
    answers = answers if isinstance(answers, dict) else {}
    missing = [key for key in (*CHOICES, "mixins") if key not in answers]
    if missing:
        raise Refusal(f"Go to a project of this template: {ANSWERS} here has no answer to {', '.join(missing)}.")
    return answers_of(answers, ANSWERS)


def answers_of(answers: Mapping[str, Any], path: str) -> Answers:
    """Give the answers that a file has; raises Refusal if one is unknown, and KeyError if one is missing."""
    mixins = answers["mixins"]
    given = {key: [answers[key]] for key in CHOICES} | {"mixins": mixins if isinstance(mixins, list) else [mixins]}
    for key, known in (CHOICES | {"mixins": MIXINS}).items():
        for value in given[key]:
            if value not in known:
                raise Refusal(f"Use a newer version of this command: it doesn't know {key}={value} of {path}.")
    return Answers(
        answers["database"],
        answers["io"],
        answers["data_access"],
        tuple(mixin for mixin in MIXINS if mixin in given["mixins"]),
    )


def _form(root: Path) -> int:
    """Give the form of resources that suits the project.

    `row` of MissingReferenceError is newer than version 1.2.0, and `digits_alone` than 1.4.0.
    """
    if (root / SCHEMAS).is_file() and "def digits_alone" in read_text(root, SCHEMAS):
        return former.NOW
    return former.WITH_NUMBERS if "row: int | None" in read_text(root, ERRORS) else former.WITHOUT_ROWS


def _line_length(root: Path) -> int:
    """Give the length of lines that the project's ruff has; its own default where none is set."""
    try:
        return int(tomllib.loads(read_text(root, "pyproject.toml"))["tool"]["ruff"]["line-length"])
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError):
        return DEFAULT_LENGTH


def require_clean(project: Project, *, force: bool = False) -> None:
    """Raise Refusal unless all of the project is committed, so that git can show and take back what is written."""
    if force:
        return
    command, environment = ["git", "status", "--porcelain", "--", "."], {**os.environ, "LC_ALL": "C"}
    try:
        done = subprocess.run(command, cwd=project.folder, env=environment, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise Refusal("Install git, or give --force: without it, nothing can take back what this writes.") from None
    if done.returncode and "not a git repository" not in done.stderr:
        raise Refusal(f"Let git work here first, or give --force: {' '.join(done.stderr.split())}")
    if done.returncode:
        advice = 'git init && git add --all && git commit -m "Start"'
        raise Refusal(f"Put the project into git first, or give --force: `{advice}`.")
    if any(project.folder.glob(f"{STAGE}*")):
        advice = take_back(project.folder)
        raise Refusal(f"A command was killed here. Take back what it left, with your uncommitted changes: `{advice}`.")
    if changed := done.stdout.splitlines():
        others = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        raise Refusal(f"Commit or stash your changes first, or give --force: {changed[0][3:]}{others}.")


def take_back(folder: Path) -> str:
    """Give the command that takes back all uncommitted changes of a folder, and none beside it in its repository."""
    git = ["git"] if folder == Path.cwd() else ["git", "-C", str(folder)]
    restore = [*git, "restore", "--source=HEAD", "--staged", "--worktree", "."]
    return f"{typed(restore)} && {typed([*git, 'clean', '-d', '--force', '.'])}"


def require_free(project: Project, names: Names) -> None:
    """Raise Refusal where something of the project has the name of a new resource."""
    name = names.plural
    if table := project.tables.get(name):
        raise Refusal(f"Choose another name: {table.module} has a table {name}.")
    for path in (f"app/{name}", f"app/{name}.py", f"tests/{name}"):
        if (project.folder / path).exists():
            raise Refusal(f"Choose another name: {path} is there already.")
    if module := project.routes.get(f"/{names.path}"):
        raise Refusal(f"Choose another name: {module} has the routes of /{names.path}.")
    if name in bound_names(read_text(project.folder, MAIN)):
        raise Refusal(f"Choose another name: {MAIN} uses {name} for something else.")


def require_unused(project: Project, names: Names, texts: Mapping[str, str | None]) -> None:
    """Raise Refusal where something uses a resource that will be removed.

    `texts` has what files will be: None for one that won't be there.
    """
    package = f"app.{names.plural}"
    tables = [table.name for table in project.tables.values() if table.module.startswith(f"{package}.")]
    for folder in ("app", "tests"):
        for module in Code(project.folder, folder, texts).modules.values():
            for statement in module.imports():
                if any(f"{name}.".startswith(f"{package}.") for name in module.named_by(statement)):
                    raise Refusal(
                        f"Take {package} out of {module.path}, line {statement.lineno}, first: it is used there."
                    )
            for key, target in _foreign_keys(module):
                if target.partition(".")[0] in tables:
                    raise Refusal(f"Take the reference to {target} out of {module.path}, line {key.lineno}, first.")


def tables_of(code: Code) -> dict[str, KnownTable]:
    """Find the tables of a project, and for each the repository that serves it."""
    repositories = dict(_repositories(code))
    tables: dict[str, KnownTable] = {}
    for module in code.modules.values():
        for table in (*_mapped_classes(code, module), *_declared_tables(code, module)):
            repository = repositories.get(f"{table.module}.{table.symbol}")
            tables.setdefault(table.name, replace(table, repository=repository))
    return tables


def routes_of(code: Code) -> dict[str, str]:
    """Find the prefix of each router, with its module."""
    routes = {}
    for module in code.modules.values():
        for node in (*_calls(module, "APIRouter"), *_calls(module, "ResourceRouter")):
            for keyword in node.keywords:
                if keyword.arg == "prefix" and (prefix := _text(keyword.value)):
                    routes[prefix] = module.name
    return routes


def operations_of(tree: ast.AST) -> Iterator[str]:
    """Give the name of each function of a route, which is that of the operation in the OpenAPI document."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            called = [one.func for one in node.decorator_list if isinstance(one, ast.Call)]
            if any(isinstance(function, ast.Attribute) and function.attr in METHODS for function in called):
                yield node.name


def _mapped_classes(code: Code, module: Module) -> Iterator[KnownTable]:
    for name, definition in module.classes.items():
        table = _text(_assignments(definition).get("__tablename__"))
        if table:
            has_key, is_record = _key(code, f"{module.name}.{name}")
            yield KnownTable(table, module.name, name, has_generated_key=has_key, is_record=is_record)


def _declared_tables(code: Code, module: Module) -> Iterator[KnownTable]:
    symbols = {
        id(node.value): target.id
        for node in module.source.tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    for node in _calls(module, "Table"):
        table = _text(node.args[0]) if node.args else ""
        if not table:
            continue
        columns = node.args[2] if len(node.args) > 2 and isinstance(node.args[2], ast.Name) else None  # noqa: PLR2004
        has_key, is_record = _key(code, code.full_name(module, columns)) if columns else (False, False)
        yield KnownTable(
            table,
            module.name,
            symbols.get(id(node), ""),
            columns.id if columns else "",
            has_generated_key=has_key,
            is_record=is_record,
        )


def _key(code: Code, name: str) -> tuple[bool, bool]:
    """Tell whether the table of a class has a generated key alone, and whether it has the columns of a record."""
    ancestry = dict(code.ancestry(name))
    own = [node for name, node in ancestry.items() if node and not name.startswith(f"{BASE}.")]
    has_key = bool((RECORDS | WITH_KEY) & ancestry.keys()) and not any(map(_declares_key, own))
    return has_key, bool(RECORDS & ancestry.keys())


def _declares_key(definition: ast.ClassDef) -> bool:
    keywords = (node for node in ast.walk(definition) if isinstance(node, ast.keyword))
    return "id" in _assignments(definition) or any(keyword.arg == "primary_key" for keyword in keywords)


def _repositories(code: Code) -> Iterator[tuple[str, tuple[str, str]]]:
    """Give the full name of each mapped class or table that a repository serves, with the repository."""
    for module in code.modules.values():
        for name, definition in module.classes.items():
            if REPOSITORY not in dict(code.ancestry(f"{module.name}.{name}")):
                continue
            for attribute, value in _assignments(definition).items():
                if attribute in {"model", "table"} and value:
                    yield code.full_name(module, value), (module.name, name)


def _foreign_keys(module: Module) -> Iterator[tuple[ast.expr, str]]:
    """Give what the foreign keys of a module refer to by name, such as `users.id`."""
    for call in ("ForeignKey", "ForeignKeyConstraint"):
        for node in _calls(module, call):
            for part in ast.walk(node):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield part, part.value


def _assignments(definition: ast.ClassDef) -> dict[str, ast.expr | None]:
    """Give what a class assigns in its body, by name; None where it only annotates."""
    found: dict[str, ast.expr | None] = {}
    for node in definition.body:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {target.id: node.value for target in targets if isinstance(target, ast.Name)}
    return found


def _calls(module: Module, name: str) -> Iterator[ast.Call]:
    """Give the calls of a function or class by its last name."""
    for node in module.nodes:
        if isinstance(node, ast.Call):
            called = node.func
            last = (
                called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""
            )
            if last == name:
                yield node


def _text(node: ast.expr | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
