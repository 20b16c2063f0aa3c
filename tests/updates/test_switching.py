"""Any answer of a project that is at work can be changed: its edits, its history and its data stay."""

import datetime as dt
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest

from copier_fastapi_sqlalchemy.move_data import move
from tests.harness import servers
from tests.harness.alembic import Alembic, declared_schema
from tests.harness.commands import check_code
from tests.harness.pages import blocks_of, text_of
from tests.harness.schema import schema_of
from tests.harness.selection import one_of_each
from tests.harness.servers import SERVERS, NewDatabase, Server
from tests.harness.service import calling
from tests.harness.variants import Variant, all_variants, choices
from tests.harness.warm_process import WarmProcess
from tests.updates import edited_project
from tests.updates.project import Project, Rows, check_kept, rows_of

RECORDS = ("users", "posts", "comments")
# What a row of a record has in the columns that a mixin adds to it: an instant of today, where nothing else is told.
TODAY = object()
ADDED: dict[str, dict[str, object]] = {
    "timestamps": {"created_at": TODAY, "updated_at": TODAY},
    "soft_delete": {"deleted_at": None, "deletion_id": None},
    "audit_log": {},
    "optimistic_locking": {"version": 1},
    "full_text_search": {},
}
COMPUTED = ("is_live", "search")
# The users and the posts of the example's seed.
USER = "mara@example.com"
TITLE = "The line that never opened"
# MariaDB's JSON is a text with a CHECK, which Alembic doesn't know of where it makes a table anew.
UNSEEN = {f"audit_log: `changes` longtext NOT NULL{check}" for check in ("", " CHECK (json_valid(`changes`))")}
# Where a line that changes with the answer is one that the owner changed, or next to it.
CONFLICTS = {
    "sqlite to mysql": set(),
    "mysql to sqlite": set(),
    "database": {"app/db/types.py"},
    "io": {"pyproject.toml"},
    "data_access": {"app/tables.py"},
    "audit_log": {"app/main.py", "app/tables.py", "app/users/models.py", "app/users/tables.py"},
}


@dataclass(frozen=True)
class Case:
    """A project of a variant, at work on a server, that becomes one of another variant, on a server of its database."""

    before: Variant
    after: Variant
    server: Server
    target: Server

    def __str__(self) -> str:
        """Name the case in a test's id."""
        return f"{self.before.id}:{self.server.product.lower()}->{self.after.id}:{self.target.product.lower()}"

    @property
    def answers(self) -> dict[str, Any]:
        """Give the answers that change."""
        before = self.before.answers
        return {key: value for key, value in self.after.answers.items() if value != before[key]}

    @property
    def mixin(self) -> str | None:
        """Give the mixin that is switched on or off."""
        return next(iter({*self.before.mixins} ^ {*self.after.mixins}), None)

    @property
    def change(self) -> object:
        """Give what changes: a mixin, and whether it is switched on, or the new value of an axis."""
        if self.mixin:
            return self.mixin, self.mixin in self.after.mixins
        return next(self.after.answers[key] for key in self.answers)


def with_mixins(variant: Variant, *names: str) -> Variant:
    """Give the variant with these mixins, in copier.yml's order."""
    return replace(variant, mixins=tuple(name for name in choices("mixins") if name in names))


def mixin_cases(running: Sequence[Server]) -> Iterator[Case]:
    """Give each mixin switched on and off, as the only one and among all, on every base variant of every server."""
    plain = [variant for variant in all_variants() if variant.example and not variant.mixins]
    for mixin in choices("mixins"):
        others, every = tuple(name for name in choices("mixins") if name != mixin), choices("mixins")
        switched = [((), (mixin,)), (others, every), ((mixin,), ()), (every, others)]
        for (before, after), server, base in itertools.product(switched, running, plain):
            if base.database == server.database:
                yield Case(with_mixins(base, *before), with_mixins(base, *after), server, server)


def axis_cases(running: Sequence[Server]) -> Iterator[Case]:
    """Give each other value of each axis, on the variants without mixins and with all."""
    ends = [variant for variant in all_variants() if variant.example and variant.mixins in {(), choices("mixins")}]
    first = {server.database: server for server in reversed(running)}
    for before in ends:
        for after in others_of(before):
            if after != before and before.database in first and after.database in first:
                yield Case(before, after, first[before.database], first[after.database])


def others_of(variant: Variant) -> Iterator[Variant]:
    """Give the variants that differ from one by the value of one axis."""
    for name in choices("database"):
        yield replace(variant, database=name)
    for name in choices("io"):
        yield replace(variant, io=name)
    for name in choices("data_access"):
        yield replace(variant, data_access=name)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the tests on one case of each change; with --matrix for each server, with --everything on all of them."""
    running = metafunc.config.stash[SERVERS]
    found = [*mixin_cases(running), *axis_cases(running)]
    extent = metafunc.config.getoption("everything")
    if extent == "matrix":
        found = one_of_each(found, lambda case: (case.change, case.server.product))
    elif not extent:
        found = one_of_each(found, lambda case: case.change)
    by_kind = {
        "mixin": [case for case in found if case.mixin],
        "database": [case for case in found if "database" in case.answers],
        "axis": [case for case in found if {"io", "data_access"} & {*case.answers}],
    }
    kind = metafunc.function.__name__.split("_")[1]
    metafunc.parametrize("case", by_kind[kind], ids=str)


@pytest.fixture
def new_database(case: Case, tmp_path: Path) -> NewDatabase:
    """A way to an empty database of one's own."""
    return partial(servers.new_database, case.server, tmp_path)


@pytest.fixture
def at_work(case: Case, template: Path, tmp_path: Path) -> Project:
    """A project, new; its tests put it to work."""
    return Project.copy(template, case.before, tmp_path / "project")


@pytest.fixture
def run_tests(at_work: Project, warm_process: WarmProcess, pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Run the project's own tests on the database of a URL, with --everything: they take half of the time."""

    def run(url: str) -> None:
        if pytestconfig.getoption("everything"):
            at_work.check_tests(warm_process, url)

    return run


def work(project: Project, warm_process: WarmProcess, url: str) -> None:
    """Seed the project's database and do what its owner does in a year."""
    alembic = Alembic(warm_process, project.folder, url)
    alembic("upgrade head")
    warm_process.run(["-m", "app.seed"], project.folder, {"DATABASE_URL": url})
    edited_project.edit_all(project.folder, project.variant)
    project.revise(alembic, "Add books and nicknames")
    project.commit("A year of work")


def switch(project: Project, case: Case) -> None:
    """Change the answers, mend the conflicts that must be, and write what is one's own in the new answers' terms."""
    conflicts = project.update(**case.answers)
    ways = (f"{case.before.database} to {case.after.database}", case.mixin or next(iter(case.answers)))
    possible = next((CONFLICTS[way] for way in ways if way in CONFLICTS), set())
    assert conflicts == {name for name in possible if (project.folder / name).exists()}
    edited_project.port(project.folder, case.before, case.after)
    for name in sorted(conflicts, key="pyproject.toml".__ne__):  # the tools read it
        project.resolve(name)
    project.variant = case.after


def plain(schema: set[str]) -> set[str]:
    """Write a default alike, whether it was declared with the column or came before its type was altered."""
    return {line.replace("'1'::bigint", "1") for line in schema}


def without_search(schema: set[str]) -> set[str]:
    """Leave out SQLite's tables and triggers of the search: they are there as long as the code asks for them."""
    return {line for line in schema if "posts_search" not in line}


def check_added(after: Rows, added: Mapping[str, object]) -> None:
    """Check that the rows that were there have something sensible in the new columns."""
    now = dt.datetime.now(dt.UTC)
    for row in itertools.chain.from_iterable(after[table] for table in RECORDS):
        for column, value in added.items():
            if value is not TODAY:
                assert row[column] == value, (column, row)
                continue
            moment = dt.datetime.fromisoformat(str(row[column]))
            moment = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
            assert now - dt.timedelta(minutes=30) < moment <= now + dt.timedelta(seconds=5), (column, row)


def check_at_work(api: httpx2.Client, mixin: str) -> None:
    """Check that the service has its users still, and what the mixin adds."""
    users = api.get("/users", params={"sort": "id"}).raise_for_status().json()["items"]
    assert USER in {user["email"] for user in users}
    user = f"/users/{users[-1]['id']}"
    if mixin == "timestamps":
        assert all(user["created_at"] <= user["updated_at"] for user in users)
    elif mixin == "soft_delete":
        api.delete(user).raise_for_status()
        assert api.get(user).status_code == httpx2.codes.NOT_FOUND
        assert api.post(f"{user}/restore").raise_for_status().json()["deleted_at"] is None
    elif mixin == "audit_log":
        assert api.get("/audit").raise_for_status().json()["items"] == []
        api.patch(user, json={"name": "New"}).raise_for_status()
        (entry,) = api.get("/audit").raise_for_status().json()["items"]
        assert entry["changes"]["name"]["new"] == "New"
    elif mixin == "optimistic_locking":
        assert api.get(user).raise_for_status().headers["etag"] == '"1"'
        api.patch(user, json={"name": "New"}, headers={"if-match": '"1"'}).raise_for_status()
        stale = api.patch(user, json={"name": "Newer"}, headers={"if-match": '"1"'})
        assert stale.status_code == httpx2.codes.PRECONDITION_FAILED
    else:
        found = api.get("/posts/search", params={"q": TITLE.lower()}).raise_for_status().json()["items"]
        assert found[0]["title"] == TITLE


def test_mixin_is_switched_with_data(
    case: Case,
    at_work: Project,
    new_database: NewDatabase,
    tmp_path: Path,
    warm_process: WarmProcess,
    mypy_cache: Path,
    run_tests: Callable[[str], None],
) -> None:
    with new_database() as url, new_database() as another_url, new_database() as test_url:
        work(at_work, warm_process, url)
        schema, before = schema_of(url), rows_of(url)
        assert all(before[table] for table in (*RECORDS, "tags", "post_tags"))

        switch(at_work, case)
        alembic = Alembic(warm_process, at_work.folder, url)
        at_work.revise(alembic, "Follow the mixins", takes_down_search(case))
        assert set() == schema_of(url) ^ declared_schema(warm_process, at_work.folder, another_url)
        check_code(at_work.folder, mypy_cache)
        run_tests(test_url)

        alembic("downgrade -1")
        assert without_search(schema_of(url)) ^ without_search(schema) <= UNSEEN
        if len(case.after.mixins) > len(case.before.mixins):
            assert rows_of(url) == before
        alembic("upgrade head")
        gone = {*ADDED.get(case.mixin or "", ()), *COMPUTED} if case.mixin in case.before.mixins else set()
        check_kept(before, rows_of(url), but=gone)
        with calling(warm_process, at_work.folder, {"DATABASE_URL": url}, tmp_path) as api:
            if case.mixin in case.after.mixins:
                check_added(rows_of(url), ADDED[case.mixin])
                check_at_work(api, case.mixin)
            assert api.get("/books").raise_for_status().json()["total"] == 0


def takes_down_search(case: Case) -> str:
    """Give what the page on the search says to put into a revision that switches it off."""
    if case.before.database != "sqlite" or case.mixin != "full_text_search" or case.mixin in case.after.mixins:
        return ""
    assert "from alembic import op" in text_of("docs/mixins/full-text-search.md")
    return blocks_of("docs/mixins/full-text-search.md", "python")[-1]


def test_axis_is_switched_with_data(
    case: Case,
    at_work: Project,
    new_database: NewDatabase,
    warm_process: WarmProcess,
    mypy_cache: Path,
    run_tests: Callable[[str], None],
) -> None:
    with new_database() as url, new_database() as another_url, new_database() as test_url:
        work(at_work, warm_process, url)
        before = rows_of(url)
        switch(at_work, case)
        check_code(at_work.folder, mypy_cache)
        at_work.revise(Alembic(warm_process, at_work.folder, url), "Follow the answers")
        assert set() == plain(schema_of(url)) ^ plain(declared_schema(warm_process, at_work.folder, another_url))
        assert rows_of(url) == before
        run_tests(test_url)


def test_database_is_switched_with_data(
    case: Case,
    at_work: Project,
    new_database: NewDatabase,
    tmp_path: Path,
    warm_process: WarmProcess,
    mypy_cache: Path,
    run_tests: Callable[[str], None],
) -> None:
    new_target = partial(servers.new_database, case.target, tmp_path)
    with new_database() as url, new_target() as new_url, new_target() as another_url, new_target() as test_url:
        work(at_work, warm_process, url)
        before = rows_of(url)
        switch(at_work, case)
        for revision in at_work.folder.glob("migrations/versions/*.py"):
            revision.unlink()
        at_work.revise(Alembic(warm_process, at_work.folder, new_url), "Start on another database")
        check_code(at_work.folder, mypy_cache)
        assert set() == schema_of(new_url) ^ declared_schema(warm_process, at_work.folder, another_url)
        move(url, new_url)
        assert {name: len(rows) for name, rows in rows_of(new_url).items()} == {
            name: len(rows) for name, rows in before.items()
        }
        assert rows_of(url) == before
        run_tests(test_url)
