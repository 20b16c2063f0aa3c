"""The fixtures of these tests: rendered projects, each in a repository of git."""

import shutil
from collections.abc import Callable
from itertools import cycle, product
from pathlib import Path

import pytest

from tests.harness.rendering import render_variant
from tests.harness.variants import Variant, choices
from tests.updates.releases import git

Render = Callable[[Variant], Path]


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


@pytest.fixture
def copied(rendered: Render, tmp_path: Path) -> Render:
    """Copy a rendered project, for tests that change it."""
    return lambda variant: Path(shutil.copytree(rendered(variant), tmp_path / "project"))


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
