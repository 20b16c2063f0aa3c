"""What a command will write to a project, shown before it is written."""

import difflib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from copier_fastapi_sqlalchemy.resource.code import read_text
from copier_fastapi_sqlalchemy.resource.errors import Refusal
from copier_fastapi_sqlalchemy.resource.interrupts import interrupts_held

# How the name of the folder begins in which files are made ready.
STAGE = ".resource-"


@dataclass(frozen=True)
class Plan:
    """What the files of a project will be, by their paths in it: None for one that won't be there."""

    title: str
    folder: Path
    texts: Mapping[str, str | None]

    def old(self, path: str) -> str | None:
        """Give what a file is now, None if it isn't there."""
        return read_text(self.folder, path) if (self.folder / path).exists() else None

    def lines(self) -> Iterator[str]:
        """Say what is written, in a line for each folder."""
        yield f"{self.title} in {self.folder}:"
        groups: dict[tuple[str, str], list[str]] = {}
        for path, text in sorted(self.texts.items()):
            parent, _, name = path.rpartition("/")
            verb = "delete" if text is None else "edit" if (self.folder / path).exists() else "write"
            groups.setdefault((verb, parent), []).append(name)
        for (verb, parent), names in sorted(groups.items(), reverse=True):
            yield f"  {verb:7} {parent or '.'}/: {', '.join(names)}"

    def diff(self) -> str:
        """Give the changes as git shows them."""
        return "".join(_diff(path, self.old(path), text) for path, text in sorted(self.texts.items()))

    def write(self) -> None:
        """Write the files, all or none; raises Refusal if one can't be. Ctrl-C waits until they are written."""
        with interrupts_held():
            self._write()

    def _write(self) -> None:
        folder = self.folder.resolve()
        try:
            with tempfile.TemporaryDirectory(prefix=STAGE, dir=folder) as name, ExitStack() as undo:
                staged = [
                    (path, _stage(Path(name), number, text)) for number, (path, text) in enumerate(self.texts.items())
                ]
                for path, (new, old) in staged:
                    _replace(folder / path, new, old, undo)
                undo.pop_all()
        except OSError as error:
            raise Refusal(f"Make {folder} writable first: nothing was written ({error}).") from None
        for path, text in self.texts.items():
            if text is None:
                _remove_empty((folder / path).parent, folder)


def _diff(path: str, old: str | None, new: str | None) -> str:
    if old == new:
        return ""
    head = f"diff --git a/{path} b/{path}\n"
    head += "new file mode 100644\n" if old is None else "deleted file mode 100644\n" if new is None else ""
    names = "/dev/null" if old is None else f"a/{path}", "/dev/null" if new is None else f"b/{path}"
    lines = difflib.unified_diff(_lines(old), _lines(new), *names)
    return head + "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _lines(text: str | None) -> list[str]:
    return re.findall(r"[^\n]*\n|[^\n]+\Z", text or "")


def _stage(folder: Path, number: int, text: str | None) -> tuple[Path | None, Path]:
    """Write a text to a new file, and name another one for what it replaces."""
    new = None if text is None else folder / f"{number}.new"
    if new and text is not None:
        new.write_bytes(text.encode())
    return new, folder / f"{number}.old"


def _replace(path: Path, new: Path | None, old: Path, undo: ExitStack) -> None:
    """Put a new file, or none, in the place of one that may be there."""
    path = path.resolve()
    for parent in reversed([parent for parent in path.parents if not parent.exists()]):
        parent.mkdir()
        undo.callback(parent.rmdir)
    if path.exists():
        shutil.copy2(path, old)
        undo.callback(os.replace, old, path)
    elif new:
        undo.callback(path.unlink, missing_ok=True)
    if new:
        if old.exists():
            shutil.copymode(old, new)
        new.replace(path)
    else:
        path.unlink(missing_ok=True)


def _remove_empty(folder: Path, root: Path) -> None:
    """Remove a folder that has nothing but what Python has cached, and those above it that have nothing else."""
    while folder != root and folder.is_dir() and {path.name for path in folder.iterdir()} <= {"__pycache__"}:
        shutil.rmtree(folder)
        folder = folder.parent
