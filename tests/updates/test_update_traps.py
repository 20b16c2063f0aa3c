"""What `copier update` does that surprises: each is prevented here, or docs/updating.md says what to do."""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.harness.commands import tool
from tests.harness.edits import substitute
from tests.harness.fast_copier import COMMAND
from tests.harness.pages import text_of
from tests.updates.project import VARIANT, Project
from tests.updates.releases import IDENTITY, LATER, git, release, this_version

GUIDE = "docs/updating.md"

pytestmark = pytest.mark.xdist_group("traps")


def copier(folder: Path, *arguments: str, program: Sequence[str] = tuple(COMMAND)) -> subprocess.CompletedProcess[str]:
    """Run Copier in `folder` as a user does, on a machine whose git knows no one."""
    environment = {**os.environ, **IDENTITY}
    command = [*program, *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )


@pytest.fixture
def changed(template: Path, tmp_path: Path) -> Path:
    """The template's repository, to be changed at will."""
    return shutil.copytree(template, tmp_path / "changed")


def append(file: Path, text: str) -> None:
    """Add a text to the end of a file."""
    file.write_text(file.read_text(encoding="utf-8") + text, encoding="utf-8")


def change_the_same_line(project: Project) -> str:
    """Change a line that the later release changes too, and give the file's name."""
    name = "app/main.py"
    substitute(project.folder / name, r"(?m)^MAX_BODY_SIZE = .*$", "MAX_BODY_SIZE = 5_000")
    project.commit("Mine")
    return name


def test_removed_file_is_named_and_kept_in_history(project: Project) -> None:
    edited = "app/db/timestamps.py"
    append(project.folder / edited, "\nMINE = 1\n")
    project.commit("Mine")
    done = copier(project.folder, "update", "--defaults", "--data", "mixins=[]", program=[tool("copier")])
    assert done.returncode == 0, done.stderr
    assert not (project.folder / edited).exists()
    assert f" D {edited}" in git(project.folder, "status", "--short")
    assert "git status --short" in done.stderr
    assert "`git show HEAD:FILE` has what was yours in it" in " ".join(done.stderr.split())
    assert "MINE = 1" in git(project.folder, "show", f"HEAD:{edited}")
    assert "git show HEAD:FILE" in text_of(GUIDE)


def test_conflict_is_named_and_cannot_be_committed(project: Project) -> None:
    edited = change_the_same_line(project)
    done = copier(project.folder, "update", "--defaults")
    assert done.returncode == 0, done.stderr
    assert f"UU {edited}" in git(project.folder, "status", "--short")
    assert "UU is a conflict" in done.stderr
    command = ["git", "commit", "-m", "x"]
    refused = subprocess.run(command, cwd=project.folder, capture_output=True, text=True, check=False)
    assert refused.returncode != 0
    assert "unmerged" in refused.stderr
    assert "`git commit --all` takes" in " ".join(text_of(GUIDE).split())
    assert "MAX_BODY_SIZE = 5_000" in (project.folder / edited).read_text(encoding="utf-8")
    assert "`UU`" in text_of(GUIDE)


def test_new_revisions_of_template_are_not_copied(changed: Path, tmp_path: Path) -> None:
    project = Project.copy(changed, VARIANT, tmp_path / "project", this_version())
    first = "migrations/versions/0001_blog.py"
    append(project.folder / first, "# mine\n")
    (project.folder / "migrations/versions/mine.py").write_text("MINE = 1\n", encoding="utf-8")
    project.commit("Mine")
    before = revisions(project)
    append(changed / "template/migrations/versions/0001_blog.py.jinja", "\n# theirs\n")
    (changed / "template/migrations/versions/0002_theirs.py").write_text("THEIRS = 1\n", encoding="utf-8")
    release(changed, LATER)
    assert project.update() == set()
    assert f"v{LATER}" in (project.folder / ".copier-answers.yml").read_text(encoding="utf-8")
    assert revisions(project) == before

    text = (changed / "copier.yml").read_text(encoding="utf-8")
    rule = re.search(r"""(?m)^  - "{{ 'migrations/versions' if _copier_operation == 'update' }}"\n""", text)
    assert rule, "the rule that this test is about"
    (changed / "copier.yml").write_text(text.replace(rule[0], ""), encoding="utf-8")
    release(changed, "99.1.0")
    project.commit("Update")
    project.update()
    assert set(revisions(project)) - set(before) == {"0002_theirs.py"}, "without the rule it does come in"


def revisions(project: Project) -> dict[str, str]:
    """Give the text of each revision."""
    paths = (project.folder / "migrations/versions").glob("*.py")
    return {path.name: path.read_text(encoding="utf-8") for path in paths}


def test_recopy_leaves_revisions(project: Project) -> None:
    append(project.folder / "migrations/versions/0001_blog.py", "# mine\n")
    project.commit("Mine")
    before = revisions(project)
    done = copier(project.folder, "recopy", "--defaults", "--overwrite")
    assert done.returncode == 0, done.stderr
    assert revisions(project) == before


def test_untracked_file_is_refused(project: Project) -> None:
    (project.folder / "new.txt").write_text("mine\n", encoding="utf-8")
    done = copier(project.folder, "update", "--defaults")
    assert done.returncode != 0
    assert "Destination repository is dirty" in done.stderr
    assert (project.folder / "new.txt").read_text(encoding="utf-8") == "mine\n"
    assert "Destination repository is dirty" in text_of(GUIDE)


def remedy(project: Project, key: str, value: str) -> None:
    """Do what the guide says where the file of answers names what isn't there."""
    assert f"`{key}`" in text_of(GUIDE)
    file = project.folder / ".copier-answers.yml"
    text, count = re.subn(rf"(?m)^{key}: .*$", f"{key}: {value}", file.read_text(encoding="utf-8"))
    assert count == 1
    file.write_text(text, encoding="utf-8")
    project.commit("Name the template where it is")


def test_commit_recorded_by_vcs_ref_head_can_be_corrected(changed: Path, tmp_path: Path) -> None:
    append(changed / "template/README.md.jinja", "\nNot committed.\n")
    folder = tmp_path / "project"
    done = copier(tmp_path, "copy", "--defaults", "--vcs-ref=HEAD", str(changed), str(folder))
    assert done.returncode == 0, done.stderr
    answers = (folder / ".copier-answers.yml").read_text(encoding="utf-8")
    (recorded,) = re.findall(r"_commit: v[\d.]+-\d+-g([0-9a-f]+)", answers)
    known = subprocess.run(["git", "cat-file", "-e", recorded], cwd=changed, capture_output=True, check=False)
    assert known.returncode != 0

    project = Project.start(folder, VARIANT)
    git(changed, "checkout", "--quiet", "--", ".")
    release_again(changed)
    assert copier(folder, "update", "--defaults").returncode != 0
    remedy(project, "_commit", f"v{this_version()}")
    done = copier(folder, "update", "--defaults")
    assert done.returncode == 0, done.stderr
    assert f"_commit: v{LATER}" in (folder / ".copier-answers.yml").read_text(encoding="utf-8")


def release_again(repository: Path) -> None:
    """Release the template with a line more."""
    append(repository / "template/dev.py.jinja", "# more\n")
    release(repository, LATER)


def test_relative_path_of_template_can_be_corrected(changed: Path, tmp_path: Path) -> None:
    done = copier(tmp_path, "copy", "--defaults", changed.name, "project")
    assert done.returncode == 0, done.stderr
    project = Project.start(tmp_path / "project", VARIANT)
    assert f"_src_path: {changed.name}\n" in (project.folder / ".copier-answers.yml").read_text(encoding="utf-8")
    assert copier(project.folder, "update", "--defaults").returncode != 0
    remedy(project, "_src_path", str(changed))
    release_again(changed)
    assert copier(project.folder, "update", "--defaults").returncode == 0


def test_message_tells_how_data_moves_to_another_database(project: Project) -> None:
    done = copier(project.folder, "update", "--defaults", "--data", "database=postgresql")
    assert done.returncode == 0, done.stderr
    for text in ('git rm "migrations/versions/*.py"', "Start on PostgreSQL", "move-data OLD_URL NEW_URL"):
        assert text in done.stderr
    assert "{{" not in done.stderr


@pytest.mark.parametrize("attributes", [True, False])
def test_line_endings_cause_no_conflict_with_gitattributes(project: Project, *, attributes: bool) -> None:
    if not attributes:
        git(project.folder, "rm", "--quiet", ".gitattributes")
    for path in project.folder.rglob("*"):
        if path.is_file() and ".git" not in path.parts:
            path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    git(project.folder, "commit", "--quiet", "--all", "--allow-empty", "--message", "From an editor on Windows")
    conflicts = project.update()
    assert conflicts == set() if attributes else len(conflicts) > 10
