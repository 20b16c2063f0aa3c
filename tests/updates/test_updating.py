"""A project is updated to a later release: unedited it becomes a fresh render, edited it keeps its edits."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from tests.conftest import SERVERS, NewDatabase
from tests.harness import servers
from tests.harness.selection import one_of_each
from tests.harness.servers import Server
from tests.harness.variants import Variant, all_variants, is_end
from tests.harness.warm_process import WarmProcess
from tests.migrations.test_migrations import Alembic
from tests.updates import edited_project
from tests.updates.later_release import ADDED, REMOVED
from tests.updates.project import Project, check_kept, rows_of
from tests.updates.releases import this_version


@dataclass(frozen=True)
class Case:
    """A variant that a project is made of, and a server."""

    variant: Variant
    server: Server

    def __str__(self) -> str:
        """Name the case in a test's id."""
        return f"{self.variant.id}:{self.server.product.lower()}"


def cases(running: list[Server]) -> Iterator[Case]:
    """Give every base variant, without mixins and with all, on one server each."""
    databases = {server.database: server for server in reversed(running)}
    for variant in all_variants():
        if variant.example and is_end(variant) and variant.database in databases:
            yield Case(variant, databases[variant.database])


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the tests on the cases whose server is there, or on two of each database, with and without mixins."""
    if "case" in metafunc.fixturenames:
        running, everything = metafunc.config.stash[SERVERS], metafunc.config.getoption("everything")
        found = list(cases(running))
        if not everything:
            found = one_of_each(found, lambda case: (case.variant.database, case.variant.mixins))
        metafunc.parametrize("case", found, ids=str)


@pytest.fixture
def new_database(case: Case, tmp_path: Path) -> NewDatabase:
    """A way to an empty database of one's own."""
    return partial(servers.new_database, case.server, tmp_path)


def test_unedited_project_becomes_a_fresh_render(case: Case, later_template: Path, tmp_path: Path) -> None:
    project = Project.copy(later_template, case.variant, tmp_path / "project", this_version())
    before = project.files()
    assert project.update() == set()
    after = project.files()
    assert after == Project.copy(later_template, case.variant, tmp_path / "fresh").files()
    assert ADDED in after.keys() - before.keys()
    assert REMOVED in before.keys() - after.keys()
    assert sum(before[name] != after[name] for name in before.keys() & after.keys()) > len(before) / 2


def test_edited_project_keeps_its_edits_its_data_and_its_tests(
    case: Case,
    later_template: Path,
    tmp_path: Path,
    warm_process: WarmProcess,
    new_database: NewDatabase,
    mypy_cache: Path,
) -> None:
    project = Project.copy(later_template, case.variant, tmp_path / "project", this_version())
    with new_database() as url, new_database() as test_url:
        alembic = Alembic(warm_process, project.folder, url)
        alembic("upgrade head")
        warm_process.run(["-m", "app.seed"], project.folder, {"DATABASE_URL": url})
        edited_project.edit_all(project.folder, case.variant)
        project.revise(alembic, "Add books and nicknames")
        project.commit("A year of work")
        versions = set(project.folder.glob("migrations/versions/*.py"))
        before = rows_of(url)

        assert project.update() == set()
        assert [name for name in edited_project.DELETED if (project.folder / name).exists()] == []
        assert set(project.folder.glob("migrations/versions/*.py")) == versions
        project.check_code(mypy_cache)

        alembic("upgrade head", "check")
        check_kept(before, rows_of(url))
        project.check_tests(warm_process, test_url)
