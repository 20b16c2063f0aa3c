"""A plan is shown, and written as a whole or not at all; what files have of their own stays."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from copier_fastapi_sqlalchemy.resource import plan as plans
from copier_fastapi_sqlalchemy.resource.errors import Refusal
from copier_fastapi_sqlalchemy.resource.formatting import edited, tidy
from copier_fastapi_sqlalchemy.resource.plan import Plan
from tests.harness.rendering import files_of

OLD = {
    "app/main.py": b"# \xc3\xa9\x0c\nROUTERS = ()\n",
    "app/books/old.py": b"old = 1",
    "app/books/more/deep/old.py": b"old = 2\n",
    "app/books/__pycache__/old.pyc": b"cached",
    "app/bad.py": b"no = 1\nend",
}
NEW = {
    "app/main.py": "# é\x0c\nROUTERS = (books,)\n",
    "app/bad.py": "no = 2\nend",
    "app/books/old.py": None,
    "app/books/more/deep/old.py": None,
    "app/loans/__init__.py": "",
    "app/loans/models.py": "import os\n",
    "app/shelves/deep/models.py": "import os",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with some files."""
    for name, content in OLD.items():
        path = tmp_path / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path / "project"


def expected() -> dict[str, bytes]:
    """Give the files that the plan makes."""
    return {name: text.encode() for name, text in sorted(NEW.items()) if text is not None}


def test_plan_says_what_is_written(project: Path) -> None:
    assert list(Plan("Add loans", project, NEW).lines()) == [
        f"Add loans in {project}:",
        "  write   app/shelves/deep/: models.py",
        "  write   app/loans/: __init__.py, models.py",
        "  edit    app/: bad.py, main.py",
        "  delete  app/books/more/deep/: old.py",
        "  delete  app/books/: old.py",
    ]


def test_plan_is_written(project: Path) -> None:
    Plan("Add loans", project, NEW).write()
    assert files_of(project) == expected()
    assert {path.name for path in project.iterdir()} == {"app"}
    assert not (project / "app/books").exists()


def test_diff_is_what_git_applies(project: Path) -> None:
    (project / "app/books/__pycache__/old.pyc").unlink()
    diff = Plan("Add loans", project, NEW).diff()
    assert files_of(project).keys() == OLD.keys() - {"app/books/__pycache__/old.pyc"}
    subprocess.run(["git", "apply", "-"], cwd=project, input=diff.encode(), check=True)
    assert files_of(project) == expected()
    assert Plan("Add loans", project, {"app/main.py": NEW["app/main.py"]}).diff() == ""


def test_mode_and_links_stay(project: Path) -> None:
    target = project / "shared.py"
    target.write_text("a = 1\n", encoding="utf-8")
    target.chmod(0o754)
    (project / "app/linked.py").symlink_to(target)
    Plan("Edit", project, {"app/linked.py": "a = 2\n"}).write()
    assert (project / "app/linked.py").is_symlink()
    assert target.read_text(encoding="utf-8") == "a = 2\n"
    assert target.stat().st_mode & 0o777 == 0o754


@pytest.mark.parametrize("failing", range(1, len(NEW) + 1))
def test_failure_leaves_all_as_it_was(project: Path, monkeypatch: pytest.MonkeyPatch, failing: int) -> None:
    calls = 0

    def replace(*arguments: Any) -> None:
        nonlocal calls
        calls += 1
        done(*arguments)
        if calls == failing:
            raise OSError("the disk is full")

    done = plans._replace
    monkeypatch.setattr(plans, "_replace", replace)
    with pytest.raises(Refusal, match=r"^Make .* writable first: nothing was written \(the disk is full\)\.$"):
        Plan("Add loans", project, NEW).write()
    assert files_of(project) == OLD
    assert not (project / "app/loans").exists()
    assert {path.name for path in project.iterdir()} == {"app"}


def test_interruption_leaves_all_as_it_was(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        Plan("Add loans", project, NEW).write()
    assert files_of(project) == OLD


def test_folder_in_the_way_is_refused(project: Path) -> None:
    with pytest.raises(Refusal, match="nothing was written"):
        Plan("Add", project, {"app/a.py": "", "app/main.py/models.py": ""}).write()
    assert files_of(project) == OLD


def add_import(text: str) -> str:
    """Add an import where it isn't sorted, and a line that isn't formatted."""
    assert "\r" not in text
    return text.replace("import sys\n", "import sys\nimport os\n") + "b = os.sep+sys.path[0]\n"


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_edit_keeps_line_ends_and_is_formatted(tmp_path: Path, mark: str, end: str) -> None:
    (tmp_path / "main.py").write_bytes(f"{mark}import sys{end}{end}a = sys{end}".encode())
    new = edited(tmp_path, "main.py", add_import)
    lines = ["import os", "import sys", "", "a = sys", "b = os.sep + sys.path[0]", ""]
    assert new == mark + end.join(lines)


def test_edit_of_an_unformatted_file_changes_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("import sys\n\na=sys\n", encoding="utf-8")
    unformatted = "import sys\nimport os\n\na=sys\nb = os.sep+sys.path[0]\n"
    assert edited(tmp_path, "main.py", add_import) == unformatted
    (tmp_path / "main.py").write_text("import sys\n\na = sys\n", encoding="utf-8")
    assert edited(tmp_path, "main.py", add_import, is_formatted=False) == unformatted.replace("a=sys", "a = sys")


def test_line_ends_of_both_kinds_stay(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_bytes(b"import sys\r\na = sys\n")
    assert edited(tmp_path, "main.py", lambda text: f"{text}b = 1\n") == "import sys\r\na = sys\nb = 1\n"


def test_own_rules_format(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.ruff]\nformat.quote-style = 'single'\n", encoding="utf-8")
    assert (
        tidy(tmp_path, "app/books/main.py", 'import app\nimport os\na = "b"\n')
        == "import os\n\nimport app\n\na = 'b'\n"
    )


def test_rules_that_ruff_cannot_read_are_refused(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.ruff]\nlines = 1\n", encoding="utf-8")
    with pytest.raises(Refusal, match=r"^Correct what ruff finds first, or give --no-format: .*lines") as raised:
        tidy(tmp_path, "main.py", "a = 1\n")
    assert "\n" not in str(raised.value)
