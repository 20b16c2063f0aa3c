"""The commands in a project run in turn; one that fails says which, why and how to go on."""

import signal
import sys
from pathlib import Path

import pytest

from copier_fastapi_sqlalchemy.resource.steps import (
    ENVIRONMENT,
    StepFailed,
    migrate,
    run_steps,
    run_tests,
    serve_command,
    still_to_do,
    write_revision,
)
from tests.resource.conftest import DEV

STEPS = [migrate(), write_revision("Add order items"), migrate(), run_tests("tests/order_items")]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with what stands for dev.py."""
    (tmp_path / "migrations/versions").mkdir(parents=True)
    (tmp_path / "migrations/versions/0_blog.py").touch()
    (tmp_path / "dev.py").write_text(DEV, encoding="utf-8")
    return tmp_path


def commands(project: Path) -> list[str]:
    """Give the commands that ran."""
    path = project / "commands.txt"
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def test_commands_run_in_turn_and_are_shown(project: Path) -> None:
    lines: list[str] = []
    assert run_steps(project, STEPS, lines.append) == ["migrations/versions/1_new.py"]
    assert commands(project) == [
        "run alembic upgrade head",
        "run alembic revision --autogenerate -m Add order items",
        "run alembic upgrade head",
        "test tests/order_items",
    ]
    shown = "\n".join(lines)
    assert "\n$ python3 dev.py run alembic revision --autogenerate -m 'Add order items'\n" in shown
    assert "\n  migrations/versions/1_new.py (" in shown
    assert "\n\n# run alembic revision" in shown
    assert "\n  3 passed in 0.10s (" in shown
    assert "installs the project into .venv first" in shown


def test_installed_environment_runs_the_commands(project: Path) -> None:
    python = project / ENVIRONMENT
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    lines: list[str] = []
    run_steps(project, STEPS[:1], lines.append)
    assert migrate().command(project)[0] == str(python)
    assert "installs" not in "".join(lines)


def test_project_without_dev_py_runs_modules(project: Path) -> None:
    (project / "dev.py").unlink()
    assert migrate().command(project) == [sys.executable, "-m", "alembic", "upgrade", "head"]
    assert run_tests("tests/books").shown(project) == "python3 -m pytest tests/books"
    assert serve_command(project) == "python3 -m uvicorn --factory app.main:create_app"


@pytest.mark.parametrize(
    ("failing", "problem", "count"),
    [
        ("upgrade", "ended with 1: sqlalchemy.exc.OperationalError: no such table: users", 1),
        ("autogenerate", "ended with 1: sqlalchemy.exc.OperationalError: no such table: users", 2),
        ("no revision", "wrote no revision to migrations/versions/.", 2),
        ("tests/order_items", "ended with 1: sqlalchemy.exc.OperationalError: no such table: users", 4),
    ],
)
def test_failure_says_why_and_how_to_go_on(project: Path, failing: str, problem: str, count: int) -> None:
    (project / "failing.txt").write_text(failing, encoding="utf-8")
    with pytest.raises(StepFailed) as raised:
        run_steps(project, STEPS, lambda _: None)
    failed = STEPS[count - 1].shown(project)
    assert str(raised.value) == f"`{failed}` {problem}"
    assert raised.value.remaining == tuple(still_to_do(STEPS[count - 1 :], project))
    assert "INFO  [alembic] Working …" in raised.value.output
    assert raised.value.exit_code == 1
    assert len(commands(project)) == count


def test_failure_of_a_statement_says_why_and_not_which(project: Path) -> None:
    (project / "failing.txt").write_text("statement", encoding="utf-8")
    with pytest.raises(StepFailed, match=r"IntegrityError\) UNIQUE constraint failed: books\.code$") as raised:
        run_steps(project, STEPS, lambda _: None)
    assert "[SQL: CREATE UNIQUE INDEX" in raised.value.output


def test_revision_that_drops_something_is_not_run(project: Path) -> None:
    (project / "failing.txt").write_text("drop", encoding="utf-8")
    lines: list[str] = []
    with pytest.raises(StepFailed) as raised:
        run_steps(project, STEPS, lines.append)
    assert str(raised.value) == (
        "migrations/versions/1_new.py does more than add: drop_table('notes', 'x'). Read it, and correct it."
    )
    assert raised.value.remaining == tuple(still_to_do(STEPS[2:], project))
    assert len(commands(project)) == 2
    assert "op.drop_table('notes', 'x')" in lines[-1]
    assert run_steps(project, STEPS[:2], lines.append) == ["migrations/versions/2_new.py"]


def test_python_that_cannot_start_is_a_failure(project: Path) -> None:
    (project / ENVIRONMENT).parent.mkdir(parents=True)
    (project / ENVIRONMENT).write_text("", encoding="utf-8")
    with pytest.raises(StepFailed, match=r"^`python3 dev\.py run alembic upgrade head` ended with 1: .*denied"):
        run_steps(project, STEPS, lambda _: None)


@pytest.mark.parametrize(
    ("failing", "first", "undo"),
    [
        ("autogenerate", "Go", ""),
        ("second upgrade", "Correct the rows or the revision, and go", ""),
        ("test ", "Go", "python3 dev.py run alembic downgrade -1 && "),
    ],
)
def test_failure_says_what_comes_first_and_what_to_undo(project: Path, failing: str, first: str, undo: str) -> None:
    (project / "failing.txt").write_text(failing, encoding="utf-8")
    with pytest.raises(StepFailed) as raised:
        run_steps(project, STEPS, lambda _: None)
    assert (raised.value.first, raised.value.undo) == (first, undo)


def test_revision_that_does_nothing_of_what_is_new_is_a_failure(project: Path) -> None:
    (project / "failing.txt").write_text("empty", encoding="utf-8")
    new = [migrate(), write_revision("Add order items", makes="order_items"), migrate()]
    with pytest.raises(StepFailed, match=r"made nothing of order_items: migrations/env\.py leaves") as raised:
        run_steps(project, new, lambda _: None)
    assert raised.value.remaining == tuple(still_to_do(new[1:], project))
    assert [*project.glob("migrations/versions/*_new.py")] == []


def test_revision_whose_file_is_gone_is_explained(project: Path) -> None:
    (project / "failing.txt").write_text("gone", encoding="utf-8")
    with pytest.raises(StepFailed, match="revision identified by 'abc', which the database has run: bring its file"):
        run_steps(project, STEPS, lambda _: None)


@pytest.mark.usefixtures("heard")
def test_interruption_says_how_to_go_on(project: Path) -> None:
    (project / "failing.txt").write_text("interrupt", encoding="utf-8")
    with pytest.raises(StepFailed, match="was interrupted") as raised:
        run_steps(project, STEPS, lambda _: None)
    assert raised.value.exit_code == 130
    assert len(raised.value.remaining) == 5
    assert commands(project) == ["run alembic upgrade head"]


@pytest.mark.usefixtures("heard")
def test_no_command_is_started_after_ctrl_c(project: Path) -> None:
    with pytest.raises(StepFailed, match="alembic upgrade head` was interrupted") as raised:
        run_steps(project, STEPS, lambda _: signal.raise_signal(signal.SIGINT))
    assert len(raised.value.remaining) == 5
    assert commands(project) == []
