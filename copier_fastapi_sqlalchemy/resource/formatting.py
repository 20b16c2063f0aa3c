"""Formats files of a project by the project's own rules, and keeps what they have of their own in edits."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from copier_fastapi_sqlalchemy.resource.code import read_text
from copier_fastapi_sqlalchemy.resource.errors import Refusal

BOM = "\ufeff"


def edited(folder: Path, path: str, edit: Callable[[str], str], *, is_formatted: bool = True) -> str:
    """Give the text of a file of a project after an edit, which sees ends of lines as Python does.

    It is formatted by the project's own rules, unless it wasn't before.
    """
    return edited_text(folder, path, read_text(folder, path), edit, is_formatted=is_formatted)


def edited_text(folder: Path, path: str, old: str, edit: Callable[[str], str], *, is_formatted: bool = True) -> str:
    """Do the same with a text that a file of the project will have."""
    mark = BOM if old.startswith(BOM) else ""
    has_crlf = "\r\n" in old and not re.search(r"(?<!\r)\n", old)
    text = old.removeprefix(BOM).replace("\r\n", "\n") if has_crlf else old.removeprefix(BOM)
    new = edit(text)
    if is_formatted and new != text and tidy(folder, path, text) == text:
        new = tidy(folder, path, new)
    return mark + (new.replace("\n", "\r\n") if has_crlf else new)


def tidy(folder: Path, path: str, text: str, rules: str = "I") -> str:
    """Mend what breaks some rules in a Python file, and format it, by the project's own settings.

    Raises Refusal if ruff can't read the file or the settings.
    """
    # What is new isn't there yet, for ruff to see that it is first-party.
    options = ["--config", 'lint.isort.known-first-party=["app", "tests"]', "--quiet", "--stdin-filename", path, "-"]
    for command in (["check", "--select", rules, "--fix", "--exit-zero"], ["format"]):
        done = subprocess.run(
            [*_ruff(), *command, *options],
            cwd=folder,
            input=text.encode(),
            capture_output=True,
            check=False,
        )
        if done.returncode:
            problem = " ".join(done.stderr.decode(errors="replace").split())
            raise Refusal(f"Correct what ruff finds first, or give --no-format: {problem}")
        text = done.stdout.decode()
    return text


def _ruff() -> list[str]:
    """Give the command of ruff, which is installed with this one."""
    program = Path(sys.executable).with_name("ruff.exe" if sys.platform == "win32" else "ruff")
    return [str(program)] if program.exists() else [sys.executable, "-m", "ruff"]
