"""Every variant's migrations lead to the schema that its tables declare, there and back, on the real server."""

import re
from pathlib import Path

import pytest

from tests.conftest import NewDatabase
from tests.schema import schema_of
from tests.servers import Server, engine
from tests.variants import Variant
from tests.zygote import Child, Zygote

CREATE_ALL = """
import sys
from sqlalchemy import create_engine
from app.tables import metadata
engine = create_engine(sys.argv[1])
metadata.create_all(engine)
engine.dispose()
"""


class Alembic:
    """Alembic's commands in a project, on a database."""

    def __init__(self, zygote: Zygote, project: Path, url: str) -> None:
        """Run them in forks of `zygote`."""
        self._zygote = zygote
        self._project = project
        self._environment = {"DATABASE_URL": url}

    def __call__(self, *arguments: str) -> str:
        """Run a command and give what it prints; raises CommandFailed where it fails."""
        command = ["-m", "alembic", *arguments]
        return self._zygote.run(command, self._project, self._environment).output

    def start(self, *arguments: str) -> Child:
        """Run a command at the same time as others."""
        return self._zygote.start(["-m", "alembic", *arguments], self._project, self._environment)


@pytest.fixture
def alembic(zygote: Zygote, project: Path, database_url: str) -> Alembic:
    """Alembic on an empty database."""
    return Alembic(zygote, project, database_url)


def test_they_go_up_and_down_and_up_again_and_miss_nothing(alembic: Alembic, database_url: str) -> None:
    alembic("upgrade", "head")
    up = schema_of(database_url)
    alembic("check")
    alembic("downgrade", "base")
    assert schema_of(database_url) == set()
    alembic("upgrade", "head")
    assert schema_of(database_url) == up


def test_they_lead_to_what_the_tables_declare(
    alembic: Alembic, database_url: str, new_database: NewDatabase, zygote: Zygote, project: Path, variant: Variant
) -> None:
    alembic("upgrade", "head")
    migrated = schema_of(database_url)
    with new_database() as other:
        driven = engine(other).url.render_as_string(hide_password=False)
        zygote.run(["-c", CREATE_ALL, driven], project, {"DATABASE_URL": other})
        declared = schema_of(other)
    assert migrated == declared
    assert bool(migrated) == variant.example


def test_they_can_be_written_as_sql(alembic: Alembic, variant: Variant, database_url: str) -> None:
    if not variant.example:
        alembic("upgrade", "head", "--sql")
        return
    assert "CREATE TABLE users" in alembic("upgrade", "head", "--sql")
    assert "DROP TABLE users" in alembic("downgrade", "head:base", "--sql")
    assert schema_of(database_url) == set()


def test_a_new_revision_has_nothing_to_do(alembic: Alembic, project: Path) -> None:
    alembic("upgrade", "head")
    before = set(project.glob("migrations/versions/*.py"))
    alembic("revision", "--autogenerate", "-m", "nothing to do")
    (made,) = set(project.glob("migrations/versions/*.py")) - before
    try:
        bodies = re.findall(r"def (?:up|down)grade\(\) -> None:\n((?: .*\n|\n)+)", made.read_text(encoding="utf-8"))
        statements = [line.strip() for body in bodies for line in body.splitlines()]
        assert {line for line in statements if line and not line.startswith(("#", '"""'))} == {"pass"}
    finally:
        made.unlink()


def test_two_at_once_wait_for_each_other(
    alembic: Alembic, zygote: Zygote, database_url: str, server: Server, variant: Variant
) -> None:
    first, second = alembic.start("upgrade", "head"), alembic.start("upgrade", "head")
    assert [zygote.wait(first).status, zygote.wait(second).status] == [0, 0], first.output + second.output
    assert bool(schema_of(database_url)) == variant.example, server
    alembic("check")
