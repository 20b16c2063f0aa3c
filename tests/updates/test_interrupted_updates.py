"""An update that is interrupted or killed at any moment is taken back as docs/updating.md says, and done again."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping

import pytest

from tests.harness.pages import text_of
from tests.harness.rendering import files_of
from tests.updates.project import Project
from tests.updates.releases import IDENTITY, git
from tests.updates.test_update_guide import COMMANDS
from tests.updates.test_update_traps import append, change_the_same_line

MOMENTS = 12
IGNORED = {".env": "MINE=1\n", "app.db": "rows", ".venv/mine": "mine", "notes.txt": "mine, and ignored by me alone\n"}
# Runs Copier, and sends its process group a signal before it does something of this number: runs a program, or writes
# to a file of the project or makes a folder in it. At the end it says how many there were.
RUN = """
import os, signal, sys
from copier._cli import CopierApp

name, left, folder = sys.argv[1], int(sys.argv[2]), os.getcwd()
number = 0
def is_work(event, arguments):
    if event == "subprocess.Popen":
        return "core.fileMode" not in arguments[1]
    if event == "open":
        writes = arguments[2] & (os.O_WRONLY | os.O_RDWR)
        return writes and isinstance(arguments[0], str) and os.path.abspath(arguments[0]).startswith(folder)
    return arguments[1] in {-1, None} and os.fspath(arguments[0]).startswith(folder)
def hook(event, arguments):
    global number
    if event in {"open", "os.remove", "os.rmdir", "subprocess.Popen"} and is_work(event, arguments):
        number += 1
        if number == left:
            os.killpg(0, signal.Signals[name])
sys.addaudithook(hook)
sys.argv = ["copier", "update", "--defaults"]
try:
    CopierApp.run()
finally:
    print("did", number, file=sys.stderr)
"""


def update(project: Project, name: str, number: int) -> subprocess.CompletedProcess[str]:
    """Update a project, and send the signal of this name at the moment of this number."""
    command = [sys.executable, "-c", RUN, name, str(number)]
    environment = {**os.environ, **IDENTITY}
    return subprocess.run(
        command,
        cwd=project.folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )


def state(project: Project) -> Mapping[str, object]:
    """Give what an update must not lose: files, tracked or not, commits, branches and the index."""
    files = {name: text for name, text in files_of(project.folder).items() if not name.startswith(".git/")}
    known = ("rev-parse HEAD", "for-each-ref", "ls-files --stage", "status --porcelain", "stash list")
    return {**files, **{command: git(project.folder, *command.split()) for command in known}}


@pytest.mark.slow
@pytest.mark.usefixtures("heard")
@pytest.mark.parametrize("name", ["SIGINT", "SIGKILL"])
def test_interrupted_update_is_taken_back_and_done_again(project: Project, name: str) -> None:
    edited = change_the_same_line(project)
    append(project.folder / "app/web/paging.py", "\nMINE = 1\n")
    project.commit("Mine")
    append(project.folder / ".git/info/exclude", "notes.txt\n")
    for path, text in IGNORED.items():
        (project.folder / path).parent.mkdir(exist_ok=True)
        (project.folder / path).write_text(text, encoding="utf-8")
    before, undo = state(project), COMMANDS["Update"][1]

    whole = update(project, name, 0)
    assert whole.returncode == 0, whole.stderr
    done = state(project)
    assert project.conflicts() == {edited}
    events = int(re.findall(r"(?m)^did (\d+)$", whole.stderr)[0])
    subprocess.run(["sh", "-ec", undo], cwd=project.folder, check=True, capture_output=True)
    assert state(project) == before

    halves = 0
    for moment in range(MOMENTS):
        number = 1 + events * moment // MOMENTS
        ended = update(project, name, number)
        if name == "SIGINT":
            assert ended.returncode == 1, ended.stderr
            assert "Execution stopped by user" in ended.stderr
            assert "Traceback" not in ended.stderr
        else:
            assert ended.returncode == -signal.SIGKILL, ended.stderr
        halves += state(project) != before
        subprocess.run(["sh", "-ec", undo], cwd=project.folder, check=True, capture_output=True)
        assert state(project) == before, number
    assert halves > MOMENTS / 3

    assert update(project, name, 0).returncode == 0
    assert state(project) == done


def test_lock_of_a_killed_git_can_be_removed(project: Project) -> None:
    lock = project.folder / ".git/index.lock"
    lock.touch()
    refused = subprocess.run(
        ["git", "reset", "--hard"], cwd=project.folder, capture_output=True, text=True, check=False
    )
    assert refused.returncode
    guide = text_of("docs/updating.md")
    assert "*index.lock: File exists*" in guide
    assert re.search("index.lock': File exists", refused.stderr)
    assert "`rm .git/index.lock`" in guide
    lock.unlink()
    assert git(project.folder, "reset", "--hard")
