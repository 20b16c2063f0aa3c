"""Runs commands: the programs of the tests' environment, and what the files of a project tell to run."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.harness.variants import ROOT

TOOLS = Path(sys.executable).parent
SECONDS = 600
# What type checks learned of the libraries, from run to run; no two may write to one folder at once.
MYPY_CACHE = ROOT / ".cache" / "mypy" / os.environ.get("PYTEST_XDIST_WORKER", "master")


class Failed(Exception):
    """A command ended with another status than 0; the text has what it printed."""


def tool(name: str) -> str:
    """Give the path of a program that the tests need.

    Raises:
        Failed: neither the tests' environment nor PATH has it.

    """
    found = shutil.which(name, path=f"{TOOLS}{os.pathsep}{os.environ.get('PATH', '')}")
    if found is None:
        raise Failed(f"{name} is missing: install the development dependencies, then try again.")
    return found


def run(command: str | list[str], cwd: Path, environment: Mapping[str, str] | None = None) -> str:
    """Run a command, or a script of a shell that stops at the first failure, and give what it printed.

    Raises:
        Failed: it ended with another status than 0.

    """
    done = subprocess.run(
        ["bash", "-e", "-c", command] if isinstance(command, str) else command,
        cwd=cwd,
        env=os.environ if environment is None else dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    if done.returncode:
        shown = command if isinstance(command, str) else shlex.join(command)
        raise Failed(f"`{shown}` ended with {done.returncode} in {cwd}:\n{done.stdout}")
    return done.stdout


def run_tool(project: Path, name: str, *arguments: str) -> str:
    """Run a program of the tests' environment in a project, and give what it printed; raises Failed where it fails."""
    return run([tool(name), *arguments], project)


def check_code(project: Path, mypy_cache: Path) -> None:
    """Check that a project's own linter, formatter and types pass."""
    run_tool(project, "ruff", "check", "--no-cache", "--no-fix")
    run_tool(project, "ruff", "format", "--no-cache", "--check")
    run_tool(project, "mypy", f"--cache-dir={mypy_cache}")


def clean_environment(**added: str) -> dict[str, str]:
    """Give this process's environment without what belongs to the tests', and with their constraints."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "VIRTUAL_ENV", "TEST_"))}
    return {
        **kept,
        "UV_CONSTRAINT": str(ROOT / "constraints.txt"),
        "PIP_CONSTRAINT": str(ROOT / "constraints.txt"),
        **added,
    }


def machine(folder: Path, *programs: str) -> dict[str, str]:
    """Give the environment of a plain machine that has `programs` too, by links in `folder`.

    What this machine happens to set or to have is left out: a command finds nothing that its file doesn't provide, but
    for what mypy learned of the libraries, which it reads by their content.
    """
    dropped = ("COPIER_", "DATABASE_", "DB_", "MYSQL_", "PG", "PYTEST_", "PYTHON", "TEST_", "VIRTUAL_ENV")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(dropped)}
    folder.mkdir(parents=True, exist_ok=True)
    for program in programs:
        link = folder / Path(program).name
        if not link.exists():
            link.symlink_to(tool(link.name))
    path = f"{folder}{os.pathsep}{os.defpath}"
    return kept | {"PATH": path, "UV_PYTHON": sys.executable, "MYPY_CACHE_DIR": str(MYPY_CACHE)}
