"""The template as a repository with releases: what a project was made with, and what it is updated to."""

import os
import shutil
import subprocess
import tomllib
from functools import cache
from pathlib import Path

from tests.harness.rendering import SOURCES, snapshot
from tests.harness.variants import ROOT
from tests.updates import later_release

LATER = "99.0.0"
# The commit of each published version: a project of any of them can be updated.
RELEASES = {
    "1.0.0": "e620de4a5264ae4022b2ad167445bd8cbc44a929",
    "1.1.0": "69736c2736fd83db962367671919d6f418bd0fb0",
    "1.2.0": "4aa5c55e5db0a98521527079ed89a8a2df98adce",
    "1.3.0": "237de1e1e2e30a2b8f91b17a22a3702daba1a916",
    "1.4.0": "6414dd7b0018ea6cbc9627264eaf39c611cc80bf",
    "1.5.0": "19ccf76a6814a02f5915f9922c64382deef77c09",
    "1.5.1": "adee1347d622e66e59484fd02a1349da4d1a18d9",
    "1.6.0": "96a2acdb939f57edb931c3ff10fabfe106150660",
    "1.6.1": "10174d2d8063407ea97784a0e6db67fdfa0ee2e3",
    "1.6.2": "0080452dc7a6a5ec50db0e17dd7be933a052719e",
}
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
    git(repository, "commit", "--quiet", "--allow-empty", "--message", version)
    git(repository, "tag", f"v{version}")


def repository(folder: Path, working: Path = ROOT) -> Path:
    """Make a repository of the template in `folder`, with one release: `working`, by the version that it has."""
    snapshot(folder, working)
    git(folder, "init", "--quiet")
    release(folder, this_version())
    return folder


def repository_of_releases(folder: Path) -> Path:
    """Make a repository of the template in `folder` with each published version, and the working tree as a later one.

    This repository has to have the commits, as a clone has that isn't shallow.
    """
    folder.mkdir()
    git(folder, "init", "--quiet")
    for version, commit in RELEASES.items():
        command = ["git", "archive", commit, *SOURCES]
        archive = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
        remove_sources(folder)
        subprocess.run(["tar", "--extract"], cwd=folder, input=archive, check=True)
        release(folder, version)
    remove_sources(folder)
    release(snapshot(folder), LATER)
    return folder


def remove_sources(folder: Path) -> None:
    """Remove the template from a folder."""
    for name in SOURCES:
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def add_later_release(repository: Path) -> Path:
    """Release a later version in a repository of the template, with changes like those of a year."""
    later_release.change(repository)
    release(repository, LATER)
    return repository
