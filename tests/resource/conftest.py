"""The fixtures of these tests: rendered projects, each in a repository of git."""

import shutil
from collections.abc import Callable
from itertools import cycle, product
from pathlib import Path

import pytest

from copier_fastapi_sqlalchemy.resource.changes import plan_addition
from copier_fastapi_sqlalchemy.resource.fields import parse_fields
from copier_fastapi_sqlalchemy.resource.names import names_of
from copier_fastapi_sqlalchemy.resource.project import open_project
from copier_fastapi_sqlalchemy.resource.record import Resource
from tests.harness.rendering import render_variant
from tests.harness.variants import Variant, choices
from tests.updates.releases import git

Render = Callable[[Variant], Path]
Resources = tuple[tuple[str, tuple[str, ...]], ...]  # names with fields
Start = Callable[[Variant, Resources], Path]
# What stands for dev.py of a project: it notes its arguments, writes a revision, and fails where `failing.txt` says.
DEV = """
import os, select, signal, sys
from pathlib import Path

command = " ".join(sys.argv[1:])
with Path("commands.txt").open("a") as file:
    print(command, file=file)
failing = Path("failing.txt").read_text() if Path("failing.txt").exists() else "nothing"
if failing == "interrupt":
    os.kill(os.getppid(), signal.SIGINT)
    sys.exit()
if failing == "interrupt all":
    try:
        os.killpg(0, signal.SIGINT)
    except KeyboardInterrupt:
        output = select.poll()
        output.register(1, select.POLLERR)
        output.poll(1000)  # it takes a second to stop a database, or until nobody reads what this prints
        print("The database is stopped.", flush=True)
        Path("stopped.txt").touch()
    sys.exit()
print("INFO  [alembic] Working …")
if failing in command:
    print("sqlalchemy.exc.OperationalError: no such table: users")
    sys.exit("(Background on this error at: https://sqlalche.me/e/20/e3q8)")
if failing == "gone":
    sys.exit("FAILED: Can't locate revision identified by 'abc'")
if failing == "second upgrade" and "upgrade" in command and list(Path("migrations/versions").glob("*_new.py")):
    sys.exit("sqlalchemy.exc.IntegrityError: UNIQUE constraint failed: books.code")
if failing == "statement":
    print("sqlite3.IntegrityError: UNIQUE constraint failed: books.code")
    print("The above exception was the direct cause of the following exception:")
    print("sqlalchemy.exc.IntegrityError: (sqlite3.IntegrityError) UNIQUE constraint failed: books.code")
    print("[SQL: CREATE UNIQUE INDEX ix_books_code ON books (code)]")
    sys.exit("(Background on this error at: https://sqlalche.me/e/20/gkpj)")
if "revision" in command and failing != "no revision":
    number = len(list(Path("migrations/versions").glob("*.py")))
    operations = {"drop": "op.drop_table('notes', 'x')", "empty": "pass"}
    operation = operations.get(failing, "op.create_table('books')")
    upgrade = f"# {command}\\ndef upgrade():\\n    {operation}\\ndef downgrade():\\n    op.drop_table('books')\\n"
    Path(f"migrations/versions/{number}_new.py").write_text(upgrade)
if "test" in command:
    print("==== 3 passed in 0.10s ====")
"""


def kinds() -> list[Variant]:
    """Give a variant of each kind that app/main.py and app/tables.py have, on all databases in turn."""
    combined = product(choices("io"), choices("data_access"), [(), ("timestamps", "audit_log")], [True, False])
    return [Variant(database, *kind) for database, kind in zip(cycle(choices("database")), combined, strict=False)]


@pytest.fixture(scope="session")
def rendered(source: Path, scratch: Path) -> Render:
    """Render a variant once, for tests that only read it."""
    projects: dict[Variant, Path] = {}

    def of(variant: Variant) -> Path:
        if variant not in projects:
            projects[variant] = render_variant(source, variant, scratch / "resource" / variant.id)
        return projects[variant]

    return of


def copy_with_dev(rendered: Render, variant: Variant, folder: Path) -> Path:
    """Copy a rendered project, its tests left out, with a script for its `dev.py` that notes what is run."""
    ignored = shutil.ignore_patterns("tests", ".github")
    copied = Path(shutil.copytree(rendered(variant), folder, ignore=ignored))
    (copied / "dev.py").write_text(DEV, encoding="utf-8")
    (copied / "migrations/versions").mkdir(exist_ok=True)
    with (copied / ".gitignore").open("a", encoding="utf-8") as file:
        file.write("commands.txt\nfailing.txt\n")
    return copied


def add_all(project: Path, resources: Resources) -> None:
    """Add resources to a project."""
    for plural, fields in resources:
        plan_addition(open_project(project), Resource(names_of(plural), parse_fields(fields))).write()


def commit(project: Path) -> None:
    """Commit all."""
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "Go on")


@pytest.fixture(scope="session")
def added(rendered: Render, scratch: Path) -> Start:
    """Add resources to a rendered project in a repository, once, for tests that copy it."""
    projects: dict[tuple[Variant, Resources], Path] = {}

    def of(variant: Variant, resources: Resources) -> Path:
        if (variant, resources) not in projects:
            folder = scratch / "added" / str(len(projects))
            project = projects[variant, resources] = copy_with_dev(rendered, variant, folder)
            add_all(project, resources)
            git(project, "init", "--quiet")
            commit(project)
        return projects[variant, resources]

    return of


@pytest.fixture
def start(added: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Start:
    """Copy a project with resources."""
    for key in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{key}_NAME", "owner")
    return lambda variant, resources: Path(shutil.copytree(added(variant, resources), tmp_path / "project"))


@pytest.fixture
def copied(rendered: Render, tmp_path: Path) -> Render:
    """Copy a rendered project, its tests left out, for tests that change it."""
    ignore = shutil.ignore_patterns("tests", ".github")
    return lambda variant: Path(shutil.copytree(rendered(variant), tmp_path / "project", ignore=ignore))


@pytest.fixture
def committed(copied: Render) -> Render:
    """Copy a rendered project into a repository, with everything committed."""

    def of(variant: Variant) -> Path:
        project = copied(variant)
        git(project, "init", "--quiet")
        git(project, "add", "--all")
        git(project, "commit", "--quiet", "--message", "Start")
        return project

    return of
