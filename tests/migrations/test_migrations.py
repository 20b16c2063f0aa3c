"""The migrations lead to the schema that the tables declare, also as SQL and when two run them at once.

`tests/every_variant/` goes up, down and up again with those of every variant.
"""

import re
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url, text

from tests.harness.alembic import Alembic
from tests.harness.schema import schema_of
from tests.harness.servers import Server, engine, free_port, pooler
from tests.harness.variants import Variant
from tests.harness.warm_process import Child, CommandFailed, WarmProcess

ORPHAN = """
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("INSERT INTO posts (author_id, title, content, published) VALUES (1, 'T', 'C', false)")
"""

ANEW = """
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    with op.batch_alter_table("tags") as batch:
        batch.create_check_constraint("named", "name <> ''")
"""

CONCURRENT_INDEX = """
import sqlalchemy as sa
from alembic import op

revision = "concurrent"
down_revision = {head!r}


def upgrade() -> None:
    op.create_table("shelves", sa.Column("id", sa.Integer(), primary_key=True), sa.Column("name", sa.String(50)))
    with op.get_context().autocommit_block():
        op.create_index("ix_shelves_name", "shelves", ["name"], postgresql_concurrently=True)


def downgrade() -> None:
    op.drop_table("shelves")
"""

KILLED = """
import os, signal
from alembic import op

revision = "killed"
down_revision = {head!r}


def upgrade() -> None:
    op.execute("SELECT 1")
    os.kill(os.getpid(), signal.SIGKILL)
"""

STEPS = """
import sqlalchemy as sa
from alembic import op

revision = "steps"
down_revision = {head!r}


def upgrade() -> None:
    shelves = op.create_table("shelves", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String(9)))
    op.bulk_insert(shelves, [{{"id": 1, "name": "first"}}, {{"id": 2, "name": "second"}}])
    op.add_column("shelves", sa.Column("width", sa.Integer))
    op.execute("UPDATE shelves SET width = id * 10")
    op.create_index("ix_shelves_name", "shelves", ["name"], unique=True)
    if op.get_bind().dialect.name == "mysql":
        op.create_table("boards", sa.Column("shelf_id", sa.Integer))
        op.create_foreign_key("fk_boards_shelf_id", "boards", "shelves", ["shelf_id"], ["id"])


def downgrade() -> None:
    if op.get_bind().dialect.name == "mysql":
        op.drop_table("boards")
    op.drop_table("shelves")
"""

ROWS_FIRST = """
import sqlalchemy as sa
from alembic import op

revision = "rows_first"
down_revision = {head!r}


def upgrade() -> None:
    op.execute("UPDATE counts SET n = n + 1")
    op.execute("{add_ten}")
    op.create_table("shelves", sa.Column("id", sa.Integer, primary_key=True))


def downgrade() -> None:
    op.execute("UPDATE counts SET n = 0")
    op.drop_table("shelves")
"""

TABLES = """
import sqlalchemy as sa
from alembic import op

revision = "tables"
down_revision = {head!r}


def upgrade() -> None:
    for name in ("first", "second", "third", "fourth"):
        op.create_table(name, sa.Column("id", sa.Integer, primary_key=True))


def downgrade() -> None:
    for name in ("first", "second", "third", "fourth"):
        op.drop_table(name)
"""

CATCHES = """
import sqlalchemy as sa
from alembic import op
from sqlalchemy.exc import DBAPIError

revision = "catches"
down_revision = {head!r}


def upgrade() -> None:
    connection = op.get_bind()
    with connection.begin_nested():
        connection.execute(sa.text("INSERT INTO counts VALUES (1)"))
    try:
        with connection.begin_nested():
            connection.execute(sa.text("INSERT INTO absent VALUES (1)"))
    except DBAPIError:
        op.create_table("first", sa.Column("id", sa.Integer, primary_key=True))
    try:
        op.drop_index("absent", "first")
    except DBAPIError:
        second = op.create_table("second", sa.Column("id", sa.Integer, primary_key=True))
    connection.execute(second.insert())
    op.execute("ALTER TABLE alembic_version MODIFY version_num VARCHAR(64) NOT NULL")
    for name in ("third", "fourth"):
        op.create_table(name, sa.Column("id", sa.Integer, primary_key=True))


def downgrade() -> None:
    for name in ("first", "second", "third", "fourth"):
        op.drop_table(name)
"""

# An upgrade that sees no lock of another, as through another node of a Galera cluster. Before it creates some tables it
# makes a file, and waits until that is gone.
HELD = """
import sys, time
from pathlib import Path
from alembic.config import main
from sqlalchemy import Engine, event

folder, name, *tables = sys.argv[1:]

@event.listens_for(Engine, "before_cursor_execute", retval=True)
def hold(_connection, _cursor, statement, parameters, *_):
    for table in tables:
        if f"CREATE TABLE {table}" in statement:
            reached = Path(folder, f"{name}-{table}")
            reached.touch()
            while reached.exists():
                time.sleep(0.01)
    return "SELECT 1" if "GET_LOCK" in statement else statement, parameters

main(["upgrade", "head"])
"""

# Goes on with what was killed, goes back, and is killed before the call of the driver that has the number.
KILLED_AT = """
import os, signal, sys
from alembic.config import main
import pymysql
from sqlalchemy.connectors import asyncio

calls, last = 0, 0
def counted(function):
    def call(*arguments):
        global calls
        calls += 1
        if calls == last:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments)
    return call
cursors = pymysql.cursors.Cursor, asyncio.AsyncAdapt_dbapi_cursor
connections = pymysql.connections.Connection, asyncio.AsyncAdapt_dbapi_connection
for cursor, connection in zip(cursors, connections):
    cursor.execute, connection.commit = counted(cursor.execute), counted(connection.commit)
main(["downgrade", sys.argv[2]])
calls, last = 0, int(sys.argv[1])
main(["upgrade", "head"])
"""


@pytest.fixture
def alembic(warm_process: WarmProcess, project: Path, database_url: str) -> Alembic:
    """Alembic on an empty database."""
    return Alembic(warm_process, project, database_url)


@pytest.mark.any_auth
def test_offline_sql(alembic: Alembic, variant: Variant, database_url: str) -> None:
    up, down = alembic("upgrade head --sql"), alembic("downgrade head:base --sql") if has_tables(variant) else ""
    for table in ["users"] * variant.example + ["audit_log"] * ("audit_log" in variant.mixins):
        assert f"CREATE TABLE {table}" in up
        assert f"DROP TABLE {table}" in down
    assert schema_of(database_url) == set()
    made = engine(database_url)
    with made.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in re.sub(r"^\S+Z INFO .*\n", "", up, flags=re.MULTILINE).split(";\n\n"):
            if statement.strip():
                connection.exec_driver_sql(statement)
    by_script = schema_of(database_url)
    alembic("downgrade base", "upgrade head")
    assert by_script == schema_of(database_url)


@pytest.mark.any_auth
def test_autogenerate_finds_nothing(warm_process: WarmProcess, project: Path, migrated_url: str) -> None:
    """`check`, which compares the same, runs on every variant."""
    before = set(project.glob("migrations/versions/*.py"))
    Alembic(warm_process, project, migrated_url)("revision --autogenerate -m 'nothing to do'")
    (made,) = set(project.glob("migrations/versions/*.py")) - before
    try:
        bodies = re.findall(r"def (?:up|down)grade\(\) -> None:\n((?: .*\n|\n)+)", made.read_text(encoding="utf-8"))
        statements = [line.strip() for body in bodies for line in body.splitlines()]
        assert {line for line in statements if line and not line.startswith(("#", '"""'))} == {"pass"}
    finally:
        made.unlink()


@pytest.mark.example
def test_orphaned_row_is_refused_and_undone(alembic: Alembic, project: Path, database_url: str) -> None:
    alembic("upgrade head")
    failure = pytest.raises(CommandFailed, match=r"(?i)foreign key|rows refer to rows")
    with revision_of(project, ORPHAN), failure:
        alembic("upgrade head")
    with engine(database_url).connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM posts")) == 0
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "0001"


@pytest.mark.example
def test_id_is_not_reused_after_batch_migration(alembic: Alembic, project: Path, database_url: str) -> None:
    alembic("upgrade head")
    with engine(database_url).begin() as connection:
        connection.execute(text("INSERT INTO tags (name) VALUES ('first'), ('last')"))
        connection.execute(text("DELETE FROM tags WHERE name = 'last'"))
    with revision_of(project, ANEW):
        alembic("upgrade head")
    with engine(database_url).begin() as connection:
        connection.execute(text("INSERT INTO tags (name) VALUES ('new')"))
        assert connection.scalars(text("SELECT id FROM tags ORDER BY id")).all() == [1, 3]


def test_concurrent_migrations_wait_for_each_other(
    alembic: Alembic, warm_process: WarmProcess, database_url: str, variant: Variant, migrated_url: str
) -> None:
    first, second = alembic.start("upgrade", "head"), alembic.start("upgrade", "head")
    assert [warm_process.wait(first).status, warm_process.wait(second).status] == [0, 0], first.output + second.output
    assert bool(schema_of(database_url)) == has_tables(variant)
    assert schema_of(database_url) == schema_of(migrated_url)
    alembic("check")


@pytest.mark.database("postgresql", "mysql")
def test_concurrent_migrations_create_index_concurrently(
    alembic: Alembic, warm_process: WarmProcess, project: Path, database_url: str, variant: Variant
) -> None:
    """An index that is built concurrently waits for every transaction with a snapshot.

    On SQLite every block of a transaction's own lets another writer in.
    """
    alembic("upgrade head")
    head = "0001" if has_tables(variant) else None
    with revision_of(project, CONCURRENT_INDEX.format(head=head)):
        for _ in range(3):
            migrators = [alembic.start("upgrade", "head") for _ in range(4)]
            ended = [warm_process.wait(migrator, timeout=120) for migrator in migrators]
            assert [migrator.status for migrator in ended] == [0] * 4, "".join(each.output for each in ended)
            assert any("ix_shelves_name" in line for line in schema_of(database_url))
            alembic("downgrade -1")


@pytest.mark.database("postgresql")
def test_migration_killed_behind_pooler_leaves_no_lock(
    warm_process: WarmProcess, project: Path, database_url: str, variant: Variant, server: Server, scratch: Path
) -> None:
    """A pooler goes on with the connection of a client that is gone, and with the locks of its session."""
    head = "0001" if has_tables(variant) else None
    with pooler(server, scratch / "pooler") as pooled:
        url = make_url(pooled).set(database=make_url(database_url).database)
        alembic = Alembic(warm_process, project, url.render_as_string(hide_password=False))
        alembic("upgrade head", "check")
        with revision_of(project, CONCURRENT_INDEX.format(head=head)):
            alembic("upgrade head", "downgrade -1")
        with revision_of(project, KILLED.format(head=head)):
            assert warm_process.wait(alembic.start("upgrade", "head")).status != 0
        with revision_of(project, CONCURRENT_INDEX.format(head=head)):
            migrators = [alembic.start("upgrade", "head") for _ in range(2)]
            ended = [warm_process.wait(migrator, timeout=60) for migrator in migrators]
            assert [migrator.status for migrator in ended] == [0] * 2, "".join(each.output for each in ended)
            alembic("downgrade base")


@pytest.mark.database("mysql")
def test_killed_migration_continues(
    alembic: Alembic, warm_process: WarmProcess, project: Path, database_url: str, variant: Variant
) -> None:
    alembic("upgrade head")
    head = "0001" if has_tables(variant) else None
    with revision_of(project, STEPS.format(head=head)):
        alembic("upgrade head")
        expected, reached = shelves(database_url), 0
        half = count(1 if variant.mixins else 2, step=2)  # with mixins the odd calls, without them the even
        for call in killed_at(half, warm_process, project, database_url, head or "base"):
            alembic("upgrade head")
            assert shelves(database_url) == expected
            reached = call
        assert reached > len(["create", "insert", "add", "update", "index", "create", "refer"]) * len(
            ["note", "commit", "do", "note"]
        )


@pytest.mark.database("mysql")
def test_migrators_that_see_no_lock_leave_what_the_next_can_end(
    alembic: Alembic, held: Callable[..., Child], project: Path, variant: Variant, tmp_path: Path
) -> None:
    alembic("upgrade head")
    with revision_of(project, TABLES.format(head="0001" if has_tables(variant) else None)):
        one, other = held("one", "second", "fourth"), held("other", "second")
        (tmp_path / "one-second").unlink()
        wait_for(tmp_path / "one-fourth", one)
        (tmp_path / "other-second").unlink()
        other.process.join(60)
        assert other.status, other.output
        assert "another process migrates this database now" in other.output
        kill(one)
        alembic("upgrade head", "downgrade -1")


@pytest.mark.database("mysql")
def test_revision_that_was_changed_after_a_run_was_cut_off_is_refused(
    alembic: Alembic, held: Callable[..., Child], project: Path, database_url: str, variant: Variant
) -> None:
    alembic("upgrade head")
    tables = TABLES.format(head="0001" if has_tables(variant) else None)
    with revision_of(project, tables):
        kill(held("one", "third"))
    with (
        revision_of(project, tables.replace('"second", "third", "fourth"', "")),
        pytest.raises(CommandFailed, match=r"CREATE TABLE second .* this run has 'the end of the revision'"),
    ):
        alembic("upgrade head")
    sent = "INSERT INTO migration_journal SELECT 3, REPLACE(statement, 'second', 'third'), 0 FROM migration_journal"
    with engine(database_url).begin() as connection:
        connection.execute(text(f"{sent} WHERE number = 2"))
    with (
        revision_of(project, tables.replace("third", "another")),
        pytest.raises(CommandFailed, match=r"CREATE TABLE third .* this run has 'CREATE TABLE another"),
    ):
        alembic("upgrade head")
    with revision_of(project, tables):
        alembic("upgrade head", "downgrade -1")


@pytest.mark.database("mysql")
def test_cut_off_revision_that_catches_errors_continues(
    alembic: Alembic, held: Callable[..., Child], project: Path, database_url: str, variant: Variant
) -> None:
    alembic("upgrade head")
    with engine(database_url).begin() as connection:
        connection.execute(text("CREATE TABLE counts (n INTEGER PRIMARY KEY)"))
    with revision_of(project, CATCHES.format(head="0001" if has_tables(variant) else None)):
        kill(held("one", "fourth"))
        alembic("upgrade head", "downgrade -1")


@pytest.fixture
def held(warm_process: WarmProcess, project: Path, database_url: str, tmp_path: Path) -> Callable[..., Child]:
    """A function that starts an upgrade and waits until it is held at the first of some tables."""

    def start(name: str, *tables: str) -> Child:
        command = ["-c", HELD, str(tmp_path), name, *tables]
        migrator = warm_process.start(command, project, {"DATABASE_URL": database_url})
        wait_for(tmp_path / f"{name}-{tables[0]}", migrator)
        return migrator

    return start


def kill(child: Child) -> None:
    """Kill a process, and wait for its end."""
    child.process.kill()
    child.process.join()


def wait_for(file: Path, child: Child) -> None:
    """Wait until a process has made a file."""
    while not file.exists():
        assert child.status is None, child.output
        time.sleep(0.01)


@pytest.mark.database("mysql")
def test_killed_migration_changes_no_row_twice(
    alembic: Alembic, warm_process: WarmProcess, project: Path, database_url: str, variant: Variant, server: Server
) -> None:
    add_ten = "UPDATE counts SET n = n + 10"
    if server.product == "MySQL":  # MariaDB takes no WITH here
        add_ten = "WITH t AS (SELECT 10 AS ten) UPDATE counts, t SET n = n + ten"
    alembic("upgrade head")
    head = "0001" if has_tables(variant) else None
    with engine(database_url).begin() as connection:
        connection.execute(text("CREATE TABLE counts (n INTEGER PRIMARY KEY)"))
        connection.execute(text("INSERT INTO counts VALUES (0)"))
    with revision_of(project, ROWS_FIRST.format(head=head, add_ten=add_ten)):
        alembic("upgrade head")
        reached = 0
        for call in killed_at(count(1), warm_process, project, database_url, head or "base"):
            alembic("upgrade head")
            with engine(database_url).connect() as connection:
                assert connection.scalar(text("SELECT n FROM counts")) == 11
            reached = call
        assert reached > len(["create", "change", "note", "change", "note", "note", "commit", "do", "note"])


def test_failed_migration_continues_after_correction(
    alembic: Alembic, project: Path, database_url: str, variant: Variant
) -> None:
    alembic("upgrade head")
    steps = STEPS.format(head="0001" if has_tables(variant) else None)
    with revision_of(project, steps.replace("id * 10", "absent")):
        with pytest.raises(CommandFailed, match="absent"):
            alembic("upgrade head")
        alembic("current")
    for correction in [("String(9)", "String(88)"), ("second", "2nd")] * (variant.database == "mysql"):
        with (
            revision_of(project, steps.replace(*correction)),
            pytest.raises(CommandFailed, match=r"A run was cut off after 3 statements, which migration_journal lists"),
        ):
            alembic("upgrade head")
    with revision_of(project, steps):
        alembic("upgrade head")
        assert shelves(database_url)[1] == [(1, "first", 10), (2, "second", 20)]
        alembic("downgrade -1", "upgrade head")
    assert not any("migration_journal" in line for line in schema_of(database_url))


@pytest.mark.parametrize("wrong", ["database", "user", "port", "host"])
def test_unreachable_database_is_one_line(
    wrong: str, warm_process: WarmProcess, project: Path, database_url: str, tmp_path: Path
) -> None:
    url = make_url(database_url)
    if url.drivername == "sqlite":
        file = {"database": tmp_path / "none" / "app.db", "user": tmp_path, "port": tmp_path / "text", "host": Path()}
        (tmp_path / "text").write_text("no database" * 100)
        url = url.set(database=str(file[wrong]))
    else:
        url = url.set(username="nobody", password="hush") if wrong == "user" else url.set(password="hush")
        url = {
            "database": url.set(database="absent"),
            "user": url,
            "port": url.set(port=free_port()),
            "host": url.set(host="absent.invalid"),
        }[wrong]
    environment = {"DATABASE_URL": url.render_as_string(hide_password=False)}
    for command in ("upgrade head", "current"):
        child = warm_process.run(["-m", "alembic", *command.split()], project, environment, check=False)
        assert child.status == 1
        (line,) = child.output.splitlines()
        assert line.startswith("DATABASE_URL: ")
        assert str(url.database) in line
        assert url.host is None or url.host in line
        assert "hush" not in line


@contextmanager
def revision_of(project: Path, text: str) -> Iterator[Path]:
    """Give the project one more revision."""
    path = project / "migrations" / "versions" / "one_more.py"
    path.write_text(text, encoding="utf-8")
    try:
        yield path
    finally:
        path.unlink()


def killed_at(calls: Iterable[int], warm_process: WarmProcess, project: Path, url: str, head: str) -> Iterator[int]:
    """Kill an upgrade before each of these calls of the driver; give its number, until one is done before it."""
    for call in calls:
        child = warm_process.run(["-c", KILLED_AT, str(call), head], project, {"DATABASE_URL": url}, check=False)
        assert child.status in {0, -signal.SIGKILL}, child.output
        yield call
        if child.status == 0:
            return


def shelves(url: str) -> tuple[set[str], list[Any]]:
    """Read the schema, and the rows of a table."""
    with engine(url).connect() as connection:
        rows = connection.execute(text("SELECT * FROM shelves ORDER BY id")).all()
    return schema_of(url), [tuple(row) for row in rows]


def has_tables(variant: Variant) -> bool:
    """Tell whether the project comes with tables of its own."""
    return variant.example or "audit_log" in variant.mixins
