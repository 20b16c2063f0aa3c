"""The Python code of a project's `app`, and what its classes inherit, by its syntax trees."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from copier_fastapi_sqlalchemy.resource.errors import Refusal
from copier_fastapi_sqlalchemy.resource.source import Source


@dataclass(frozen=True)
class Module:
    """A module, `name` of which is such as `app.users.models`; `path` is that of its file in the project."""

    name: str
    path: str
    source: Source

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """All nodes of its syntax tree."""
        return list(ast.walk(self.source.tree))

    @cached_property
    def classes(self) -> dict[str, ast.ClassDef]:
        """The classes of its top level."""
        return {node.name: node for node in self.source.tree.body if isinstance(node, ast.ClassDef)}

    @cached_property
    def imported(self) -> dict[str, str]:
        """The full name of what each imported name stands for."""
        names = {}
        for node in self.imports():
            prefix = f"{self.origin(node)}." if isinstance(node, ast.ImportFrom) else ""
            for alias in node.names:
                name = alias.name if alias.asname or prefix else alias.name.partition(".")[0]
                names[alias.asname or name] = f"{prefix}{name}"
        return names

    def imports(self) -> Iterator[ast.Import | ast.ImportFrom]:
        """Give every statement that imports, at any depth."""
        return (node for node in self.nodes if isinstance(node, ast.Import | ast.ImportFrom))

    def named_by(self, node: ast.Import | ast.ImportFrom) -> list[str]:
        """Give the full name of each thing that a statement imports."""
        prefix = f"{self.origin(node)}." if isinstance(node, ast.ImportFrom) else ""
        return [f"{prefix}{alias.name}" for alias in node.names]

    def origin(self, node: ast.ImportFrom) -> str:
        """Give the full name of the module from which a statement imports."""
        if not node.level:
            return node.module or ""
        parts = self.name.split(".")
        parts = parts[: len(parts) - node.level + self.path.endswith("__init__.py")]
        return ".".join([*parts, *([node.module] if node.module else [])])


class Code:
    """The modules of a folder of a project."""

    def __init__(self, project: Path, folder: str = "app", texts: Mapping[str, str | None] | None = None) -> None:
        """Read each file; raises Refusal if one can't be.

        `texts` has what files will be, instead of what they are: None for one that won't be there.
        """
        self.modules: dict[str, Module] = {}
        changed = texts or {}
        for path in sorted((project / folder).rglob("*.py")):
            relative = path.relative_to(project)
            parts, place = relative.with_suffix("").parts, relative.as_posix()
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            text = changed[place] if place in changed else read_text(project, place)
            if text is not None:
                self.modules[name] = Module(name, place, Source(place, text))

    def full_name(self, module: Module, node: ast.expr) -> str:
        """Give the full name of what an expression names, `app.db.base.Record`; "" where it is no name."""
        if isinstance(node, ast.Subscript):
            return self.full_name(module, node.value)
        if isinstance(node, ast.Attribute):
            owner = self.full_name(module, node.value)
            return self._defined(f"{owner}.{node.attr}") if owner else ""
        if not isinstance(node, ast.Name):
            return ""
        return self._defined(module.imported.get(node.id, f"{module.name}.{node.id}"))

    def _defined(self, name: str) -> str:
        """Follow a name that a module imports to the module that defines it."""
        seen = set()
        while name not in seen:
            seen.add(name)
            owner, _, last = name.rpartition(".")
            module = self.modules.get(owner)
            if module and last not in module.classes:
                name = module.imported.get(last, name)
        return name

    def ancestry(self, name: str) -> Iterator[tuple[str, ast.ClassDef | None]]:
        """Give a class and all that it inherits from, each with its definition if it is the project's."""
        todo, seen = [name], set()
        while todo:
            current = todo.pop()
            if current in seen or not current:
                continue
            seen.add(current)
            owner, _, last = current.rpartition(".")
            module = self.modules.get(owner)
            definition = module.classes.get(last) if module else None
            yield current, definition
            if module and definition:
                todo += [self.full_name(module, base) for base in definition.bases]


def read_text(project: Path, path: str) -> str:
    """Read a file of a project as it is, line ends included; raises Refusal if it isn't text."""
    try:
        return (project / path).read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        raise Refusal(f"Save {path} in UTF-8 first.") from None
    except OSError as error:
        raise Refusal(f"Make {path} readable first: {error.strerror}.") from None
