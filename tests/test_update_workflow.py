"""The workflow that asks for a newer version: it pushes a branch with the update, and opens one pull request."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.containers import Failed, run
from tests.later_release import REMOVED
from tests.pipelines import Workflow
from tests.projects import Project
from tests.releases import IDENTITY, LATER, git, this_version
from tests.test_update_traps import change_the_same_line
from tests.variants import Variant

VARIANT = Variant("mysql", "async", "orm", ("timestamps",))
# GitHub's own program has no one to talk to here: it leaves what it was told.
PROGRAMS = {
    "uvx": f'#!/bin/sh\nshift\nexec "{Path(sys.executable).with_name("copier")}" "$@"\n',
    "gh": '#!/bin/sh\necho "$@" >> "$RUNNER_TEMP/gh"\ncp "$8" "$RUNNER_TEMP/text"\n',
}

pytestmark = pytest.mark.xdist_group("update workflow")


@pytest.fixture
def environment(tmp_path: Path) -> Mapping[str, str]:
    """The environment of a step."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name, text in PROGRAMS.items():
        (folder / name).write_text(text, encoding="utf-8")
        (folder / name).chmod(0o755)
    (tmp_path / "runner").mkdir()
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, **IDENTITY, "PATH": path, "RUNNER_TEMP": str(tmp_path / "runner")}


def pushed(template: Path, tmp_path: Path) -> Project:
    """Give a project made with the working tree, in a clone of a repository elsewhere."""
    project = Project.copy(template, VARIANT, tmp_path / "project", this_version())
    git(tmp_path, "init", "--quiet", "--bare", "origin")
    git(project.folder, "remote", "add", "origin", str(tmp_path / "origin"))
    return project


def update(project: Project, template: Path, environment: Mapping[str, str], tmp_path: Path) -> None:
    """Run the steps of the workflow that the template has now."""
    now = tmp_path / "now"
    if not now.exists():
        Project.copy(template, VARIANT, now)
    (step,) = Workflow(now, "update.yml").steps("update")
    run(step.command, project.folder, environment)


def branches(tmp_path: Path) -> list[str]:
    """Give the branches that were pushed."""
    return git(tmp_path / "origin", "for-each-ref", "--format=%(refname:short)").split()


def test_it_opens_a_pull_request_once(later_template: Path, environment: Mapping[str, str], tmp_path: Path) -> None:
    project = pushed(later_template, tmp_path)
    branch = f"update-v{LATER}"
    (project.folder / "app/__init__.py").write_text("MINE = 1\n", encoding="utf-8")
    project.commit("Mine")
    for _ in range(2):
        update(project, later_template, environment, tmp_path)
        assert branches(tmp_path) == [branch]
        git(project.folder, "reset", "--quiet", "--hard", "main", check=False)
        git(project.folder, "switch", "--quiet", "--force", "main")
        git(project.folder, "clean", "--quiet", "--force", "-d")
    (call,) = (tmp_path / "runner/gh").read_text(encoding="utf-8").splitlines()
    assert call.startswith(f"pr create --head {branch} --title Update to v{LATER} --body-file ")
    text = (tmp_path / "runner/text").read_text(encoding="utf-8")
    assert "Conflicts" not in text
    assert REMOVED in text.partition("Files that went")[2]
    assert "MINE = 1" in git(tmp_path / "origin", "show", f"{branch}:app/__init__.py")


def test_it_says_which_files_are_in_conflict_and_the_checks_refuse_them(
    later_template: Path, environment: Mapping[str, str], tmp_path: Path
) -> None:
    project = pushed(later_template, tmp_path)
    edited = change_the_same_line(project)
    update(project, later_template, environment, tmp_path)
    text = (tmp_path / "runner/text").read_text(encoding="utf-8")
    conflicts, _, gone = text.partition("Conflicts")[2].partition("Files that went")
    assert edited in conflicts
    assert REMOVED in gone
    markers = next(Workflow(project.folder).steps("lint"))
    with pytest.raises(Failed, match=rf"{edited}:\d+:<<<<<<<"):
        run(markers.command, project.folder, environment)


def test_it_leaves_what_is_current(template: Path, environment: Mapping[str, str], tmp_path: Path) -> None:
    project = pushed(template, tmp_path)
    update(project, template, environment, tmp_path)
    assert branches(tmp_path) == []
    assert git(project.folder, "status", "--short") == ""


def test_it_fails_where_it_cannot_ask(template: Path, environment: Mapping[str, str], tmp_path: Path) -> None:
    project = pushed(template, tmp_path)
    (project.folder / ".copier-answers.yml").unlink()
    with pytest.raises((Failed, subprocess.SubprocessError), match="Cannot check"):
        update(project, template, environment, tmp_path)
    assert branches(tmp_path) == []
