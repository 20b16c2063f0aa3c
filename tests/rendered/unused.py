"""Finds what a rendered project defines and nothing in it uses."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

# Names that a library calls, and those that a tool reads.
CALLED_BY_LIBRARIES = {
    "_should_upgrade",
    "anyio_backend",
    "app",
    "branch_labels",
    "build_middleware_stack",
    "cache_ok",
    "convert",
    "depends_on",
    "do_GET",
    "do_OPTIONS",
    "do_POST",
    "down_revision",
    "downgrade",
    "format",
    "http_open",
    "https_open",
    "impl",
    "load_dialect_impl",
    "log_message",
    "metadata",
    "model_config",
    "next_event",
    "openapi",
    "process_bind_param",
    "process_literal_param",
    "process_result_value",
    "pytestmark",
    "readable",
    "readinto",
    "redirect_request",
    "reverse",
    "revision",
    "send_400_response",
    "to_string",
    "type_annotation_map",
    "upgrade",
}
# Where no mixin has a moment, the owner's first column of one needs it; a route of theirs may be for anyone.
FOR_OWNERS = {"UTCDateTime", "ANYONE"}
WORD = re.compile(r"[A-Za-z_]\w*")


def unused_names(project: Path) -> list[str]:
    """Give `file:line name` of each function, class, method, constant and setting that nothing in `project` names.

    What only its tests name is unused too, unless it is theirs.
    """
    paths = {path.relative_to(project): path for path in sorted(project.rglob("*.py"))}
    read = {
        name: _read(path.read_text(encoding="utf-8"), is_test=name.parts[0] == "tests") for name, path in paths.items()
    }
    by_service = CALLED_BY_LIBRARIES.union(
        FOR_OWNERS, *(uses for path, (uses, _) in read.items() if path.parts[0] != "tests")
    )
    by_all = by_service.union(*(uses for uses, _ in read.values()))
    return [
        f"{path}:{line} {name}"
        for path, (_, definitions) in read.items()
        for name, line in definitions
        if name not in (by_all if path.parts[0] == "tests" else by_service) and not name.startswith("__")
    ]


@cache
def _read(text: str, *, is_test: bool) -> tuple[frozenset[str], tuple[tuple[str, int], ...]]:
    """Give the names that a module uses and those that it defines; most are the same in many variants."""
    tree = ast.parse(text)
    return frozenset(_uses(tree)), tuple(_definitions(tree, is_test=is_test))


def _uses(tree: ast.Module) -> Iterator[str]:
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Load()) | ast.Attribute(attr=name):
                yield name
            case ast.arg(arg=name):
                yield name
            case ast.keyword(arg=str(name)):
                yield name
            case ast.Constant(value=str(text)) if id(node) not in docstrings:
                yield from WORD.findall(text)
            case ast.MatchClass(kwd_attrs=names):
                yield from names


def _definitions(tree: ast.Module, *, is_test: bool) -> Iterator[tuple[str, int]]:
    for node in tree.body:
        yield from _definition(node, is_test=is_test)
        if isinstance(node, ast.ClassDef):
            is_settings = any(isinstance(base, ast.Name) and base.id == "BaseSettings" for base in node.bases)
            for member in node.body:
                if is_settings or isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef):
                    yield from _definition(member, is_test=is_test)


def _definition(node: ast.stmt, *, is_test: bool) -> Iterator[tuple[str, int]]:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            kept = is_test and name.startswith(("test_", "pytest_"))
            if not kept and not any(_registers(decorator) for decorator in node.decorator_list):
                yield name, node.lineno
        case ast.ClassDef(name=name):
            if not (is_test and name.startswith("Test")):
                yield name, node.lineno
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            yield name, node.lineno


def _registers(decorator: ast.expr) -> bool:
    """Tell whether a decorator hands the function to a library, as `@router.get(…)` and `@fixture(autouse=True)` do."""
    call = decorator if isinstance(decorator, ast.Call) else None
    function = call.func if call else decorator
    if call and any(keyword.arg == "autouse" for keyword in call.keywords):
        return True
    if isinstance(function, ast.Attribute):
        return function.attr not in {"fixture", "cached_property", "asynccontextmanager", "contextmanager", "cache"}
    return isinstance(function, ast.Name) and function.id in {
        "field_serializer",
        "field_validator",
        "listens_for",
        "model_validator",
        "override",
        "compiles",
    }
