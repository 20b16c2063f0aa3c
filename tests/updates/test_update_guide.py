"""Each command of the guide to updates is run, in its order, by a test of its section."""

import os
import re
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.harness.commands import MYPY_CACHE, Failed, run, tool
from tests.harness.constraints import CONSTRAINTS
from tests.harness.edits import substitute
from tests.harness.fast_copier import COMMAND
from tests.harness.pages import text_of
from tests.harness.variants import Variant
from tests.updates.project import Project
from tests.updates.releases import IDENTITY, LATER, git, this_version
from tests.updates.test_update_traps import change_the_same_line
from tests.updates.test_update_workflow import GitHub

GUIDE = "docs/updating.md"
OWN_STYLE = """
[tool.ruff.format]
quote-style = "single"
"""

pytestmark = pytest.mark.xdist_group("update guide")


def commands() -> dict[str, list[str]]:
    """Give the blocks of commands of the guide, by the heading that they stand under."""
    _, *sections = re.split(r"(?m)^##+ ", text_of(GUIDE))
    found = {text.partition("\n")[0]: re.findall(r"(?ms)^```console\n(.*?)^```$", text) for text in sections}
    return {title: blocks for title, blocks in found.items() if blocks}


COMMANDS = commands()


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """The environment of an owner who has Python, git and uv."""
    folder = tmp_path_factory.mktemp("programs")
    (folder / "uvx").write_text(f'#!/bin/sh\nshift\nexec {shlex.join(COMMAND)} "$@"\n', encoding="utf-8")
    (folder / "uvx").chmod(0o755)
    (folder / "uv").symlink_to(tool("uv"))
    (folder / "python3").symlink_to(sys.executable)
    given = {
        "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
        "MYPY_CACHE_DIR": str(MYPY_CACHE),
        "PYTEST_ADDOPTS": "-k health",
        "PIP_CONSTRAINT": str(CONSTRAINTS),
        "UV_CONSTRAINT": str(CONSTRAINTS),
        "UV_PYTHON": sys.executable,
    }
    return {**os.environ, **IDENTITY, **given}


def test_every_section_with_commands_has_a_test() -> None:
    assert list(COMMANDS) == [
        "Before",
        "Update",
        "After",
        "Conflicts",
        "Files that you moved or deleted",
        "Your own formatting",
        "Another answer",
        "Another database",
        "In a folder of a larger repository",
        "A deleted answers file",
    ]


def test_update_undo_and_install(project: Project, environment: Mapping[str, str]) -> None:
    run([tool("uv"), "lock"], project.folder, environment)
    project.commit("Lock")
    for block in COMMANDS["Before"]:
        run(block, project.folder, environment)
    update, undo = COMMANDS["Update"]
    run(update, project.folder, environment)
    run(undo, project.folder, environment)
    assert git(project.folder, "status", "--short") == ""
    run(update, project.folder, environment)
    for block in COMMANDS["After"]:
        run(block, project.folder, environment)
    assert git(project.folder, "status", "--short") == ""
    assert f"_commit: v{LATER}" in git(project.folder, "show", "update:.copier-answers.yml")
    assert '"idna"' in git(project.folder, "show", "update:uv.lock").partition("[package.metadata]")[2]
    installed = (project.folder / ".venv/installed").read_text(encoding="utf-8")
    assert installed == (project.folder / "pyproject.toml").read_text(encoding="utf-8")


def test_conflict_is_resolved_with_file_of_the_template(project: Project, environment: Mapping[str, str]) -> None:
    edited = change_the_same_line(project)
    run(COMMANDS["Update"][0], project.folder, environment)
    assert project.conflicts() == {edited}
    (block,) = COMMANDS["Conflicts"]
    printed = run(block, project.folder, environment)
    assert "MAX_BODY_SIZE = 5_000" in printed
    assert "<<<<<<<" not in (project.folder / edited).read_text(encoding="utf-8")
    git(project.folder, "commit", "--quiet", "--message", "Update")


def test_changes_of_moved_files_are_found_and_merged(project: Project, environment: Mapping[str, str]) -> None:
    git(project.folder, "mv", "app/web/middleware.py", "app/bounds.py")
    git(project.folder, "rm", "--quiet", "app/seed.py")
    substitute(project.folder / "app/bounds.py", r"(?m)^MAX_CLIENTS = .*$", "MAX_CLIENTS = 7")
    project.commit("Mine")
    run(COMMANDS["Update"][0], project.folder, environment)
    find, merge = COMMANDS["Files that you moved or deleted"]
    assert run(find, project.folder, environment).split() == ["app/seed.py", "app/web/middleware.py"]
    new = (project.folder / "../new/app/web/middleware.py").resolve().read_text(encoding="utf-8")
    run(merge, project.folder, environment)
    merged = (project.folder / "app/bounds.py").read_text(encoding="utf-8")
    assert merged == re.sub(r"(?m)^MAX_CLIENTS = .*$", "MAX_CLIENTS = 7", new)


def test_own_formatting_causes_no_conflict(project: Project, environment: Mapping[str, str]) -> None:
    pyproject = project.folder / "pyproject.toml"
    substitute(pyproject, r"\nline-length = 100\n", "\nline-length = 120\n")
    substitute(pyproject, r"\Z", OWN_STYLE)
    run([tool("ruff"), "format", "--no-cache"], project.folder, environment)
    project.commit("In my style")
    run(COMMANDS["Update"][0], project.folder, environment)
    assert len(project.conflicts()) > 2
    run(COMMANDS["Update"][1], project.folder, environment)

    (block,) = COMMANDS["Your own formatting"]
    run(block, project.folder, environment)
    assert project.conflicts() == set()
    run([tool("ruff"), "format", "--no-cache", "--check"], project.folder, environment)
    assert "prefix='/users'" in (project.folder / "app/users/router.py").read_text(encoding="utf-8")


def test_changed_answer_is_kept(project: Project, environment: Mapping[str, str]) -> None:
    (block,) = COMMANDS["Another answer"]
    run(block, project.folder, environment)
    answers = (project.folder / ".copier-answers.yml").read_text(encoding="utf-8")
    assert "mixins:\n- timestamps\n- soft_delete\n" in answers


def test_changed_database_gets_new_history(
    later_template: Path, environment: Mapping[str, str], tmp_path: Path
) -> None:
    before = Variant("postgresql", "async", "orm", ("timestamps",))
    project = Project.copy(later_template, before, tmp_path / "project", this_version())
    (project.folder / ".env").write_text("DATABASE_URL=postgresql://localhost/mine\n", encoding="utf-8")
    run("uvx copier update --defaults --data database=sqlite", project.folder, environment)
    (block,) = COMMANDS["Another database"]
    here = block.replace("postgresql://localhost/my_service", "sqlite:///./new.db")
    assert here != block
    run(here, project.folder, environment)
    (revision,) = project.folder.glob("migrations/versions/*.py")
    assert "create_table" in revision.read_text(encoding="utf-8")
    assert (project.folder / "new.db").exists()


def test_project_in_a_folder_of_a_repository_is_updated(
    later_template: Path, environment: Mapping[str, str], tmp_path: Path
) -> None:
    github = GitHub.with_project(later_template, tmp_path, "my-service-update.yml")
    root = github.project.folder
    files = [path.name for path in root.iterdir() if path.name != ".git"]
    (root / "my-service").mkdir()
    git(root, "mv", *files, "my-service")
    (block,) = COMMANDS["In a folder of a larger repository"]
    run(block, root / "my-service", environment)
    (defaults,) = re.findall(r"(?ms)^```yaml\n(defaults:.*?)^```$", text_of(GUIDE))
    for workflow in (root / ".github/workflows").iterdir():
        substitute(workflow, r"(?m)^(?=concurrency:)", defaults + "\n")
    substitute(root / ".github/workflows/my-service.yml", r"hashFiles\('uv.lock'\)", "hashFiles('my-service/uv.lock')")
    substitute(root / ".github/workflows/my-service.yml", r"(zizmor\S* --offline) \.github", r"\1 ../.github")
    assert git(root, "ls-files", "my-service/.github") == ""
    github.project.commit("In a folder")

    github.run()
    (branch,) = github.branches
    assert f"_commit: v{LATER}" in github.branch(branch, "my-service/.copier-answers.yml")
    assert github.part("Files that changed") == [".github/workflows/ci.yml"]


def test_deleted_answers_file_is_recreated(project: Project, environment: Mapping[str, str]) -> None:
    git(project.folder, "rm", "--quiet", ".copier-answers.yml")
    project.commit("Tidy up")
    (project.folder / "more.txt").write_text("more\n", encoding="utf-8")
    project.commit("More")
    with pytest.raises(Failed, match="TypeError: Template not found"):
        run(COMMANDS["Update"][0], project.folder, environment)
    assert "`TypeError: Template not found`" in text_of(GUIDE)
    (block,) = COMMANDS["A deleted answers file"]
    run(block, project.folder, environment)
    run(COMMANDS["Update"][0], project.folder, environment)
    assert f"_commit: v{LATER}" in (project.folder / ".copier-answers.yml").read_text(encoding="utf-8")
