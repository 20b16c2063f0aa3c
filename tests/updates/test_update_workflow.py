"""The workflow that asks for a newer version: it pushes a branch with the update, and opens one pull request."""

import os
import re
import shlex
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.harness.commands import Failed, run, tool
from tests.harness.edits import substitute
from tests.harness.fast_copier import COMMAND
from tests.harness.workflow import Workflow
from tests.updates.later_release import REMOVED
from tests.updates.project import VARIANT, Project
from tests.updates.releases import IDENTITY, LATER, git, this_version
from tests.updates.test_update_traps import change_the_same_line

BRANCH = f"update-v{LATER}"
PYTHON = {"UV_PYTHON": sys.executable}  # no other is installed for a test
UVX = f'#!/bin/sh\n[ "$1" = "$COPIER" ] || exit 9\nshift\nexec {shlex.join(COMMAND)} "$@"\n'
# GitHub's own program has no one to talk to here: it leaves what it was told.
GH = """#!/bin/sh
[ "$1" = auth ] && exit
echo "$@" >> "$RUNNER_TEMP/gh"
cp "$8" "$RUNNER_TEMP/text"
"""

pytestmark = pytest.mark.xdist_group("update workflow")


@dataclass
class GitHub:
    """A repository with a project in it, and the machines that the jobs of its update workflow run on."""

    home: Path
    workflow: str

    @classmethod
    def with_project(cls, template: Path, home: Path, workflow: str = "update.yml") -> "GitHub":
        """Make a repository with a project of the working tree."""
        hosted = cls(home, workflow)
        Project.copy(template, VARIANT, hosted.project.folder, this_version())
        programs = home / "programs"
        programs.mkdir()
        for name, text in {"uvx": UVX, "gh": GH}.items():
            (programs / name).write_text(text, encoding="utf-8")
            (programs / name).chmod(0o755)
        (programs / "uv").symlink_to(tool("uv"))
        git(home, "init", "--quiet", "--bare", "origin")
        git(hosted.project.folder, "remote", "add", "origin", str(home / "origin"))
        return hosted

    @property
    def project(self) -> Project:
        """Give the owner's own clone."""
        return Project(self.home / "project", VARIANT)

    @property
    def branches(self) -> list[str]:
        """Give the branches that there are beside the main one."""
        return git(self.home / "origin", "for-each-ref", "--format=%(refname:short)").split()[1:]

    @property
    def requests(self) -> list[str]:
        """Give how each pull request was asked for."""
        asked = self.home / "gh"
        return asked.read_text(encoding="utf-8").splitlines() if asked.exists() else []

    @property
    def text(self) -> str:
        """Give the text of the last pull request."""
        return (self.home / "text").read_text(encoding="utf-8")

    def part(self, title: str) -> list[str]:
        """Give the files that the text lists below a line that begins with `title`."""
        found = re.search(rf"(?ms)^{re.escape(title)}[^\n]*\n\n```\n(.*?)\n```", self.text)
        return found[1].splitlines() if found else []

    def branch(self, name: str, path: str) -> str:
        """Give what a file of a branch holds."""
        return git(self.home / "origin", "show", f"{name}:{path}")

    def run(self) -> None:
        """Push the main branch and run the workflow, each job in a clone of its own."""
        git(self.project.folder, "push", "--quiet", "origin", "main")
        values = {"secrets.UPDATE_TOKEN || github.token": "token"}
        outputs = self._run_job("update", values)
        if version := outputs.get("version"):
            assert {path.name for path in (self.home / "update").iterdir()} == {"changes.patch", "text.md"}
            self._run_job("pull-request", values | {"needs.update.outputs.version": version})

    def _run_job(self, job: str, values: Mapping[str, str]) -> dict[str, str]:
        for name in ("old", "new", job, *(["update"] if job == "update" else [])):
            shutil.rmtree(self.home / name, ignore_errors=True)
        clone = self.home / f"clone of {job}"
        shutil.rmtree(clone, ignore_errors=True)
        git(self.home, "clone", "--quiet", "origin", clone.name)
        output = self.home / "output"
        output.write_text("", encoding="utf-8")
        workflow = Workflow(clone, self.workflow, values)
        folder = clone / workflow.document.get("defaults", {}).get("run", {}).get("working-directory", ".")
        (step,) = workflow.steps(job)
        path = f"{self.home / 'programs'}{os.pathsep}{os.environ['PATH']}"
        given = {**PYTHON, "PATH": path, "RUNNER_TEMP": str(self.home), "GITHUB_OUTPUT": str(output)}
        run(step.command, folder, {**os.environ, **IDENTITY, **given, **workflow.environment(job)})
        return dict(line.split("=", 1) for line in output.read_text(encoding="utf-8").splitlines())


def test_pull_request_is_opened_once(later_template: Path, tmp_path: Path) -> None:
    github = GitHub.with_project(later_template, tmp_path)
    (github.project.folder / "app/__init__.py").write_text("MINE = 1\n", encoding="utf-8")
    github.project.commit("Mine")
    for _ in range(2):
        github.run()
        assert github.branches == [BRANCH]
    (call,) = github.requests
    assert call.startswith(f"pr create --head {BRANCH} --title Update to v{LATER} --body-file ")
    assert github.part("Conflicts") == []
    assert github.part("Files that were removed") == [REMOVED]
    assert github.part("Files that changed") == []
    assert "uv.lock" not in github.text
    assert github.branch(BRANCH, "app/__init__.py") == "MINE = 1\n"
    assert f"_commit: v{LATER}" in github.branch(BRANCH, ".copier-answers.yml")


def test_conflicts_are_listed_and_refused_by_ci(later_template: Path, tmp_path: Path) -> None:
    github = GitHub.with_project(later_template, tmp_path)
    edited = change_the_same_line(github.project)
    github.run()
    assert github.part("Conflicts") == [edited]
    project = github.project.folder
    git(project, "fetch", "--quiet", "origin")
    git(project, "switch", "--quiet", BRANCH)
    markers = next(Workflow(project).steps("lint"))
    with pytest.raises(Failed, match=rf"{edited}:\d+:<<<<<<<"):
        run(markers.command, project, os.environ)


def test_changed_files_that_were_moved_or_deleted_are_listed(later_template: Path, tmp_path: Path) -> None:
    github = GitHub.with_project(later_template, tmp_path)
    git(github.project.folder, "mv", "app/web/middleware.py", "app/bounds.py")
    git(github.project.folder, "rm", "--quiet", "app/seed.py", "app/users/role.py")
    github.project.commit("Mine")
    github.run()
    assert github.part("Files that changed") == ["app/seed.py", "app/web/middleware.py"]
    assert github.part("Conflicts") == []


def test_lock_file_is_updated_or_reported(later_template: Path, tmp_path: Path) -> None:
    github = GitHub.with_project(later_template, tmp_path)
    run([tool("uv"), "lock"], github.project.folder, {**os.environ, **PYTHON})
    github.project.commit("Lock")
    github.run()
    assert 'name = "idna"' in github.branch(BRANCH, "uv.lock").partition("[package.metadata]")[2]
    assert "uv.lock" not in github.text

    git(tmp_path / "origin", "branch", "-D", BRANCH)
    substitute(github.project.folder / "pyproject.toml", r'    "alembic>=[\d.]+",', '    "alembic>=1.18",')
    run([tool("uv"), "lock"], github.project.folder, {**os.environ, **PYTHON})
    github.project.commit("Mine")
    github.run()
    assert github.part("Conflicts") == ["pyproject.toml"]
    assert "`uv.lock` is as it was: run `uv lock`" in github.text


def test_current_project_gets_no_pull_request(template: Path, tmp_path: Path) -> None:
    github = GitHub.with_project(template, tmp_path)
    github.run()
    assert (github.branches, github.requests) == ([], [])


def test_workflow_fails_without_answers_file(template: Path, tmp_path: Path) -> None:
    github = GitHub.with_project(template, tmp_path)
    (github.project.folder / ".copier-answers.yml").unlink()
    github.project.commit("No answers")
    with pytest.raises(Failed, match="Cannot check"):
        github.run()
    assert github.branches == []
