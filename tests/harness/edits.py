"""Edits files, and fails where there is nothing to edit."""

import re
from pathlib import Path


def replace_text(file: Path, *changes: tuple[str, str]) -> None:
    """Replace texts that are there once."""
    text = file.read_text(encoding="utf-8")
    for old, new in changes:
        assert text.count(old) == 1, f"{file} has {old!r} {text.count(old)} times, not once"
        text = text.replace(old, new)
    file.write_text(text, encoding="utf-8")


def substitute(file: Path, pattern: str, replacement: str) -> None:
    """Replace the first text that a pattern finds."""
    text, count = re.subn(pattern, replacement, file.read_text(encoding="utf-8"), count=1)
    assert count == 1, f"{file} has no {pattern}"
    file.write_text(text, encoding="utf-8")
