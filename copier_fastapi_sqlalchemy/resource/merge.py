"""Merges what a resource would be written as now into what its owner has made of a file."""

import ast
import re
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from copier_fastapi_sqlalchemy.resource.conflicts import resolve
from copier_fastapi_sqlalchemy.resource.errors import Refusal
from copier_fastapi_sqlalchemy.resource.formatting import BOM, tidy

LABELS = ("yours", "before")
MARK = "<<<<<<< yours"
# Stands for the imports of a file while the rest is merged.
PLACE = "import placeholder\n"
# Comes after each function and class while a module is merged: so what is added after one touches nothing inside it.
END = "# \ue000 end of "
Imports = ast.Import | ast.ImportFrom
Named = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
# An imported name: the statement's module, the name, and the name that it is given.
Imported = tuple[str, str, str]


@dataclass(frozen=True)
class Merged:
    """A text that was merged, and the lines at which conflicts begin."""

    text: str
    conflicts: tuple[int, ...] = ()


def merge(folder: Path, path: str, yours: str, before: str, after: str, *, label: str) -> Merged:
    """Make of a file of an owner's, `yours`, what was made of `before`, which is `after`.

    The names that a Python module imports are merged as a set, so that imports on neighbouring lines don't conflict,
    and so are columns, fields and methods. Line ends, the byte order mark, and a format of the owner's own are kept.

    Raises:
        Refusal: git is missing.

    """
    mark = BOM if yours.startswith(BOM) else ""
    has_crlf = "\r\n" in yours and not re.search(r"(?<!\r)\n", yours)
    text = yours.removeprefix(BOM)
    text = text.replace("\r\n", "\n") if has_crlf else text
    is_python = path.endswith(".py")
    is_tidy = is_python and _is_tidy(folder, path, text)
    mine, old, new = (_split(side) if is_python else None for side in (text, before, after))
    if mine and old and new:
        merged = _merge_lines(*(_with_ends(side.rest) for side in (mine, old, new)), label=label)
        merged = resolve(_without_ends(merged))
        imports = _merge_imports(mine, old, new, merged)
        if is_tidy:
            imports = tidy(folder, path, imports)
        merged = merged.replace(PLACE, imports, 1)
    else:
        merged = _merge_lines(text, before, after, label=label)
    conflicts = tuple(number for number, line in enumerate(merged.split("\n"), 1) if line == MARK)
    if is_tidy and not conflicts:
        merged = tidy(folder, path, merged)
    return Merged(mark + (merged.replace("\n", "\r\n") if has_crlf else merged), conflicts)


@dataclass(frozen=True)
class _Parts:
    """A module: its imports, and the rest with a placeholder for them."""

    imports: str
    rest: str

    @property
    def names(self) -> dict[Imported, None]:
        """The names that are imported, in order."""
        return {name: None for node in ast.parse(self.imports).body for name in _imported(node)}


def _lines(text: str) -> list[str]:
    """Give the lines of a text, with their ends, as Python counts them."""
    return re.findall(r"[^\n]*\n|[^\n]+\Z", text)


def _imported(node: ast.stmt) -> Iterator[Imported]:
    if isinstance(node, Imports):
        module = "." * node.level + (node.module or "") if isinstance(node, ast.ImportFrom) else ""
        for alias in node.names:
            yield module, alias.name, alias.asname or ""


def _split(text: str) -> _Parts | None:
    """Split a module at its imports; None where they aren't one block of nothing else."""
    try:
        body = ast.parse(text).body
    except SyntaxError:
        return None
    places = [index for index, node in enumerate(body) if isinstance(node, Imports)]
    if not places or places != list(range(places[0], places[-1] + 1)) or not text.endswith("\n"):
        return None
    lines = _lines(text)
    first, last = body[places[0]].lineno - 1, body[places[-1]].end_lineno or 0
    return _Parts("".join(lines[first:last]), "".join([*lines[:first], PLACE, *lines[last:]]))


def _with_ends(module: str) -> str:
    """Put a line after each function and class of a module."""
    lines = _lines(module)
    named = [node for node in ast.walk(ast.parse(module)) if isinstance(node, Named)]
    for node in reversed(named):  # those in another come before it
        lines[(node.end_lineno or 0) - 1] += f"{END}{node.name}\n"
    return "".join(lines)


def _without_ends(module: str) -> str:
    return "".join(line for line in _lines(module) if not line.startswith(END))


def _merge_imports(yours: _Parts, before: _Parts, after: _Parts, rest: str) -> str:
    """Add what is newly imported, and take out what no longer is, unless the owner's code has a use for it."""
    mine, old, new = yours.names, before.names, after.names
    gone = {name for name in mine if name in old and name not in new and not _is_used(name, rest)}
    added = [name for name in new if name not in old and name not in mine]
    if not gone and not added:
        return yours.imports
    lines = _lines(yours.imports)
    for node in reversed(ast.parse(yours.imports).body):
        names = list(_imported(node))
        if gone.intersection(names):
            kept = "".join(f"{_statement(name)}\n" for name in names if name not in gone)
            lines[node.lineno - 1 : node.end_lineno] = [kept] if kept else []
    return "".join([*lines, *(f"{_statement(name)}\n" for name in added)])


def _is_used(name: Imported, rest: str) -> bool:
    bound = name[2] or name[1].partition(".")[0]
    return re.search(rf"\b{re.escape(bound)}\b", rest) is not None


def _statement(name: Imported) -> str:
    module, imported, given = name
    words = f"from {module} import {imported}" if module else f"import {imported}"
    return f"{words} as {given}" if given else words


def _is_tidy(folder: Path, path: str, text: str) -> bool:
    try:
        return tidy(folder, path, text) == text
    except Refusal:
        return False


def _merge_lines(yours: str, before: str, after: str, *, label: str) -> str:
    """Merge three texts by lines, with marks of conflicts where both sides have changed the same or touching lines."""
    with tempfile.TemporaryDirectory() as name:
        files = [Path(name) / side for side in ("yours", "before", "after")]
        for file, text in zip(files, (yours, before, after), strict=True):
            file.write_bytes(text.encode())
        labels = [word for side in (*LABELS, label) for word in ("-L", side)]
        command = ["git", "merge-file", "--stdout", "--diff3", *labels, *map(str, files)]
        try:
            done = subprocess.run(command, cwd=name, capture_output=True, check=False)
        except FileNotFoundError:
            raise Refusal("Install git first: it merges the files.") from None
    if done.returncode > 127:  # noqa: PLR2004 - up to here it is the number of conflicts
        raise Refusal(f"Let git merge-file work here first: {' '.join(done.stderr.decode(errors='replace').split())}")
    return done.stdout.decode()
