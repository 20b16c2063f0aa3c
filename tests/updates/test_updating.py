"""A project is updated to a later release: unedited it becomes a fresh render, edited it keeps its edits."""

from pathlib import Path

import pytest

from tests.harness.alembic import Alembic
from tests.harness.commands import check_code
from tests.harness.servers import NewDatabase
from tests.harness.variants import Variant
from tests.harness.warm_process import WarmProcess
from tests.updates import edited_project
from tests.updates.later_release import ADDED, REMOVED
from tests.updates.project import Project, check_kept, rows_of
from tests.updates.releases import RELEASES, repository_of_releases, this_version

pytestmark = pytest.mark.example


def test_unedited_project_becomes_a_fresh_render(variant: Variant, later_template: Path, tmp_path: Path) -> None:
    project = Project.copy(later_template, variant, tmp_path / "project", this_version())
    before = project.files()
    assert project.update() == set()
    after = project.files()
    assert after == Project.copy(later_template, variant, tmp_path / "fresh").files()
    assert ADDED in after.keys() - before.keys()
    assert REMOVED in before.keys() - after.keys()
    assert sum(before[name] != after[name] for name in before.keys() & after.keys()) > len(before) / 3


@pytest.fixture(scope="session")
def releases(scratch: Path) -> Path:
    """The template in a repository with all that was published, and the working tree as a later version."""
    return repository_of_releases(scratch / "releases")


@pytest.mark.one_base
@pytest.mark.parametrize("version", RELEASES)
def test_project_of_each_release_becomes_a_fresh_render(
    version: str, variant: Variant, releases: Path, tmp_path: Path
) -> None:
    project = Project.copy(releases, variant, tmp_path / "project", version)
    assert project.update() == set()
    assert project.files() == Project.copy(releases, variant, tmp_path / "fresh").files()


def test_edited_project_keeps_its_edits_and_its_data(
    variant: Variant,
    later_template: Path,
    tmp_path: Path,
    warm_process: WarmProcess,
    new_database: NewDatabase,
    mypy_cache: Path,
) -> None:
    project = Project.copy(later_template, variant, tmp_path / "project", this_version())
    with new_database() as url, new_database() as test_url:
        alembic = Alembic(warm_process, project.folder, url)
        alembic("upgrade head")
        warm_process.run(["-m", "app.seed"], project.folder, {"DATABASE_URL": url})
        edited_project.edit_all(project.folder, variant)
        project.revise(alembic, "Add books and nicknames")
        project.commit("A year of work")
        versions = set(project.folder.glob("migrations/versions/*.py"))
        before = rows_of(url)

        assert project.update() == set()
        assert [name for name in edited_project.DELETED if (project.folder / name).exists()] == []
        assert set(project.folder.glob("migrations/versions/*.py")) == versions
        check_code(project.folder, mypy_cache)

        alembic("upgrade head", "check")
        check_kept(before, rows_of(url))
        project.check_tests(warm_process, test_url)
