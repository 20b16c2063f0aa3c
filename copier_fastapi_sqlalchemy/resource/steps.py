"""What comes after the files are written: the commands that migrate the database and run the tests, in turn."""

import ast
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from copier_fastapi_sqlalchemy.resource.errors import Refusal
from copier_fastapi_sqlalchemy.resource.formatting import tidy
from copier_fastapi_sqlalchemy.resource.interrupts import Held, interrupts_held
from copier_fastapi_sqlalchemy.resource.others import ENV
from copier_fastapi_sqlalchemy.resource.revision import Review
from copier_fastapi_sqlalchemy.resource.shell import IS_WINDOWS, typed

PYTHON = "python" if IS_WINDOWS else "python3"
ENVIRONMENT = Path(".venv") / ("Scripts/python.exe" if IS_WINDOWS else "bin/python")
REVISIONS = "migrations/versions"
INSTALLS = "  It installs the project into .venv first, which can take a minute."
UNKNOWN = "Can't locate revision identified by"
GONE = ", which the database has run: bring its file back, and undo it before you delete that"
NOTHING = "no revision: the database stays as it is"
EXCEPTION = re.compile(r"^[\w.]+(?:Error|Exception): .*", re.MULTILINE)
INTERRUPTED = 130
NO_REVIEW = Review("", "sqlite")
PATIENCE = 10


@dataclass(frozen=True)
class Step:
    """A command to run in a project: a Python module with arguments."""

    module: str
    arguments: tuple[str, ...]
    review: Review | None = None  # of the revision that it writes
    makes: str = ""  # what that can't leave out

    def shown(self, folder: Path) -> str:
        """Give the command as a user types it."""
        return typed([PYTHON, *self._words(folder)])

    def command(self, folder: Path) -> list[str]:
        """Give the command as it is run here."""
        python = folder / ENVIRONMENT
        return [str(python) if python.exists() else sys.executable, *self._words(folder)]

    def _words(self, folder: Path) -> list[str]:
        """Give the arguments of Python. `dev.py` installs what is missing, and starts a database where none is set."""
        if not (folder / "dev.py").exists():
            return ["-m", self.module, *self.arguments]
        return ["dev.py", *(["test"] if self.module == "pytest" else ["run", self.module]), *self.arguments]


class StepFailed(Exception):
    """A step failed, and the files stay as they were written. The message is one line: which step, and why."""

    first = "Go"  # what an owner does before anything else
    undo = ""

    def __init__(self, message: str, output: str, remaining: Sequence[str], exit_code: int = 1) -> None:
        """Take the message, what the step's command printed, and what is left to do."""
        super().__init__(message)
        self.output, self.remaining, self.exit_code = output, tuple(remaining), exit_code


def migrate() -> Step:
    """Bring the database of the project to the newest revision."""
    return Step("alembic", ("upgrade", "head"))


def write_revision(message: str, review: Review | None = None, makes: str = "") -> Step:
    """Let Alembic compare the tables with the database, and write the revision that changes it."""
    return Step("alembic", ("revision", "--autogenerate", "-m", message), review, makes)


def undo_revision() -> Step:
    """Take the newest revision back."""
    return Step("alembic", ("downgrade", "-1"))


def run_tests(path: str) -> Step:
    """Run the tests of a folder."""
    return Step("pytest", (path,))


def serve_command(folder: Path) -> str:
    """Give the command that serves the project, as a user types it."""
    has_dev = (folder / "dev.py").exists()
    return typed([PYTHON, *(["dev.py", "serve"] if has_dev else ["-m", "uvicorn", "--factory", "app.main:create_app"])])


def still_to_do(steps: Sequence[Step], folder: Path) -> Iterator[str]:
    """Say how to run steps that are left, and what comes before a revision runs."""
    for step in steps:
        yield f"Run it: {step.shown(folder)}"
        if "revision" in step.arguments:
            yield from (step.review or NO_REVIEW).by_hand()


def run_steps(folder: Path, steps: Sequence[Step], report: Callable[[str], None]) -> list[str]:
    """Run the commands in turn, report what comes of each, and give the paths of the revisions that were written.

    Raises:
        StepFailed: one ended with another status than 0, or Ctrl-C was pressed. It has what is left to do.

    """
    written: list[str] = []
    with interrupts_held() as held:
        for number, step in enumerate(steps):
            before = _revisions(folder)
            try:
                written += _run_step(folder, steps[number:], report, held)
            except StepFailed as failed:
                if written and step == migrate():
                    failed.first = "Correct the rows or the revision, and go"
                elif written and "revision" not in steps[number - 1].arguments:
                    failed.undo = f"{undo_revision().shown(folder)} && "
                raise
            except KeyboardInterrupt:
                for path in _revisions(folder) - before:
                    path.unlink()  # the command to go on with writes it again
                problem = f"`{step.shown(folder)}` was interrupted."
                left = still_to_do(steps[number:], folder)
                raise StepFailed(problem, "", [*left], INTERRUPTED) from None
    return written


def _run_step(folder: Path, steps: Sequence[Step], report: Callable[[str], None], held: Held) -> list[str]:
    """Run the first of the steps, report what comes of it, and give the revisions that it wrote."""
    step, *rest = steps
    command = step.shown(folder)
    report(f"\n$ {command}")
    if not (folder / ENVIRONMENT).exists() and (folder / "dev.py").exists():
        report(INSTALLS)
    before, started = _revisions(folder), time.monotonic()
    status, output = _run(folder, step, held)
    new = [path.relative_to(folder).as_posix() for path in sorted(_revisions(folder) - before)]
    if problem := _problem(step, status, output, new):
        raise StepFailed(f"`{command}` {problem}", output, [*still_to_do(steps, folder)])
    losses = {path: _reviewed(folder, path, step) for path in new}
    new = [path for path in new if (folder / path).exists()]
    if losses and not new and step.makes:
        problem = f"`{command}` made nothing of {step.makes}: {ENV} leaves it out, or the database has it already."
        raise StepFailed(problem, "", [*still_to_do(steps, folder)])
    result = (
        NOTHING if losses and not new else ", ".join(new) or (_last_line(output) if step.module == "pytest" else "done")
    )
    report(f"  {result} ({time.monotonic() - started:.1f} s)")
    for path in new:
        text = (folder / path).read_text(encoding="utf-8")
        report(f"\n{text.rstrip()}")
        if rest and losses[path]:
            what = "was asked for" if step.review else "add"
            problem = f"{path} does more than {what}: {', '.join(losses[path])}. Read it, and correct it."
            raise StepFailed(problem, "", [*still_to_do(rest, folder)])
    return new


def _reviewed(folder: Path, path: str, step: Step) -> list[str]:
    """Give the operations of a revision that can lose data, and edit it; delete one that does nothing."""
    text = (folder / path).read_text(encoding="utf-8")
    review = step.review or NO_REVIEW
    edited = review.edit(text)
    if review.is_empty(text if step.makes else edited) and (step.makes or step.review):
        (folder / path).unlink()
    elif edited != text:
        with suppress(Refusal):  # it is right as it is, too
            edited = tidy(folder, path, edited)
        (folder / path).write_text(edited, encoding="utf-8")
    return review.losses(text) if step.review else losses_of(text)


def losses_of(revision: str) -> list[str]:
    """Give the operations of a revision's upgrade that can lose data, of tables that the database has otherwise."""
    upgrade = [
        node for node in ast.parse(revision).body if isinstance(node, ast.FunctionDef) and node.name == "upgrade"
    ]
    return [
        f"{node.func.attr}({', '.join(map(ast.unparse, node.args[:2]))})"
        for function in upgrade
        for node in ast.walk(function)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr.startswith(("drop_", "alter_"))
    ]


def _problem(step: Step, status: int, output: str, revisions: Sequence[str]) -> str:
    """Say why a step failed, or "" where it didn't."""
    if status:
        reason = None if step.module == "pytest" else _exception(output)
        why = reason or _last_line(output)
        return f"ended with {status}: {why}{GONE if UNKNOWN in output else ''}"
    if "revision" in step.arguments and not revisions:
        return f"wrote no revision to {REVISIONS}/."
    return ""


def _run(folder: Path, step: Step, held: Held) -> tuple[int, str]:
    """Run a command, with a sign of life on a terminal, and give its status and what it printed."""
    command = step.command(folder)
    held.raise_if_pressed()
    try:
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        return 1, str(error)
    with process, Console(stderr=True).status("running"):
        try:
            with held.released():
                output, _ = process.communicate()
        except KeyboardInterrupt:
            _wait_for_end(process, held)
            raise
    return process.returncode, output


def _wait_for_end(process: subprocess.Popen[str], held: Held) -> None:
    """Wait for a command that Ctrl-C has reached too: it may have a database to stop, and say so.

    It is ended after a while, when Ctrl-C is pressed again, or at once where that came just before the command.
    """
    try:
        with held.released():
            process.communicate(timeout=PATIENCE)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        process.terminate()
        process.wait()


def _revisions(folder: Path) -> set[Path]:
    return set((folder / REVISIONS).glob("*.py"))


def _exception(output: str) -> str | None:
    """Give the last line that is an exception's; below it can be the statement that failed."""
    lines = EXCEPTION.findall(output)
    return lines[-1].rstrip() if lines else None


def _last_line(output: str) -> str:
    """Give the line that says how a command ended; below SQLAlchemy's errors is a link, which doesn't."""
    lines = [line.strip(" =") for line in output.splitlines()]
    return next(
        (line for line in reversed(lines) if line and not line.startswith("(Background on")), "it said nothing."
    )
