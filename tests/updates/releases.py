"""The template as a repository with releases: what a project was made with, and what it is updated to."""

import os
import subprocess
import tomllib
from functools import cache
from pathlib import Path

from tests.harness.rendering import snapshot
from tests.harness.variants import ROOT
from tests.updates import later_release

LATER = "99.0.0"
IDENTITY = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    **{f"GIT_{role}_{key}": f"{key}@example.com" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")},
}


@cache
def this_version() -> str:
    """Give the version of the working tree."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["version"])


def git(folder: Path, *arguments: str, check: bool = True) -> str:
    """Run git in `folder`, with an identity of its own and no one's settings, and give what it prints."""
    command = ["git", "-c", "init.defaultBranch=main", *arguments]
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **IDENTITY}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 or not check, f"{' '.join(arguments)}:\n{done.stdout}{done.stderr}"
    return done.stdout


def release(repository: Path, version: str) -> None:
    """Commit all that changed in a repository, and tag it."""
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message", version)
    git(repository, "tag", f"v{version}")


def repository(folder: Path, working: Path = ROOT) -> Path:
    """Make a repository of the template in `folder`, with one release: `working`, by the version that it has."""
    snapshot(folder, working)
    git(folder, "init", "--quiet")
    release(folder, this_version())
    return folder


def add_later_release(repository: Path) -> Path:
    """Release a later version in a repository of the template, with changes like those of a year."""
    later_release.change(repository)
    release(repository, LATER)
    return repository
