"""Every base variant runs on what it declares and nothing else, and its own commands do what its README says."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx2
import pytest

from tests.harness.commands import clean_environment, machine, run, tool
from tests.harness.constraints import pin_releases, pins
from tests.harness.servers import NewDatabase, free_port
from tests.harness.variants import ROOT, Variant
from tests.updates.releases import git

PATIENCE = 120.0
# What a project installs doesn't depend on its mixins.
pytestmark = [pytest.mark.each_database, pytest.mark.base]


@contextmanager
def copy_of(project: Path) -> Iterator[Path]:
    """Copy a project, for what it installs and makes.

    Any account can reach it, as that of root's PostgreSQL has to: each run of pytest closes its `tmp_path` to others.
    """
    with TemporaryDirectory(prefix="installed-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        copy = Path(folder) / "project"
        subprocess.run(["cp", "-r", str(project), str(copy)], check=True)
        yield copy


@pytest.fixture
def copied(project: Path) -> Iterator[Path]:
    """A copy of the project."""
    with copy_of(project) as copy:
        yield copy


@dataclass(frozen=True)
class Installed:
    """A project that `dev.py` has installed and tested, and the environment of its commands."""

    folder: Path
    environment: dict[str, str]

    def run(self, *arguments: str) -> str:
        """Run Python in the project."""
        return run([sys.executable, *arguments], self.folder, self.environment)


@pytest.fixture(scope="module")
def installed(project: Path, new_database: NewDatabase, variant: Variant) -> Iterator[Installed]:
    """A copy of the project, installed by `dev.py test`, whose tests pass.

    MySQL's is told where a server is; SQLite and PostgreSQL need none.
    """
    with copy_of(project) as copy, new_database() as url, new_database() as test_url:
        given = {"TEST_DATABASE_URL": test_url, "DATABASE_URL": url} if variant.database == "mysql" else {}
        made = Installed(copy, clean_environment(**given))
        assert " passed" in made.run("dev.py", "test")
        yield made


def test_service_runs_with_declared_dependencies_only(copied: Path, database_url: str) -> None:
    environment = clean_environment(DATABASE_URL=database_url)
    run([tool("uv"), "venv", "--quiet", "--python", sys.executable, ".venv"], copied, environment)
    run([tool("uv"), "pip", "install", "--quiet", "--python", ".venv", "."], copied, environment)
    python = copied / ".venv" / "bin" / "python"
    url = f"http://127.0.0.1:{(port := free_port())}"
    run([str(python), "-W", "error", "-c", "import app.main"], copied, {**environment, "DB_POOL_SIZE": "not read yet"})
    run([str(python), "-m", "alembic", "upgrade", "head"], copied, environment)
    with subprocess.Popen(
        [python, "-m", "uvicorn", "--factory", "app.main:create_app", "--port", str(port)],
        cwd=copied,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    ) as service:
        try:
            assert service.stderr is not None
            started = any("Uvicorn running" in line for line in service.stderr)
            assert started, "the service ended before it started"
            assert wait_until_ready(service, url)
            users = httpx2.get(f"{url}/api/v1/users", timeout=30)
        finally:
            service.terminate()
    assert users.status_code == httpx2.codes.OK


def test_dev_test_and_dev_serve_work(installed: Installed) -> None:
    url = f"http://127.0.0.1:{(port := free_port())}"
    log = installed.folder / "serve.log"
    with log.open("wb") as output:
        serving = subprocess.Popen(
            [sys.executable, "dev.py", "serve", "--port", str(port)],
            cwd=installed.folder,
            env=installed.environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        assert wait_until_ready(serving, url), log.read_text(encoding="utf-8")
        assert httpx2.get(f"{url}/api/v1/posts", timeout=30).json()["items"]
    finally:
        os.killpg(serving.pid, signal.SIGINT)
        serving.wait(PATIENCE)
        log.unlink()


@pytest.mark.one_base
def test_resource_is_added_changed_and_removed(installed: Installed) -> None:
    """As a user types it: the project's own `dev.py` migrates its database, writes revisions and runs its tests."""
    project = installed.folder
    before = sources_of(project)
    git(project, "init", "--quiet")
    commit(project)

    def resource(*arguments: str) -> str:
        command = [sys.executable, "-m", "copier_fastapi_sqlalchemy", "resource", *arguments]
        output = run(command, project, {**installed.environment, "PYTHONPATH": str(ROOT)})
        commit(project)
        return output

    fields = ["title:str:200", "isbn:str:13:unique", "price:decimal:10,2", "printed_on:date?", "lasts:interval?"]
    added = resource("add", "books", *fields, "status:enum:draft,out=draft", "author:ref:users", "tags:many:tags")
    assert re.search(r"\n  \d+ passed in .*\n\nNext:\n  Read it: migrations/versions/\w+_add_books\.py\n", added)
    assert "op.create_table(" in added
    loans = resource("add", "loans", "book:ref:books:restrict", "day:date", "note:text?", "--unique", "book,day")
    assert re.search(r"\n  \d+ passed in ", loans)
    for command in (["check"], ["format", "--check"]):
        installed.run("dev.py", "run", "ruff", *command, "--no-cache")
    changed = resource("change", "books", "+pages:int", "title:str:300", "+day:date?:index", "--fill", "pages=7")
    assert re.search(r"\n  \d+ passed in ", changed)
    assert "migrations/versions/" in changed
    losing = resource("change", "loans", "-note")
    assert "  Run it: python3 dev.py run alembic upgrade head\n" in losing
    installed.run("dev.py", "run", "alembic", "upgrade", "head")
    assert " passed" in installed.run("dev.py", "test")
    for name in ("loans", "books"):
        removed = resource("remove", name)
        assert "  Run it: python3 dev.py run alembic upgrade head\n" in removed
    installed.run("dev.py", "run", "alembic", "upgrade", "head")
    installed.run("dev.py", "run", "alembic", "check")
    assert sources_of(project) == before
    revisions = git(project, "diff", "--name-status", "HEAD~6").split()
    assert {*revisions[::2]} == {"A"}
    assert len(revisions) == 2 * 6


def commit(project: Path) -> None:
    """Commit all."""
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "Go on")


def sources_of(project: Path) -> dict[str, bytes]:
    """Give what is in the packages of a project, and beside them, but for its revisions."""
    return {
        path.relative_to(project).as_posix(): path.read_bytes()
        for folder in (project, project / "app", project / "tests")
        for path in (folder.glob("*") if folder == project else folder.rglob("*"))
        if path.is_file() and path.suffix != ".pyc" and not path.name.endswith((".db", "-wal", "-shm"))
    }


def test_uv_sync_and_fastapi_commands_work(copied: Path, database_url: str, tmp_path: Path) -> None:
    project = pin_releases(copied)
    environment = machine(tmp_path / "tools", "uv") | {"DATABASE_URL": database_url}
    run("uv sync", project, environment)
    installed = run("uv pip list --python .venv --format freeze", project, environment)
    assert f"pytest=={pins()['pytest']}\n" in installed
    run("uv run alembic upgrade head", project, environment)
    for command in ("dev", "run"):
        port = free_port()
        log = tmp_path / f"{command}.log"
        with log.open("wb") as output:
            serving = subprocess.Popen(
                ["uv", "run", "fastapi", command, "--port", str(port)],
                cwd=project,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            assert wait_until_ready(serving, f"http://127.0.0.1:{port}"), log.read_text(encoding="utf-8")
        finally:
            os.killpg(serving.pid, signal.SIGINT)
            serving.wait(PATIENCE)


def test_production_installs_no_command_of_fastapi(copied: Path, tmp_path: Path) -> None:
    environment = machine(tmp_path / "tools", "uv")
    run("uv sync --no-dev", pin_releases(copied), environment)
    installed = run("uv pip list --python .venv --format freeze", copied, environment)
    assert not re.findall(r"(?m)^(?:fastapi-c\w+|typer|rich|coverage|pytest)==.*", installed)


def test_python_is_that_of_the_image_and_the_pipeline(project: Path) -> None:
    version = (project / ".python-version").read_text(encoding="utf-8").strip()
    assert set(re.findall(r"FROM python:([\d.]+)", (project / "Dockerfile").read_text(encoding="utf-8"))) == {version}
    pipeline = (project / ".github/workflows/ci.yml").read_text(encoding="utf-8")
    assert set(re.findall(r'python-version: "([\d.]+)"', pipeline)) == {version}


def wait_until_ready(service: subprocess.Popen[Any], url: str) -> bool:
    """Wait until the service at `url` is ready; tell whether it became so before it ended and in time."""
    deadline = time.monotonic() + PATIENCE
    while service.poll() is None and time.monotonic() < deadline:
        try:
            if httpx2.get(f"{url}/health/ready", timeout=5).status_code == httpx2.codes.OK:
                return True
        except httpx2.TransportError:
            time.sleep(0.05)
    return False
