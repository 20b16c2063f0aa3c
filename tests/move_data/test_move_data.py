"""The command moves data from any database to any other, compares it, and refuses what it can't move."""

import datetime as dt
import itertools
import json
import random
import re
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql
from typer.testing import CliRunner, Result

from copier_fastapi_sqlalchemy.cli import app
from copier_fastapi_sqlalchemy.move_data.rows import BATCH
from tests.harness import servers
from tests.harness.alembic import Alembic
from tests.harness.commands import clean_environment, tool
from tests.harness.pages import text_of
from tests.harness.rendering import render_variant
from tests.harness.servers import SERVERS, Server, engine
from tests.harness.service import calling
from tests.harness.variants import ROOT, Variant, choices
from tests.harness.warm_process import WarmProcess
from tests.updates.releases import git

MOVE_DATA = [sys.executable, "-m", "copier_fastapi_sqlalchemy", "move-data"]
PATIENCE = 60.0
DUMP = """
import json, sys
from sqlalchemy import create_engine, select
from app.tables import metadata
engine = create_engine(sys.argv[1])
with engine.connect() as connection:
    for table in metadata.sorted_tables:
        columns = sorted((column for column in table.c if column.computed is None), key=lambda column: column.name)
        for row in connection.execute(select(*columns).order_by(*table.primary_key)).mappings():
            print(table.name, json.dumps(dict(row), default=str, sort_keys=True))
engine.dispose()
"""
BARE: tuple[Any, ...] = (0, 1, True, False, 1.5, 2**63 - 1, "", "null", "5", [], [[]], "\\u0000")
PROVED = "each was read back and is the same."
PREFERENCES = {
    "none": None,
    "nested": {"list": [1, 2.5, {"é😀": "\u2028"}]},
    "large": 2**53 + 1,
    "small": 1e-7,
    "no": False,
}
Rows = Sequence[Mapping[str, Any]]


class Mood(Enum):
    """A native enum where there is one."""

    calm = "calm"
    wild = "wild"


def metadata_of() -> sa.MetaData:
    """Make the tables of every type, a tree, a cycle, a key of two columns and a table without a key."""
    metadata = sa.MetaData()
    moment = sa.DateTime(timezone=True).with_variant(mysql.DATETIME(fsp=6), "mysql")
    options: dict[str, Any] = {"mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin", "sqlite_autoincrement": True}
    sa.Table(
        "kinds",
        metadata,
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("flag", sa.Boolean()),
        sa.Column("small", sa.SmallInteger()),
        sa.Column("big", sa.BigInteger()),
        sa.Column("ratio", sa.Float()),
        sa.Column("exact", sa.Double()),
        sa.Column("price", sa.Numeric(14, 4)),
        sa.Column("name", sa.String(200)),
        sa.Column("code", sa.CHAR(8)),
        sa.Column("body", sa.Text().with_variant(mysql.LONGTEXT(), "mysql")),
        sa.Column("moment", moment),
        sa.Column("day", sa.Date()),
        sa.Column("hour", sa.Time().with_variant(mysql.TIME(fsp=6), "mysql")),
        sa.Column("span", sa.Interval()),
        sa.Column("token", sa.Uuid()),
        sa.Column("data", sa.LargeBinary().with_variant(mysql.LONGBLOB(), "mysql")),
        sa.Column("document", sa.JSON().with_variant(postgresql.JSONB(), "postgresql")),
        sa.Column("mood", sa.Enum(Mood)),
        **options,
    )
    sa.Table(
        "tree",
        metadata,
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("parent_id", sa.ForeignKey("tree.id")),
        sa.Column("name", sa.String(20), nullable=False),
        **options,
    )
    sa.Table(
        "captains",
        metadata,
        sa.Column("id", sa.Integer(), sa.Identity(always=True), primary_key=True),
        sa.Column("ship_id", sa.ForeignKey("ships.id", name="fk_captains_ships", use_alter=True)),
        **options,
    )
    sa.Table(
        "ships",
        metadata,
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("captain_id", sa.ForeignKey("captains.id"), nullable=False),
    )
    sa.Table(
        "translations",
        metadata,
        sa.Column("language", sa.String(8), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("made", moment, primary_key=True),
        sa.Column("text", sa.Text(), nullable=False),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
    )
    sa.Table("notes", metadata, sa.Column("text", sa.String(50)), sa.Column("document", sa.JSON()), **options)
    return metadata


METADATA = metadata_of()


def filled() -> dict[str, Rows]:
    """Give rows for the tables, awkward ones among them."""
    chance = random.Random(1)  # noqa: S311 - the same numbers each time
    utc, sample = dt.UTC, {column.name: None for column in METADATA.tables["kinds"].c}
    kinds: list[dict[str, Any]] = [
        {"flag": True, "small": -32768, "big": 2**63 - 1, "ratio": 0.1, "exact": 1 / 3, "price": Decimal("0.0001")},
        {
            "flag": False,
            "small": 0,
            "big": -(2**63),
            "ratio": -3.5,
            "exact": 1.7976931348623157e308,
            "price": Decimal(-7),
        },
        {"flag": None, "name": "", "code": "", "body": "", "data": b"", "document": {}, "mood": Mood.calm},
        {"name": "😀 “é” \\ ' % ? :x", "code": "a b", "body": "line\r\n\ttab\x1a" + "😀" * 200_000, "mood": Mood.wild},
        {"name": "  spaces ", "data": bytes(range(256)) * 400, "token": uuid.UUID(int=7)},
        {"moment": dt.datetime(2024, 2, 29, 23, 59, 59, 999999, utc), "day": dt.date(2024, 2, 29)},
        {"moment": dt.datetime(1970, 1, 1, tzinfo=utc), "day": dt.date(1000, 1, 1), "hour": dt.time(23, 59, 59, 1)},
        {"moment": dt.datetime(9999, 12, 31, 23, 0, 0, 1, utc), "hour": dt.time(), "span": dt.timedelta(3, 4)},
        {"document": sa.JSON.NULL},
        {"document": sa.null()},
        *({"document": document} for document in BARE),
        {"document": {"ß😀": [None, {"x": {"y": [1, 2.25, -1e-7, '\\ " \n']}}], "null": None, "b": True, "a": 1}},
        *({"exact": chance.random() * 10 ** chance.randint(-200, 200)} for _ in range(200)),
        *(
            {"ratio": float(f"{chance.random():.6g}"), "token": uuid.UUID(int=chance.getrandbits(128), version=4)}
            for _ in range(50)
        ),
    ]
    size = 2 * BATCH + 500
    start = dt.datetime(2024, 1, 1, tzinfo=utc)
    return {
        "kinds": [sample | {"document": sa.null(), "id": number} | row for number, row in enumerate(kinds)],
        "tree": [
            {"id": number, "parent_id": number + 1 if number < size else None, "name": f"node {number}"}
            for number in range(size, 0, -1)
        ],
        "captains": [{"id": number, "ship_id": None} for number in range(1, 6)],
        "ships": [{"id": 10 * number, "captain_id": number} for number in range(1, 6)],
        "translations": [
            {"language": language, "number": number, "made": start + dt.timedelta(microseconds=part), "text": "…"}
            for language, number, part in itertools.product(("de", "DE", "é", "e"), range(-150, 150), (0, 1, 2))
        ],
        "notes": [{"text": text, "document": [text]} for text in ("twice", "twice", None, "once") for _ in range(400)],
    }


def run(*urls: str, environment: Mapping[str, str] | None = None) -> Result:
    """Run the command in this process; an exception that it doesn't handle fails the test."""
    result = CliRunner().invoke(app, ["move-data", *urls], env=environment)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def moved(source: str, target: str) -> list[str]:
    """Run the command, check that it succeeds, and give the lines that it prints."""
    result = run(source, target)
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    return result.stdout.splitlines()


def refused(*urls: str, exit_code: int = 1) -> str:
    """Run the command, check that it fails with one line, and give that line."""
    result = run(*urls)
    assert result.exit_code == exit_code, result.output
    (sentence,) = result.stderr.splitlines()
    return sentence


def make(url: str, metadata: sa.MetaData = METADATA, rows: Mapping[str, Rows] | None = None) -> None:
    """Make the tables in a database, and fill them."""
    made = engine(url)
    with made.begin() as connection:
        if made.dialect.name == "mysql":
            connection.execute(sa.text("SET sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO'"))
        metadata.create_all(connection)
        for name, some in (rows or {}).items():
            table, overriding = metadata.tables[name], name == "captains" and made.dialect.name == "postgresql"
            if overriding:
                connection.execute(sa.text("INSERT INTO captains OVERRIDING SYSTEM VALUE SELECT generate_series(1, 5)"))
            else:
                connection.execute(table.insert(), some)
        if "captains" in (rows or {}):
            connection.execute(sa.text("UPDATE captains SET ship_id = 60 - 10 * id"))


def rows_of(url: str, metadata: sa.MetaData = METADATA) -> dict[str, list[Any]]:
    """Read every row as a service does, by the types of its tables."""
    with engine(url).connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("SET TIME ZONE 'UTC'"))
        return {
            table.name: sorted(
                (tuple(map(plain, table.c, row)) for row in connection.execute(sa.select(table))), key=repr
            )
            for table in metadata.sorted_tables
        }


def plain(column: sa.Column[Any], value: Any) -> tuple[type, Any]:
    """Give a value with its type: a moment in UTC without its zone, JSON as text, a CHAR without what fills it."""
    if isinstance(value, dt.datetime) and value.tzinfo:
        value = value.astimezone(dt.UTC).replace(tzinfo=None)
    elif isinstance(value, dict | list):
        value = json.dumps(value, sort_keys=True)
    elif isinstance(column.type, sa.CHAR) and value is not None:
        value = value.rstrip()
    return type(value), value


def scalar(url: str, statement: str) -> Any:
    """Give the one value that a statement asks for."""
    with engine(url).connect() as connection:
        return connection.scalar(sa.text(statement))


def execute(url: str, *statements: str) -> None:
    """Run statements in a transaction."""
    with engine(url).begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))


def pairs(running: Sequence[Server]) -> Iterator[tuple[Server, Server]]:
    """Give each ordered pair of databases, on the servers of a database in turn."""
    databases = {server.database: [one for one in running if one.database == server.database] for server in running}
    for number, (source, target) in enumerate(itertools.permutations(databases, 2)):
        turn = number // 2 % 2
        yield databases[source][-turn % len(databases[source])], databases[target][turn % len(databases[target])]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the tests between each two databases, or all servers."""
    running = metafunc.config.stash[SERVERS]
    if "between" in metafunc.fixturenames:
        found = list(pairs(running))
        metafunc.parametrize("between", found, ids=[f"{a.product}-{b.product}".lower() for a, b in found])


NewDatabase = Callable[[str], str]


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    """What is closed at the end of a test."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def urls(between: tuple[Server, Server], tmp_path: Path, opened: ExitStack) -> list[str]:
    """The URLs of two empty databases."""
    return [opened.enter_context(servers.new_database(server, tmp_path)) for server in between]


@pytest.fixture
def new_database(request: pytest.FixtureRequest, tmp_path: Path, opened: ExitStack) -> NewDatabase:
    """A way to an empty database of a kind; it skips the test where no server of that kind runs."""
    found = request.config.stash[SERVERS]
    running = {server.database: server for server in reversed(found)}

    def new(database: str) -> str:
        if database not in running:
            pytest.skip(f"no server of {database} runs")
        return opened.enter_context(servers.new_database(running[database], tmp_path))

    return new


@pytest.fixture(scope="module")
def projects(source: Path, scratch: Path) -> Callable[[str], Path]:
    """A way to the project with all mixins for a database, rendered once."""

    def project(database: str) -> Path:
        io, data_access = {"sqlite": ("async", "orm"), "postgresql": ("sync", "core")}.get(database, ("async", "core"))
        variant = Variant(database, io, data_access, choices("mixins"))
        folder = scratch / f"moving-{database}"
        return folder if folder.exists() else render_variant(source, variant, folder)

    return project


def as_served(warm_process: WarmProcess, project: Path, url: str) -> list[str]:
    """Give every row of a project's database, as the project reads it."""
    driven = engine(url).url.render_as_string(hide_password=False)
    return warm_process.run(["-c", DUMP, driven], project, {"DATABASE_URL": url}).output.splitlines()


def leave_traces(api: httpx2.Client) -> int:
    """Change and delete users and posts of the seed, and give the id of a user that is made last."""
    user = {"email": "ö.😀@example.com".replace("😀", "x"), "name": "Zoë 😀 O'Neil \\ %s", "preferences": PREFERENCES}
    made = api.post("/users", json=user).raise_for_status().json()
    tag = {"if-match": f'"{made["version"]}"'}
    api.patch(f"/users/{made['id']}", json={"name": "Zoë 😀"}, headers=tag).raise_for_status()
    posts = api.get("/posts").raise_for_status().json()["items"]
    api.delete(f"/posts/{posts[0]['id']}").raise_for_status()
    last = api.post("/users", json=user | {"email": "last@example.com"}).raise_for_status().json()["id"]
    assert isinstance(last, int)
    return last


def test_service_continues_with_another_database(
    between: tuple[Server, Server],
    urls: list[str],
    projects: Callable[[str], Path],
    warm_process: WarmProcess,
    tmp_path: Path,
) -> None:
    (here, there), (old, new) = between, urls
    before, after = projects(here.database), projects(there.database)
    Alembic(warm_process, before, old)("upgrade head")
    warm_process.run(["-m", "app.seed"], before, {"DATABASE_URL": old})
    with calling(warm_process, before, {"DATABASE_URL": old}, tmp_path) as api:
        last = leave_traces(api)
    execute(old, "DELETE FROM users WHERE email = 'last@example.com'")
    alembic = Alembic(warm_process, after, new)
    alembic("upgrade head")

    lines = moved(old, new)
    rows = as_served(warm_process, before, old)
    assert as_served(warm_process, after, new) == rows
    assert lines[-1] == f"Moved {len(rows)} rows of 7 tables; each was read back and is the same."
    again = f"Moved 0 rows of 7 tables; {len(rows)} were there already; each was read back and is the same."
    assert moved(old, new)[-1] == again

    alembic("check")
    with calling(warm_process, after, {"DATABASE_URL": new}, tmp_path) as api:
        users = api.get("/users", params={"sort": "id"}).raise_for_status().json()["items"]
        assert [user["preferences"] for user in users if user["name"] == "Zoë 😀"] == [PREFERENCES]
        found = api.get("/posts/search", params={"q": "query plan"}).raise_for_status().json()["items"]
        assert found[0]["title"] == "Reading a query plan without fear"
        made = api.post("/users", json={"email": "new@example.com", "name": "New"}).raise_for_status().json()
        assert made["id"] == last + 1


def test_every_type_and_reference_is_moved(urls: list[str]) -> None:
    source, target = urls
    make(source, rows=filled())
    make(target)
    if source.startswith("postgresql"):
        execute(source, "SELECT setval('tree_id_seq', 9000)")
    execute(source, "INSERT INTO tree (id, name) VALUES (9000, 'gone')", "DELETE FROM tree WHERE id = 9000")
    expected = rows_of(source)
    number = sum(map(len, expected.values()))

    lines = moved(source, target)
    assert rows_of(target) == expected
    without = "SELECT count(*) FROM kinds WHERE document IS NULL"
    assert scalar(target, without) == scalar(source, without)
    assert "tree          2,500 of 2,500" in lines
    assert "tree, references  2,500 of 2,500" in lines
    assert lines[-1] == f"Moved {number:,} rows of 6 tables; each was read back and is the same."
    assert rows_of(source) == expected

    execute(target, "INSERT INTO tree (name) VALUES ('new')", "INSERT INTO captains (ship_id) VALUES (NULL)")
    assert scalar(target, "SELECT id FROM tree WHERE name = 'new'") == 9000 + 1
    assert scalar(target, "SELECT max(id) FROM captains") == 5 + 1


def test_integers_of_any_size_are_moved(urls: list[str]) -> None:
    """The driver, or SQLAlchemy, may take the first of several integers for what all of them need."""
    source, target = urls
    sizes = (1, 2**15, 2**31 - 1, 2**31, 2**40, 2**63 - 1)
    metadata = sa.MetaData()
    key: dict[str, Any] = {"primary_key": True, "autoincrement": False}
    sa.Table("one", metadata, sa.Column("id", sa.BigInteger, **key), sa.Column("size", sa.BigInteger))
    sa.Table("two", metadata, *(sa.Column(name, sa.BigInteger, **key) for name in ("first", "second")))
    rows = {
        "one": [{"id": size, "size": -size} for size in sizes],
        "two": [{"first": size, "second": size} for size in sizes],
    }
    make(source, metadata, rows)
    make(target, metadata)
    assert moved(source, target)[-1] == f"Moved 12 rows of 2 tables; {PROVED}"
    assert rows_of(target, metadata) == rows_of(source, metadata)
    assert moved(source, target)[-1] == f"Moved 0 rows of 2 tables; 12 were there already; {PROVED}"


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_key_that_target_cannot_hold_is_refused_by_its_row(database: str, new_database: NewDatabase) -> None:
    source, target = new_database("mysql"), new_database(database)
    execute(source, "CREATE TABLE one (id bigint unsigned PRIMARY KEY)", "INSERT INTO one VALUES (1), (~0)")
    execute(target, "CREATE TABLE one (id bigint PRIMARY KEY)")
    assert refused(source, target).startswith(f"one (id={2**64 - 1}): the new database doesn't take it: ")


def test_row_with_null_as_key_is_refused(new_database: NewDatabase) -> None:
    source, target = new_database("sqlite"), new_database("sqlite")
    execute(source, "CREATE TABLE p (id text PRIMARY KEY, v text)", "INSERT INTO p VALUES ('a', 'x'), (NULL, 'y')")
    execute(target, "CREATE TABLE p (id text PRIMARY KEY, v text)")
    assert refused(source, target) == "p: a row's key is null. Give it one in the old database."
    assert scalar(target, "SELECT count(*) FROM p") == 0


def disconnect_others(connection: sa.Connection) -> None:
    """End the other connections to a connection's database."""
    others, end = {
        "postgresql": (
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
            "SELECT pg_terminate_backend({})",
        ),
        "mysql": (
            "SELECT id FROM information_schema.processlist WHERE db = database() AND id <> connection_id()",
            "KILL {}",
        ),
    }[connection.dialect.name]
    for number in connection.scalars(sa.text(others)).all():
        connection.execute(sa.text(end.format(number)))


@pytest.mark.parametrize("database", ["postgresql", "mysql"])
@pytest.mark.parametrize("interruption", ["killed", "disconnected"])
def test_interrupted_move_is_continued(database: str, interruption: str, new_database: NewDatabase) -> None:
    source, target = new_database("sqlite"), new_database(database)
    size = 20 * BATCH
    make(source, rows={"tree": [{"id": number, "parent_id": None, "name": "…"} for number in range(size)]})
    make(target)
    counted, half, deadline = 0, {"half": size // 2}, time.monotonic() + PATIENCE
    with engine(target).connect().execution_options(isolation_level="READ COMMITTED") as connection:
        # The process waits for this row: it is neither at its end nor in a COMMIT when it is interrupted.
        connection.execute(sa.text("INSERT INTO tree (id, name) VALUES (:half, 'taken')"), half)
        command = [*MOVE_DATA, source, target]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        while counted < half["half"] and process.poll() is None and time.monotonic() < deadline:
            counted = connection.scalar(sa.text("SELECT count(*) FROM tree WHERE id < :half"), half)
        if interruption == "killed":
            process.send_signal(signal.SIGKILL)
        else:
            disconnect_others(connection)
        _, errors = process.communicate()
        connection.rollback()
    if interruption == "killed":
        assert process.returncode == -signal.SIGKILL
    else:
        assert process.returncode == 1
        (sentence,) = errors.splitlines()
        assert sentence.endswith(". Run the same command again: it continues where it stopped.")
    there = scalar(target, "SELECT count(*) FROM tree")
    assert there == half["half"]

    last = moved(source, target)[-1]
    assert last == f"Moved {size - there:,} rows of 6 tables; {there:,} were there already; {PROVED}"
    assert rows_of(target) == rows_of(source)
    assert moved(source, target)[-1] == f"Moved 0 rows of 6 tables; {size:,} were there already; {PROVED}"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE tree SET name = 'other' WHERE id = 1500",
        "INSERT INTO tree (id, name) VALUES (7000, 'more')",
        "INSERT INTO notes (text) VALUES ('more')",
        "UPDATE notes SET text = 'other' WHERE text = 'once'",
    ],
)
def test_target_with_other_rows_is_refused_and_unchanged(statement: str, new_database: NewDatabase) -> None:
    source, target = new_database("sqlite"), new_database("postgresql")
    make(source, rows=filled())
    make(target, rows=filled())
    execute(target, statement)
    before = rows_of(target)
    sentence = refused(source, target)
    assert ("tree (id=1500): the new database has this row with another name" in sentence) == ("1500" in statement)
    assert rows_of(target) == before


def test_half_filled_cycle_is_moved(new_database: NewDatabase) -> None:
    source, target = new_database("sqlite"), new_database("postgresql")
    make(source, rows=filled())
    make(target, rows=filled())
    execute(target, "UPDATE captains SET ship_id = NULL", "UPDATE tree SET parent_id = NULL")
    moved(source, target)
    assert rows_of(target) == rows_of(source)


def test_missing_table_or_column_is_refused_before_writing(new_database: NewDatabase) -> None:
    source, target = new_database("sqlite"), new_database("postgresql")
    make(source, rows=filled())
    make(target)
    migrate = "Migrate the new database first: `alembic upgrade head`."
    for change, lack in (
        ("ALTER TABLE tree RENAME COLUMN name TO title", "The new database has no column tree.name."),
        ("ALTER TABLE tree ADD name text, ALTER title SET NOT NULL", "The old database has no column tree.title"),
        ("ALTER TABLE tree ALTER title DROP NOT NULL, ALTER name TYPE integer USING 1", "tree.name is"),
        ("DROP TABLE tree", "The new database has no table tree."),
    ):
        execute(target, change)
        sentence = refused(source, target)
        assert sentence.startswith(lack)
        assert sentence.endswith(migrate)
    assert scalar(target, "SELECT count(*) FROM kinds") == 0


@pytest.mark.parametrize(
    ("column", "value", "database"),
    [
        ("name", "a\0b", "postgresql"),
        ("document", ["a\0b"], "postgresql"),
        ("ratio", 1 / 3, "mysql"),
        ("small", 2**40, "postgresql"),
        ("name", "x" * 201, "mysql"),
    ],
)
def test_value_that_target_cannot_hold_is_refused_by_its_row(
    column: str, value: object, database: str, new_database: NewDatabase
) -> None:
    source, target = new_database("sqlite"), new_database(database)
    make(source, rows={"kinds": [{"id": 1, column: "" if column == "name" else 0}, {"id": 77, column: value}]})
    make(target)
    sentence = refused(source, target)
    assert sentence.startswith("kinds (id=77): ")
    if database == "mysql" or column != "small":
        assert column in sentence
    assert scalar(target, "SELECT count(*) FROM kinds") == 0


def test_json_number_that_mysql_rounds_is_refused(new_database: NewDatabase) -> None:
    source, target = new_database("sqlite"), new_database("mysql")
    make(source, rows={"kinds": [{"id": 77, "document": [10**25 + 1]}]})
    make(target)
    if servers.identify(target).product == "MariaDB":
        moved(source, target)
        assert rows_of(target) == rows_of(source)
    else:
        assert refused(source, target).startswith("kinds (id=77): ")
        assert scalar(target, "SELECT count(*) FROM kinds") == 0


def test_float_of_mysql_keeps_all_digits(new_database: NewDatabase) -> None:
    source, target = new_database("mysql"), new_database("sqlite")
    make(source, rows={"kinds": [{"id": 1, "ratio": 16777215.0}]})
    make(target)
    moved(source, target)
    assert scalar(target, "SELECT ratio FROM kinds") == 16777215


@pytest.mark.parametrize("database", ["sqlite", "mysql", "postgresql"])
def test_first_and_last_moment_are_moved_as_asyncpg_stores_them(database: str, new_database: NewDatabase) -> None:
    metadata, zoned = sa.MetaData(), sa.DateTime(timezone=True).with_variant(mysql.DATETIME(fsp=6), "mysql")
    days, moments = sa.Column("day", sa.Date()), sa.Column("moment", zoned)
    sa.Table("ends", metadata, sa.Column("id", sa.Integer(), primary_key=True), days, moments)
    source, target = new_database("postgresql"), new_database(database)
    make(source, metadata)
    make(target, metadata)
    execute(source, "INSERT INTO ends VALUES (1, '-infinity', '-infinity'), (2, 'infinity', 'infinity')")
    moved(source, target)
    rows = [[str(value) for _, value in row] for row in rows_of(target, metadata)["ends"]]
    assert rows == [["1", "0001-01-01", "0001-01-01 00:00:00"], ["2", "9999-12-31", "9999-12-31 23:59:59.999999"]]


def test_role_without_privileges_may_own_target(new_database: NewDatabase) -> None:
    source, target = new_database("sqlite"), sa.make_url(new_database("postgresql"))
    owner = f"mover_{target.database}"
    admin = target.render_as_string(hide_password=False)
    execute(admin, f"CREATE ROLE {owner} LOGIN PASSWORD 'hush'", f"ALTER DATABASE {target.database} OWNER TO {owner}")
    execute(admin, f"ALTER ROLE {owner} SET timezone = 'Asia/Tokyo'")
    url = target.set(username=owner, password="hush").render_as_string(hide_password=False)
    try:
        make(source, rows=filled())
        make(url)
        moved(source, url)
        assert rows_of(admin) == rows_of(source)
    finally:
        execute(admin, f"REASSIGN OWNED BY {owner} TO CURRENT_USER", f"DROP OWNED BY {owner}", f"DROP ROLE {owner}")


def test_wrong_arguments_are_refused_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert refused(exit_code=2).startswith("OLD_URL is missing.")
    assert refused("sqlite:///a.db", exit_code=2).startswith("NEW_URL is missing.")
    for url in (
        "hush",
        "postgresql://u:hush@localhost:port/db",
        "oracle://u:hush@host/db",
        "sqlite://",
        "mysql://u:hush@h",
    ):
        sentence = refused(url, "sqlite:///a.db", exit_code=2)
        assert sentence.startswith("OLD_URL is not the URL of a SQLite, PostgreSQL or MySQL database")
        assert "hush" not in sentence
    assert "the same database" in refused("sqlite:///./a.db", "sqlite+aiosqlite:///a.db", exit_code=2)
    assert "is not a file" in refused("sqlite:///a.db", "sqlite:///b.db", exit_code=2)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("scheme", ["postgresql", "mysql+asyncmy"])
def test_unreachable_server_is_named_without_password(scheme: str, new_database: NewDatabase) -> None:
    source = new_database("sqlite")
    make(source)
    sentence = refused(source, f"{scheme}://user:hush@127.0.0.1:{servers.free_port()}/db")
    assert sentence.startswith("The new database can't be reached: ")
    assert "hush" not in sentence


def test_urls_are_read_from_the_environment(new_database: NewDatabase) -> None:
    source, target = new_database("sqlite"), new_database("sqlite")
    make(source, rows={"tree": [{"id": 1, "name": "root"}]})
    make(target)
    result = run(environment={"OLD_DATABASE_URL": source, "NEW_DATABASE_URL": target})
    assert result.exit_code == 0
    assert rows_of(target) == rows_of(source)


def test_terminal_asks_for_urls_without_showing_them_and_has_a_progress_bar(new_database: NewDatabase) -> None:
    source, target = new_database("sqlite"), new_database("sqlite")
    make(source, rows=filled())
    make(target)
    terminal = [sys.executable, "-c", "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)"]
    with subprocess.Popen([*terminal, *MOVE_DATA], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for name, url in (("OLD_URL", source), ("NEW_URL", target)):
            prompt = b""
            while not prompt.endswith(b"(not shown): "):
                prompt += process.stdout.read(1)
            assert name in prompt.decode()
            process.stdin.write(f"{url}\n".encode())
            process.stdin.flush()
        shown = process.stdout.read().decode()
        assert process.wait() == 0, shown
    assert PROVED in shown
    assert source not in shown
    assert target not in shown
    assert re.search("kinds .*━{10}.* of ", shown)


def test_command_is_installed_from_a_git_repository(new_database: NewDatabase, tmp_path: Path) -> None:
    """The command of the documentation works, with a local repository for the one on GitHub."""
    source, target = new_database("sqlite"), new_database("sqlite")
    make(source, rows={"tree": [{"id": 1, "name": "root"}]})
    make(target)
    repository = tmp_path / "repository"
    for name in ("copier_fastapi_sqlalchemy", "macros"):
        shutil.copytree(ROOT / name, repository / name)
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, repository)
    git(repository, "init", "--quiet")
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message", "Start")

    documented = re.findall(r"(?m)^uvx --from git\+https.* move-data", text_of("docs/moving-data.md"))[0]
    assert documented in text_of("copier.yml")
    command = re.sub(r"git\+https://\S+", f"git+{repository.as_uri()}", documented).split()
    environment = clean_environment(UV_PYTHON=sys.executable)
    done = subprocess.run(
        [tool("uvx"), *command[1:], source, target], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == f"Moved 1 rows of 6 tables; {PROVED}"
