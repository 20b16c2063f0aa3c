"""The releases of the template, as a repository with their tags: what a project was made with, and is updated from."""

import os
import subprocess
import tarfile
import tomllib
from collections.abc import Sequence
from functools import cache
from io import BytesIO
from pathlib import Path

from tests.rendering import SOURCES, snapshot
from tests.variants import ROOT

# The commit that each version was released at. `git log -G '^version =' pyproject.toml` lists where a version begins;
# a release is the last commit that has it. A line is added when the next version begins, and never changed.
RELEASES = {
    "0.1.0": "723445b271e3254325cc8eba03996a36d177d4fc",
    "0.2.0": "720bf0eb4edf5b38ec26e5c090d35dec63274807",
    "0.3.0": "055cd954427b20c6daf86fe2c20db535e84299d5",
}
IDENTITY = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    **{f"GIT_{role}_{key}": f"{key}@example.com" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")},
}


class NoRelease(Exception):
    """A release isn't in the history that is here."""


@cache
def next_version() -> str:
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


def archive(version: str) -> bytes:
    """Give the template as it was released, as a tar file.

    Raises:
        NoRelease: the history here doesn't reach back to it.

    """
    command = ["git", "archive", RELEASES[version], *SOURCES]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    if done.returncode != 0:
        reason = done.stderr.decode(errors="replace").strip()
        raise NoRelease(f"{version} isn't in this clone ({reason}): fetch its whole history, `git fetch --unshallow`.")
    return done.stdout


def extract(version: str, folder: Path) -> Path:
    """Put the template of a release into `folder`."""
    with tarfile.open(fileobj=BytesIO(archive(version))) as files:
        files.extractall(folder, filter="data")
    return folder


def repository(folder: Path, versions: Sequence[str] = tuple(RELEASES), working: Path = ROOT) -> Path:
    """Make a repository of the template in `folder`: a tag for each of `versions`, and the next one for `working`."""
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet")
    for version in (*versions, next_version()):
        git(folder, "rm", "-r", "--quiet", "--ignore-unmatch", ".")
        if version in versions:
            extract(version, folder)
        else:
            snapshot(folder, working)
        git(folder, "add", "--all")
        git(folder, "commit", "--quiet", "--allow-empty", "--message", version)
        git(folder, "tag", f"v{version}")
    return folder
