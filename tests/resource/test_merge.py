"""A change is merged into what an owner has made of a file; conflicts are only where lines touch."""

import shutil
from pathlib import Path

import pytest

from copier_fastapi_sqlalchemy.resource.merge import merge

BEFORE = '''"""Books."""

from datetime import date

from sqlalchemy import Date, String

from app.db.base import Record


class Book(Record):
    title = String(200)
    day = Date()
    on = date.today()
    end = None
'''
AFTER = BEFORE.replace("Date, String", "Integer, String").replace("    day = Date()\n", "    pages = Integer()\n")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text("[tool.ruff]\nline-length = 60\n", encoding="utf-8")
    return tmp_path


def merged(folder: Path, yours: str, before: str = BEFORE, after: str = AFTER) -> str:
    """Merge without a conflict."""
    done = merge(folder, "app/books/models.py", yours, before, after, label="resource change")
    assert done.conflicts == ()
    return done.text


def test_edits_elsewhere_stay(folder: Path) -> None:
    yours = BEFORE.replace("    end = None\n", "    end = None\n    ours = 1\n").replace("Books.", "Our books.")
    assert merged(folder, yours) == AFTER.replace("None\n", "None\n    ours = 1\n").replace("Books.", "Our books.")
    assert merged(folder, merged(folder, yours), AFTER, BEFORE) == yours


def test_addition_after_a_class_does_not_touch_what_is_added_to_its_end(folder: Path) -> None:
    ours = "\n\nclass Shelf:\n    def __init__(self) -> None:\n        pass\n"
    after = BEFORE + "    last = 1\n\n    def __init__(self) -> None:\n        pass\n"
    assert merged(folder, BEFORE + ours, after=after) == after + ours


def test_imports_on_the_same_lines_are_merged(folder: Path) -> None:
    yours = BEFORE.replace("Date, String", "Boolean, Date, String").replace("import Record", "import Entity, Record")
    yours = yours.replace("    end = None\n", "    end = Boolean(), Entity\n")
    text = merged(folder, yours)
    assert "from sqlalchemy import Boolean, Integer, String\n" in text
    assert "from app.db.base import Entity, Record\n" in text


def test_import_that_the_owner_uses_stays(folder: Path) -> None:
    text = merged(folder, BEFORE.replace("end = None", "end = Date()"))
    assert "from sqlalchemy import Date, Integer, String\n" in text


def test_format_and_line_ends_of_the_owner_stay(folder: Path) -> None:
    yours = "\ufeff" + BEFORE.replace("end = None", "end   =   None").replace("\n", "\r\n")
    text = merged(folder, yours)
    assert "\r\n    end   =   None\r\n" in text
    assert text.startswith("\ufeff")
    assert text.count("\n") == text.count("\r\n")


def test_touching_edits_are_in_conflict(folder: Path) -> None:
    yours = BEFORE.replace("    day = Date()\n", "    day = Date(1)\n")
    done = merge(folder, "app/books/models.py", yours, BEFORE, AFTER, label="resource change")
    (line,) = done.conflicts
    lines = done.text.splitlines()
    assert lines[line - 1 :] == [
        *("<<<<<<< yours", "    day = Date(1)", "||||||| before", "    day = Date()", "======="),
        *("    pages = Integer()", ">>>>>>> resource change", "    on = date.today()", "    end = None"),
    ]
    assert "from sqlalchemy import Date, Integer, String" in lines


@pytest.mark.parametrize("broken", ["def broken(:\n", "import app\nx = 1\nimport books\n", ""])
def test_modules_without_a_block_of_imports_are_merged_by_lines(folder: Path, broken: str) -> None:
    yours = BEFORE + "\n\n" + broken
    assert "pages = Integer()" in merge(folder, "a.py", yours, BEFORE, AFTER, label="x").text


def test_other_files_are_merged_by_lines(folder: Path) -> None:
    assert merge(folder, "a.md", "1\n2\n3\n4\n", "1\n2\n3\n", "0\n2\n3\n", label="x").text == "0\n2\n3\n4\n"


def test_git_is_needed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shutil.which("git")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(Exception, match="Install git first"):
        merge(folder, "a.md", "1\n", "2\n", "3\n", label="x")
