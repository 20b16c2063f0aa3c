"""Every base variant runs on what it declares and nothing else, and its own commands do what its README says."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx2
import pytest

from tests.harness.commands import clean_environment, run, tool
from tests.harness.servers import free_port
from tests.harness.variants import Variant

PATIENCE = 120.0
# What a project installs doesn't depend on its mixins.
pytestmark = [pytest.mark.each_database, pytest.mark.base]


@pytest.fixture
def copied(project: Path) -> Iterator[Path]:
    """A copy of the project, for what it installs and makes.

    Any account can reach it, as that of root's PostgreSQL has to: each run of pytest closes its `tmp_path` to others.
    """
    with TemporaryDirectory(prefix="installed-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        copy = Path(folder) / "project"
        subprocess.run(["cp", "-r", str(project), str(copy)], check=True)
        yield copy


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


@pytest.mark.each_database
def test_dev_test_and_dev_serve_work(copied: Path, database_url: str, variant: Variant) -> None:
    """MySQL's are told where a server is; SQLite and PostgreSQL need none."""
    given = {"TEST_DATABASE_URL": database_url, "DATABASE_URL": database_url} if variant.database == "mysql" else {}
    environment = clean_environment(**given)
    assert " passed" in run([sys.executable, "dev.py", "test"], copied, environment)
    url = f"http://127.0.0.1:{(port := free_port())}"
    log = copied / "serve.log"
    with log.open("wb") as output:
        serving = subprocess.Popen(
            [sys.executable, "dev.py", "serve", "--port", str(port)],
            cwd=copied,
            env=environment,
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
