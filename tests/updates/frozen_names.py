"""What projects have by name: questions, values, paths, and what their code and their tests' helpers offer.

`python -m tests.updates.frozen_names` writes the list of it into docs/frozen-names.md.
"""

import ast
import re
import tempfile
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import yaml

from tests.harness.rendering import files_of, render, snapshot
from tests.harness.variants import ROOT, choices

PAGE = ROOT / "docs/frozen-names.md"
MARK = "<!-- the list: `make names` writes it -->\n"
# What the example is made of is the owner's to change; own code builds on the rest.
EXAMPLE = re.compile(r"app/(users|posts|comments|tagging|seed)\b")
# Own code imports from the service, and own tests from what helps the project's.
OFFERED = re.compile(r"app/.*\.py|tests/(?!(.*/)?test_).*\.py")
VERSIONS = "migrations/versions/"


def questions_of(source: Path) -> set[str]:
    """Give `question` and `question=value` of what a template asks."""
    document: dict[str, Any] = yaml.safe_load((source / "copier.yml").read_text(encoding="utf-8"))
    asked = {
        key: value for key, value in document.items() if not key.startswith("_") and value.get("when") is not False
    }
    values = {
        f"{key}={str(value).lower() if isinstance(value, bool) else value}"
        for key, question in asked.items()
        for value in dict(question.get("choices", {})).values()
    }
    return values.union(asked)


def covering_answers() -> list[dict[str, Any]]:
    """Give answers in which each two values meet, without mixins and with all; then with each value of `auth`."""
    plain = [
        {
            "database": database,
            "data_access": data_access,
            "io": choices("io")[(turn + turn // 2) % 2],
            "mixins": list(mixins),
        }
        for turn, (database, data_access) in enumerate(product(choices("database"), choices("data_access")))
        for mixins in ((), choices("mixins"))
    ]
    more = {"extras": list(choices("extras")), "ci": "gitlab", "license": "MIT"}
    return plain + [
        {
            "database": choices("database")[turn % 3],
            "data_access": data_access,
            "io": choices("io")[turn // 2 % 2],
            "mixins": list(mixins),
            "auth": auth,
            **more,
        }
        for auth in choices("auth")
        for turn, (data_access, mixins) in enumerate(product(choices("data_access"), ((), choices("mixins"))))
        if auth != "none"
    ]


def names_of(project: Path) -> set[str]:
    """Give `path` of each file, and `path:Name` of what own code can import, use of a class, or set."""
    paths = {name for name in files_of(project) if not name.startswith(VERSIONS)}
    modules = [name for name in paths if OFFERED.match(name) and not EXAMPLE.match(name)]
    return paths.union(
        f"{name}:{defined}"
        for name in modules
        for defined in _defined(ast.parse((project / name).read_text(encoding="utf-8")).body)
    )


def _defined(body: list[ast.stmt], prefix: str = "") -> Iterator[str]:
    for node in body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names = [name]
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                names = [name]
            case _:
                names = []
        for name in names:
            if not name.startswith("_"):
                yield prefix + name
                if isinstance(node, ast.ClassDef):
                    yield from _defined(node.body, f"{name}.")
                    yield from (f"{name}.{attribute}" for attribute in _attributes(node))


def _attributes(defined: ast.ClassDef) -> set[str]:
    """Give what a class assigns to `self`."""
    found = set()
    for node in ast.walk(defined):
        match node:
            case ast.Attribute(value=ast.Name(id="self"), attr=name, ctx=ast.Store()) if not name.startswith("_"):
                found.add(name)
    return found


def names_with(source: Path, answers: dict[str, Any]) -> set[str]:
    """Give the names of the project that `answers` make."""
    with tempfile.TemporaryDirectory() as folder:
        return names_of(render(source, Path(folder) / "project", answers))


def missing_since(before: Path, source: Path, answers: list[dict[str, Any]]) -> set[str]:
    """Give the names that one template has with these answers and another hasn't."""
    gone = questions_of(before) - questions_of(source)
    return gone.union(*(names_with(before, given) - names_with(source, given) for given in answers))


def listed(source: Path) -> str:
    """Write the list of all names of the template in `source`."""
    names = set().union(*(names_with(source, given) for given in covering_answers()))
    questions: dict[str, list[str]] = {}
    for name in sorted(questions_of(source)):
        question, _, value = name.partition("=")
        questions.setdefault(question, []).extend([value] if value else [])
    offered: dict[str, list[str]] = {}
    for name in sorted(names):
        path, _, defined = name.partition(":")
        offered.setdefault(path, []).extend([defined] if defined else [])
    lines = ["", "## Questions and values", ""]
    lines += [f"- `{name}`{': ' if values else ''}{_joined(values)}" for name, values in questions.items()]
    lines += ["", "## Paths, and what their modules offer", ""]
    lines += [f"- `{name}`{': ' if values else ''}{_joined(values)}" for name, values in offered.items()]
    return "\n".join(lines) + "\n"


def _joined(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def main() -> None:
    """Write the list into the page."""
    with tempfile.TemporaryDirectory() as folder:
        source = snapshot(Path(folder) / "source")
        head, _, _ = PAGE.read_text(encoding="utf-8").partition(MARK)
        PAGE.write_text(head + MARK + listed(source), encoding="utf-8")


if __name__ == "__main__":
    main()
