"""A project made with any release is updated to the next: unedited it is a fresh render, edited it keeps its edits."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from tests import owner, servers
from tests.conftest import SERVERS, NewDatabase
from tests.demands import one_of_each
from tests.projects import Project, check_kept, rows_of
from tests.releases import RELEASES
from tests.servers import Server
from tests.test_migrations import Alembic
from tests.variants import Variant, all_variants, is_end
from tests.zygote import Zygote

# Where a release's own line is next to the one that its owner adds, no merge knows which comes first.
CONFLICTS = {
    "0.1.0": {".env.example", "app/main.py", "app/settings.py"},
    "0.2.0": {"app/main.py"},
}
# What a release had of the mixins, where it hadn't all.
MIXINS = {"0.1.0": ("timestamps",)}


@dataclass(frozen=True)
class Case:
    """A release, the variant that a project was made of with it, and a server."""

    release: str
    variant: Variant
    server: Server

    def __str__(self) -> str:
        """Name the case in a test's id."""
        return f"{self.release}-{self.variant.id}:{self.server.product.lower()}"


def cases(running: list[Server]) -> Iterator[Case]:
    """Give each release with every base variant, without mixins and with all that it had, on one server each."""
    databases = {server.database: server for server in reversed(running)}
    ends = [variant for variant in all_variants() if variant.example and is_end(variant)]
    for release, variant in itertools.product(RELEASES, ends):
        if variant.database in databases:
            mixins = MIXINS.get(release, variant.mixins) if variant.mixins else ()
            parts = (variant.database, variant.io, variant.data_access)
            yield Case(release, Variant(*parts, mixins), databases[variant.database])


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the tests on the cases whose server is there, or on one of each release with each database."""
    if "case" in metafunc.fixturenames:
        running, everything = metafunc.config.stash[SERVERS], metafunc.config.getoption("everything")
        found = list(cases(running))
        if not everything:
            found = one_of_each(found, lambda case: (case.release, case.variant.database))
        metafunc.parametrize("case", found, ids=str)


@pytest.fixture
def new_database(case: Case, tmp_path: Path) -> NewDatabase:
    """A way to an empty database of one's own."""
    return partial(servers.new_database, case.server, tmp_path)


def test_an_unedited_project_is_what_a_fresh_render_is(case: Case, template: Path, tmp_path: Path) -> None:
    project = Project.copy(template, case.variant, tmp_path / "project", case.release)
    assert project.update() == set()
    assert project.files() == Project.copy(template, case.variant, tmp_path / "fresh").files()


def test_an_edited_project_keeps_its_edits_its_data_and_its_tests(
    case: Case, template: Path, tmp_path: Path, zygote: Zygote, new_database: NewDatabase, mypy_cache: Path
) -> None:
    project = Project.copy(template, case.variant, tmp_path / "project", case.release)
    with new_database() as url, new_database() as test_url:
        alembic = Alembic(zygote, project.folder, url)
        alembic("upgrade head")
        zygote.run(["-m", "app.seed"], project.folder, {"DATABASE_URL": url})
        owner.own(project.folder, case.variant)
        project.revise(alembic, "Add books and nicknames")
        project.commit("A year of work")
        versions = set(project.folder.glob("migrations/versions/*.py"))
        before = rows_of(url)

        conflicts = project.update()
        assert conflicts == CONFLICTS.get(case.release, set())
        for name in conflicts:
            project.resolve(name)
        assert [name for name in owner.DELETED if (project.folder / name).exists()] == []
        assert set(project.folder.glob("migrations/versions/*.py")) == versions
        project.check_code(mypy_cache)

        alembic("upgrade head")
        project.revise(alembic, "Follow the update")
        check_kept(before, rows_of(url))
        project.check_tests(zygote, test_url)
