"""Every base variant runs on what it declares and nothing else, and its own commands do what its README says."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx2
import pytest

from tests.constraints import CONSTRAINTS
from tests.servers import free_port
from tests.zygote import CommandFailed

UV = Path(sys.executable).with_name("uv")
SERVE = Path(__file__).with_name("serve.py")
pytestmark = pytest.mark.base


def clean_environment(**added: str) -> dict[str, str]:
    """Give this process's environment without what belongs to the tests' own virtual environment."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "VIRTUAL_ENV", "TEST_"))}
    return {**kept, "UV_CONSTRAINT": str(CONSTRAINTS), "PIP_CONSTRAINT": str(CONSTRAINTS), **added}


def run(command: list[str | Path], project: Path, environment: Mapping[str, str]) -> str:
    """Run a command in `project` and give what it prints; raises CommandFailed where it fails."""
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CommandFailed(f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


@pytest.fixture
def copied(project: Path, tmp_path: Path) -> Path:
    """A copy of the project, for what it installs and makes."""
    copy = tmp_path / "project"
    subprocess.run(["cp", "-r", str(project), str(copy)], check=True)
    return copy


def test_it_runs_on_what_it_declares_alone(copied: Path, database_url: str) -> None:
    environment = clean_environment(DATABASE_URL=database_url)
    run([UV, "venv", "--quiet", "--python", sys.executable, ".venv"], copied, environment)
    run([UV, "pip", "install", "--quiet", "--python", ".venv", "."], copied, environment)
    python = copied / ".venv" / "bin" / "python"
    run([python, "-W", "error", "-c", "import app.main"], copied, environment)
    run([python, "-m", "alembic", "upgrade", "head"], copied, environment)
    with subprocess.Popen(
        [python, "-m", "uvicorn", "app.main:app", "--port", str(port := free_port())],
        cwd=copied,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    ) as service:
        try:
            assert service.stderr is not None
            started = any("Uvicorn running" in line for line in service.stderr)
            assert started, "the service ended before it started"
            answer = httpx2.get(f"http://127.0.0.1:{port}/health/ready", timeout=30)
            users = httpx2.get(f"http://127.0.0.1:{port}/api/v1/users", timeout=30)
        finally:
            service.terminate()
    assert (answer.status_code, users.status_code) == (200, 200)
