"""Ctrl-C or a kill at any moment: all files are written or none, the message says which, and git takes back a half."""

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from copier_fastapi_sqlalchemy.resource import commands, interrupts, plan, steps
from copier_fastapi_sqlalchemy.resource.errors import Refusal
from copier_fastapi_sqlalchemy.resource.plan import Plan
from copier_fastapi_sqlalchemy.resource.project import open_project, require_clean, take_back
from tests.harness.commands import run as run_script
from tests.harness.rendering import files_of
from tests.harness.variants import ROOT
from tests.resource.conftest import Render, Start, commit
from tests.resource.test_commands import ORM, own_files, run
from tests.resource.test_plan import NEW, OLD, expected
from tests.resource.test_plan import project as project  # noqa: PLC0414 - a fixture
from tests.updates.releases import git

NOTHING = "Interrupted: nothing was written.\n"
GO_ON = "The files are written. Go on with:\n"
RUN = "  Run it: "
# What is run from the first written file on.
FUNCTIONS = {"write", "_write", "_replace", "interrupts_held", "_carry_out", "run_steps", "_run"}
ADD = ("add", "books", "title:str:200")
# What tells Python of what it does to files, before it does it.
EVENTS = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.chmod", "shutil.copyfile", "shutil.copymode"}
Place = tuple[str, int]


@contextmanager
def interrupted_at_new_line(met: set[Place], files: set[str]) -> Iterator[list[Place]]:
    """Press Ctrl-C before the first line of some files that isn't among those `met`, and give those until then."""
    lines: list[Place] = []
    is_pressed = threading.Event()

    def trace(frame: FrameType, event: str, _: object) -> Any:
        code = frame.f_code
        if code.co_filename not in files or code.co_name not in FUNCTIONS:
            return None
        place = (code.co_filename, frame.f_lineno)
        if event == "line" and not is_pressed.is_set():
            lines.append(place)
            if place not in met:
                is_pressed.set()
                signal.raise_signal(signal.SIGINT)
        return trace

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.settrace(trace)
    try:
        yield lines
    finally:
        sys.settrace(None)
        signal.signal(signal.SIGINT, before)


def test_plan_is_written_as_a_whole_whenever_it_is_interrupted(project: Path) -> None:
    met: set[Place] = set()
    states = set()
    while True:
        shutil.rmtree(project)
        for name, content in OLD.items():
            (project / name).parent.mkdir(parents=True, exist_ok=True)
            (project / name).write_bytes(content)
        is_interrupted = False
        with interrupted_at_new_line(met, {str(plan.__file__), str(interrupts.__file__)}) as lines:
            try:
                Plan("Add loans", project, NEW).write()
            except KeyboardInterrupt:
                is_interrupted = True
        assert files_of(project) in (OLD, expected()), lines[-1]
        assert {path.name for path in project.iterdir()} == {"app"}
        states.add((files_of(project) == OLD, is_interrupted))
        if met >= {*lines}:
            break
        met |= {*lines}
    assert (True, True) in states
    assert (False, True) in states


@pytest.mark.slow
def test_command_says_what_it_has_written_whenever_it_is_interrupted(start: Start) -> None:
    """And what it names to go on with leads to what the command would have led to."""
    whole = start(ORM, (("notes", ("text:text",)),))
    done, met, fresh = whole.with_name("done"), set[Place](), whole.with_name("fresh")
    shutil.copytree(whole, done)
    assert run(done, *ADD).exit_code == 0
    shutil.copytree(whole, fresh)
    files, messages = {str(module.__file__) for module in (commands, steps)}, set()
    while True:
        shutil.rmtree(whole)
        shutil.copytree(fresh, whole)
        with interrupted_at_new_line(met, files) as lines:
            result = run(whole, *ADD)
        if met >= {*lines}:
            break
        met |= {*lines}
        head, _, rest = result.stderr.partition("\n")
        messages.add(head)
        if result.stderr == NOTHING:
            assert kept(whole) == kept(fresh), lines[-1]
            continue
        if result.stderr:
            assert rest.startswith(GO_ON), (lines[-1], result.stderr)
            run_script("\n".join(line.removeprefix(RUN) for line in rest.splitlines() if line.startswith(RUN)), whole)
        assert result.exit_code == (130 if result.stderr else 0), (lines[-1], result.output)
        assert kept(whole) == kept(done), lines[-1]
    assert messages > {"", NOTHING.strip()}, "before the files are written, in between, and when all is done"


@pytest.mark.usefixtures("heard")
def test_interrupted_command_can_say_that_it_stops_its_database(start: Start) -> None:
    """Ctrl-C on a terminal reaches all processes of its group."""
    project = start(ORM, (("notes", ("text:text",)),))
    (project / "failing.txt").write_text("interrupt all", encoding="utf-8")
    ended = subprocess.run(
        [sys.executable, "-m", "copier_fastapi_sqlalchemy", "resource", *ADD, "--project", str(project)],
        cwd=ROOT,
        start_new_session=True,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 130
    assert ended.stderr.startswith(f"`python3 dev.py run alembic upgrade head` was interrupted.\n{GO_ON}")
    assert (project / "stopped.txt").exists()


def kept(project: Path) -> Mapping[str, bytes]:
    """Give the files of a project, but for the notes of the tests."""
    return {name: text for name, text in own_files(project).items() if "commands.txt" not in name}


def test_git_takes_back_what_a_killed_command_has_left(project: Path) -> None:
    git(project, "init", "--quiet")
    (project / ".gitignore").write_text("__pycache__\n.env\n", encoding="utf-8")
    (project / ".env").write_text("MINE=1\n", encoding="utf-8")
    commit(project)
    before, halves = own_files(project), 0
    for number in count(1):
        child = os.fork()
        if child == 0:
            die_at(number, project)
            Plan("Add loans", project, NEW).write()
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if status == 0:
            break
        assert os.WTERMSIG(status) == signal.SIGKILL
        halves += own_files(project) != before
        subprocess.run(["sh", "-c", take_back(project)], check=True, capture_output=True)
        assert without_cache(own_files(project)) == without_cache(before)
    assert halves > len(NEW)
    assert {**expected(), ".gitignore": b"__pycache__\n.env\n", ".env": b"MINE=1\n"} == own_files(project)


def without_cache(files: Mapping[str, bytes]) -> Mapping[str, bytes]:
    """Give files but for those that Python makes."""
    return {name: text for name, text in files.items() if "__pycache__" not in name}


def die_at(number: int, folder: Path) -> None:
    """Kill this process before it touches a file below `folder` for the time of this number."""
    left = number

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal left
        if event in EVENTS and str(arguments[0]).startswith(str(folder)):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


@pytest.mark.parametrize("place", [".", "app", "../other"])
def test_command_after_a_killed_one_says_how_to_take_it_back(
    place: str, rendered: Render, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And that takes back nothing of another folder of the repository, wherever it is typed."""
    project, other = tmp_path / "our services/shop", tmp_path / "our services/other"
    shutil.copytree(rendered(ORM), project)
    other.mkdir()
    (other / "notes.txt").write_text("old")
    git(tmp_path, "init", "--quiet")
    commit(tmp_path)
    before = files_of(project)
    (project / f"{plan.STAGE}abc").mkdir()
    (project / f"{plan.STAGE}abc" / "0.new").write_text("half")
    (project / "README.md").write_text("half")
    (project / "app/new.py").write_text("half")
    (other / "notes.txt").write_text("new")
    (other / "more.txt").write_text("new")
    git(tmp_path, "add", "our services/shop/app/new.py", "our services/other/notes.txt")
    monkeypatch.chdir(project / place)
    with pytest.raises(Refusal, match=r"^A command was killed here\. ") as raised:
        require_clean(open_project(project))
    command = str(raised.value).split("`")[1]
    assert (" -C " in command) == (place != ".")
    subprocess.run(["sh", "-c", command], check=True, capture_output=True)
    require_clean(open_project(project))
    assert files_of(project) == before
    assert {path.name: path.read_text() for path in other.iterdir()} == {"notes.txt": "new", "more.txt": "new"}
