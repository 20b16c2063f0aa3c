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
        *(">>>>>>> resource change", "    pages = Integer()", "    on = date.today()", "    end = None"),
    ]
    assert "from sqlalchemy import Date, Integer, String" in lines


COLUMNS = """from app.db.base import Record


class Book(Record):
    __table_args__ = (Index("a"),)

    title: Mapped[str] = mapped_column(String(200))
    # of the cover too
    pages: Mapped[int] = mapped_column(Integer, default=0)
    state: Mapped[str] = mapped_column(state())

    def __repr__(self) -> str:
        return self.title
"""
OURS = (
    ('(Index("a"),)', '(Index("a"), Index("b"))'),
    ("default=0", 'default=0, comment="with the cover"'),
    ("state())", "state(), server_default=new)"),
    ("    def __repr__", "    place: Mapped[Any] = mapped_column()\n\n    def __repr__"),
)
TITLE = "    title: Mapped[str] = mapped_column(String(200))\n"
STATE = "    state: Mapped[str] = mapped_column(state())\n"


@pytest.mark.parametrize(
    ("theirs", "merged_lines"),
    [
        ((STATE, f"{STATE}    note: Mapped[str] = mapped_column()\n"), ["note: Mapped[str] = mapped_column()"]),
        (("default=0", "index=True"), ['pages: Mapped[int] = mapped_column(Integer, index=True, comment="…")']),
        (("Integer", "BigInteger"), ['pages: Mapped[int] = mapped_column(BigInteger, default=0, comment="…")']),
        (("[int]", "[int | None]"), ['pages: Mapped[int | None] = mapped_column(Integer, default=0, comment="…")']),
        ((TITLE, ""), []),
        (('(Index("a"),)', '(Index("a"), Index("c"))'), ['__table_args__ = (Index("a"), Index("c"), Index("b"))']),
        (('    __table_args__ = (Index("a"),)\n\n', ""), ['__table_args__ = (Index("b"),)']),
        (
            ("    def __repr__", "    def __str__(self) -> str:\n        return ''\n\n    def __repr__"),
            ["def __str__(self) -> str:"],
        ),
    ],
)
def test_columns_are_merged_by_name(folder: Path, theirs: tuple[str, str], merged_lines: list[str]) -> None:
    yours = COLUMNS
    for old, new in OURS:
        yours = yours.replace(old, new)
    after = COLUMNS.replace(*theirs)
    assert after != COLUMNS
    (folder / "pyproject.toml").write_text("[tool.ruff]\nline-length = 100\n", encoding="utf-8")
    lines = merged(folder, yours, COLUMNS, after).replace("with the cover", "…").splitlines()
    stripped = [line.strip() for line in lines]
    assert {*merged_lines} <= {*stripped}
    assert "place: Mapped[Any] = mapped_column()" in stripped
    assert lines[lines.index("    # of the cover too") + 1].startswith("    pages: ")
    assert len(stripped) == len({line for line in stripped if line}) + stripped.count("")


def test_column_that_is_removed_goes_whatever_was_changed_in_it(folder: Path) -> None:
    yours = COLUMNS.replace("state())", "state(), server_default=new)")
    assert merged(folder, yours, COLUMNS, COLUMNS.replace(STATE, "")) == COLUMNS.replace(STATE, "")


def test_what_both_sides_have_changed_stays_in_conflict_alone(folder: Path) -> None:
    yours = COLUMNS.replace("String(200)", "String(100)").replace("default=0", "default=1")
    after = COLUMNS.replace("String(200)", "String(300)").replace("Integer", "BigInteger")
    done = merge(folder, "app/books/models.py", yours, COLUMNS, after, label="resource change")
    (line,) = done.conflicts
    assert done.text.splitlines()[line - 1 :][:8] == [
        *("<<<<<<< yours", "    title: Mapped[str] = mapped_column(String(100))"),
        *("||||||| before", "    title: Mapped[str] = mapped_column(String(200))"),
        *("=======", "    title: Mapped[str] = mapped_column(String(300))"),
        *(">>>>>>> resource change", "    # of the cover too"),
    ]
    assert "    pages: Mapped[int] = mapped_column(BigInteger, default=1)\n" in done.text


def test_comment_between_arguments_is_not_lost(folder: Path) -> None:
    yours = COLUMNS.replace("(Integer, default=0)", "(\n        Integer,  # small\n        default=1,\n    )")
    after = COLUMNS.replace("Integer", "BigInteger")
    done = merge(folder, "app/books/models.py", yours, COLUMNS, after, label="resource change")
    assert len(done.conflicts) == 1
    assert "# small" in done.text


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
