"""Imports of the rendered service point down only."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

RESOURCES = ("app.auth", "app.comments", "app.posts", "app.tagging", "app.users", "app.tables")
FORBIDDEN = {
    "app/db": ("app.web", "app.audit", "app.main", "app.seed", "fastapi", "starlette", *RESOURCES),
    "app/web": ("app.audit", "app.main", "app.seed", *RESOURCES),
    "app/audit": ("app.main", "app.seed", *RESOURCES),
    "app": ("app.main", "app.seed"),
}
MAY_IMPORT_MAIN = {"app/__main__.py", "app/seed.py", "app/server.py"}


@pytest.mark.each_mixin
@pytest.mark.any_auth
def test_imports_point_down(project: Path) -> None:
    assert list(upward_imports(project)) == []


def test_upward_import_is_found(tmp_path: Path) -> None:
    module = tmp_path / "app/db/clock.py"
    module.parent.mkdir(parents=True)
    module.write_text("from app import web\nfrom app.web.problems import respond\nimport fastapi.routing\n")
    found = {"app.web", "app.web.problems", "fastapi.routing"}
    assert set(upward_imports(tmp_path)) == {("app/db/clock.py", name) for name in found}


def upward_imports(project: Path) -> Iterator[tuple[str, str]]:
    """Yield each file of `project` with a module that it may not import."""
    for folder, forbidden in FORBIDDEN.items():
        for path in sorted((project / folder).rglob("*.py")):
            name = path.relative_to(project).as_posix()
            for module in imported_modules(ast.parse(path.read_text(encoding="utf-8"))):
                above = any(module == layer or module.startswith(f"{layer}.") for layer in forbidden)
                if above and not (module == "app.main" and name in MAY_IMPORT_MAIN):
                    yield name, module


def imported_modules(tree: ast.Module) -> Iterator[str]:
    """Yield the modules that a file imports; of `from app import web`, `app.web`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "app":
            yield from (f"app.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
