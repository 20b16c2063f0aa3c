"""A mixin can be switched on in a project that is at work: Alembic writes the revision, and the data stays."""

import datetime as dt
import itertools
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import MetaData, Table, inspect, select

from tests import servers
from tests.conftest import SERVERS, NewDatabase
from tests.rendering import render_variant
from tests.schema import schema_of
from tests.servers import Server, engine
from tests.service import NO_CERTIFICATES, serving
from tests.test_migrations import CREATE_ALL, Alembic
from tests.variants import Variant, all_variants, choices
from tests.zygote import Zygote

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
# The users and the posts of the example's seed.
USER = "mara@example.com"
TITLE = "The line that never opened"
Rows = dict[str, list[Mapping[str, Any]]]


@dataclass(frozen=True)
class Case:
    """A mixin that a variant is to get, on a server."""

    variant: Variant
    mixin: str
    server: Server

    def __str__(self) -> str:
        """Name the case in a test's id."""
        return f"{self.variant.id}:{self.server.product.lower()}+{self.mixin}"


def cases(running: list[Server]) -> Iterator[Case]:
    """Give each mixin as the first of each base variant, and as the last of one base variant of each server."""
    databases = {server.database: server for server in reversed(running)}
    plain = [variant for variant in all_variants() if variant.example and not variant.mixins]
    for variant, mixin in itertools.product(plain, choices("mixins")):
        if variant.database in databases:
            yield Case(variant, mixin, databases[variant.database])
    for server, (turn, mixin) in itertools.product(running, enumerate(choices("mixins"))):
        bases = [variant for variant in plain if variant.database == server.database]
        others = tuple(name for name in choices("mixins") if name != mixin)
        yield Case(replace(bases[turn % len(bases)], mixins=others), mixin, server)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the tests on each case whose server is there."""
    metafunc.parametrize("case", list(cases(metafunc.config.stash[SERVERS])), ids=str, indirect=True)


@pytest.fixture
def case(request: pytest.FixtureRequest) -> Case:
    """The mixin, the variant and the server."""
    given: Case = request.param
    return given


@pytest.fixture
def variant(case: Case) -> Variant:
    """The variant that the project is of at first."""
    return case.variant


@pytest.fixture
def mixin(case: Case) -> str:
    """The mixin that it is to get."""
    return case.mixin


@pytest.fixture
def new_database(case: Case, tmp_path: Path) -> NewDatabase:
    """A way to an empty database of one's own."""
    return partial(servers.new_database, case.server, tmp_path)


def with_mixin(variant: Variant, mixin: str) -> Variant:
    """Give the variant that has `mixin` too."""
    return replace(variant, mixins=tuple(name for name in choices("mixins") if name in {*variant.mixins, mixin}))


def without_search(schema: set[str]) -> set[str]:
    """Leave out SQLite's tables and triggers of the search: they are there as long as the code asks for them."""
    return {line for line in schema if "posts_search" not in line}


def rows_of(url: str) -> Rows:
    """Read every row of every table."""
    made = engine(url)
    rows: Rows = {}
    with made.connect() as connection:
        for name in inspect(connection).get_table_names():
            table = Table(name, MetaData(), autoload_with=connection)
            read = connection.execute(select(table).order_by(*table.primary_key.columns)).mappings()
            rows[name] = [dict(row) for row in read]
    return {name: read for name, read in rows.items() if name != "alembic_version" and "posts_search" not in name}


def check_kept(before: Rows, after: Rows) -> None:
    """Check that what the tables had is there as it was."""
    for table, rows in before.items():
        columns = rows[0].keys()
        assert [{column: row[column] for column in columns} for row in after[table]] == rows, table


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


def switch(project: Path, rendered: Path) -> None:
    """Make `project` what an update makes of it: all is as in `rendered` but the revisions, which are the user's."""
    versions = project / "migrations" / "versions"
    kept = versions.rename(project.with_name("versions"))
    shutil.rmtree(project)
    shutil.copytree(rendered, project)
    shutil.rmtree(versions)
    kept.rename(versions)


def declared_schema(project: Path, zygote: Zygote, url: str) -> set[str]:
    """Give the schema that the project's tables make on the empty database at `url`."""
    driven = engine(url).url.render_as_string(hide_password=False)
    zygote.run(["-c", CREATE_ALL, driven], project, {"DATABASE_URL": url})
    return schema_of(url)


def check_clean(path: Path, project: Path) -> None:
    """Check that a file passes the project's own linter and formatter as it stands."""
    for command in (["check", "--no-cache", "--no-fix"], ["format", "--no-cache", "--check"]):
        ruff = str(Path(sys.executable).with_name("ruff"))
        done = subprocess.run([ruff, *command, str(path)], cwd=project, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{done.stdout}{done.stderr}\n{path.read_text(encoding='utf-8')}"


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


def test_a_mixin_is_added_to_a_database_with_data(
    variant: Variant, mixin: str, new_database: NewDatabase, source: Path, tmp_path: Path, zygote: Zygote
) -> None:
    project = render_variant(source, variant, tmp_path / "at-work")
    with new_database() as url, new_database() as another_url:
        alembic = Alembic(zygote, project, url)
        alembic("upgrade head")
        zygote.run(["-m", "app.seed"], project, {"DATABASE_URL": url})
        schema, before = schema_of(url), rows_of(url)
        assert all(before[table] for table in (*RECORDS, "tags", "post_tags"))

        switch(project, render_variant(source, with_mixin(variant, mixin), tmp_path / "with-mixin"))
        first = set(project.glob("migrations/versions/*.py"))
        alembic(f"revision --autogenerate -m 'add {mixin}'")
        (revision,) = set(project.glob("migrations/versions/*.py")) - first
        check_clean(revision, project)

        alembic("upgrade head", "check")
        assert schema_of(url) == declared_schema(project, zygote, another_url)
        check_kept(before, rows_of(url))
        check_added(rows_of(url), ADDED[mixin])

        alembic("downgrade -1")
        assert without_search(schema_of(url)) == without_search(schema)
        assert rows_of(url) == before

        alembic("upgrade head")
        check_kept(before, rows_of(url))
        with (
            serving(zygote, project, {"DATABASE_URL": url}, tmp_path) as address,
            httpx2.Client(base_url=f"{address}/api/v1", timeout=30, verify=NO_CERTIFICATES) as api,
        ):
            check_at_work(api, mixin)
