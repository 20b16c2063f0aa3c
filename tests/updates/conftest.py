"""The fixtures of the tests of updates."""

from pathlib import Path

import pytest

from tests.updates.project import VARIANT, Project
from tests.updates.releases import this_version


@pytest.fixture
def project(later_template: Path, tmp_path: Path) -> Project:
    """A project that a later release is there for."""
    return Project.copy(later_template, VARIANT, tmp_path / "project", this_version())
