"""What Alembic writes for tables of one's own goes up, holds what the types promise, and goes down and up again."""

import re
from pathlib import Path

import pytest

from tests.harness.alembic import Alembic, declared_schema
from tests.harness.rendering import render_variant
from tests.harness.schema import schema_of
from tests.harness.servers import NewDatabase, engine
from tests.harness.variants import Variant
from tests.harness.warm_process import CommandFailed, WarmProcess

# Types of SQLAlchemy's own, of the database's, and of the owner's.
TYPES = '''
import enum
import uuid
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.types import TypeDecorator, UserDefinedType

from app.db import types
from app.db.metadata import metadata
from app.settings import load_settings

BACKEND = load_settings().database_url.get_backend_name()


class Color(enum.StrEnum):
    RED = "red"
    GREEN = "it's green"


class Size(enum.Enum):
    SMALL = 1
    LARGE = 2


class Code(TypeDecorator[str]):
    """Picks its type by the database."""

    impl = sa.CHAR
    cache_ok = True

    def load_dialect_impl(self, dialect):
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.VARCHAR(32))
        if dialect.name == "mysql":
            return dialect.type_descriptor(mysql.CHAR(32, collation="utf8mb4_bin"))
        return dialect.type_descriptor(sa.CHAR(32))


class Document(TypeDecorator[dict]):
    impl = sa.JSON
    cache_ok = True

    def load_dialect_impl(self, dialect):
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.JSONB(astext_type=sa.String(7)))
        return dialect.type_descriptor(sa.JSON(none_as_null=True))


class Price(TypeDecorator[Decimal]):
    impl = sa.Numeric(10, 2)
    cache_ok = True


class Cost(TypeDecorator[Decimal]):
    """A type of one's own in another."""

    impl = Price
    cache_ok = True


class Name(TypeDecorator[str]):
    impl = sa.String(30, collation={"sqlite": "NOCASE", "postgresql": "C", "mysql": "utf8mb4_unicode_ci"}[BACKEND])
    cache_ok = True


class Point(UserDefinedType[str]):
    """A type that SQLAlchemy doesn't know."""

    cache_ok = True

    def __init__(self, length=5):
        self.length = length

    def get_col_spec(self, **_options):
        return {"postgresql": f"BIT VARYING({self.length})", "sqlite": f"CHAR({self.length})", "mysql": "YEAR"}[BACKEND]


class Shade(TypeDecorator[Color]):
    impl = sa.Enum(Color, name="shade")
    cache_ok = True


COLUMNS = {
    "span": (sa.Interval(), timedelta(days=3, seconds=5)),
    "exact_span": (sa.Interval(second_precision=6, day_precision=3), timedelta(hours=1)),
    "code": (Code(), "abc"),
    "document": (Document(), {"a": [1, None]}),
    "price": (Price(), Decimal("1234.50")),
    "cost": (Cost(), Decimal("1.25")),
    "amount": (sa.Numeric(12, 3), Decimal("1.125")),
    "name": (Name(), "Zoë"),
    "at": (types.UTCDateTime(), datetime(2026, 1, 2, 3, 4, 5, 6, UTC)),
    "day": (sa.Date(), date(2026, 1, 2)),
    "hour": (sa.Time(), time(3, 4, 5)),
    "key": (sa.Uuid(), uuid.UUID(int=5)),
    "raw": (sa.LargeBinary(), b"abc"),
    "pickled": (sa.PickleType(), {"a": 1}),
    "settings": (types.JSONObject(), {"a": 1}),
    "color": (types.string_enum(Color), Color.GREEN),
    "size": (sa.Enum(Size), Size.LARGE),
    "other_size": (sa.Enum(Size), Size.SMALL),
    "shade": (Shade(), Color.GREEN),
    "flag": (sa.Boolean(create_constraint=True, name="flag"), True),
    "ratio": (sa.Double(), 0.5),
    "place": (Point(7), {"postgresql": None, "sqlite": "1", "mysql": None}[BACKEND]),
}
if BACKEND == "postgresql":
    COLUMNS |= {
        "either": (sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), {"b": 2}),
        "many": (postgresql.ARRAY(sa.String(9)), ["a", "b"]),
        "sizes": (postgresql.ARRAY(sa.Enum(Size)), [Size.SMALL]),
        "bits": (postgresql.BIT(5, varying=True), None),
        "address": (postgresql.INET(), None),
        "stamp": (postgresql.TIMESTAMP(timezone=True, precision=3), datetime(2026, 1, 2, tzinfo=UTC)),
        "lapse": (postgresql.INTERVAL(fields="DAY TO SECOND", precision=3), timedelta(days=2)),
        "range": (postgresql.INT4RANGE(), None),
    }
if BACKEND == "mysql":
    COLUMNS |= {
        "tiny": (mysql.TINYINT(unsigned=True), 200),
        "long": (mysql.MEDIUMTEXT(collation="utf8mb4_bin"), "a"),
        "chosen": (mysql.ENUM("a", "b", collation="utf8mb4_bin"), "a"),
        "several": (mysql.SET("a", "b", collation="utf8mb4_bin"), {"a"}),
        "moment": (mysql.TIMESTAMP(fsp=3), datetime(2026, 1, 2)),
    }
zoo = sa.Table(
    "zoo", metadata, sa.Column("id", sa.Integer, primary_key=True), *(sa.Column(n, t) for n, (t, _) in COLUMNS.items()),
)
'''
READ_BACK = """
import sys
from sqlalchemy import create_engine, select
from app.zoo import COLUMNS, zoo
engine = create_engine(sys.argv[1])
with engine.begin() as connection:
    connection.execute(zoo.insert(), {name: value for name, (_, value) in COLUMNS.items()})
    row = connection.execute(select(zoo)).mappings().one()
    connection.execute(zoo.delete())
assert {name: row[name] for name in COLUMNS} == {name: value for name, (_, value) in COLUMNS.items()}, row
engine.dispose()
"""


# Enums, and constraints that are like them, as they are at first and later.
ENUMS = """
import enum

import sqlalchemy as sa

from app.db.metadata import metadata
from app.db.types import string_enum

Status = enum.StrEnum("Status", {statuses!r})
Kind = enum.StrEnum("Kind", {kinds!r})
Mood = enum.StrEnum("Mood", ["GOOD", "BAD"])
zoo = sa.Table(
    "zoo",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("shelf", sa.Integer),
    sa.Column("status", string_enum(Status), nullable=False),
    sa.Column("kind", sa.Enum(Kind), nullable=False),
    {more}
)
"""
STATUSES = {"DRAFT": "draft", "DONE": "it's done"}
AT_FIRST = {
    "statuses": STATUSES,
    "kinds": ["FIRST", "LAST"],
    "more": "sa.CheckConstraint('shelf > 0', name='positive'), sa.CheckConstraint(\"status <> ''\", name='filled'),",
}
LATER = {
    "statuses": STATUSES | {"LATER": "at 5:pm"},
    "kinds": ["ZERO", "FIRST", "MIDDLE", "LAST"],
    "more": "sa.CheckConstraint(\"status <> '-'\", name='filled'), sa.CheckConstraint('shelf < 9', name='few'),"
    "sa.Column('mood', sa.Enum(Mood)), sa.Column('other_mood', sa.Enum(Mood)), sa.Column('other', string_enum(Mood)),",
}
GONE = {"statuses": STATUSES, "kinds": ["FIRST"], "more": "sa.Column('mood', sa.Enum(Mood)),"}
INSERT = """
import sys
from sqlalchemy import create_engine
from app.zoo import Kind, Status, zoo
engine = create_engine(sys.argv[1])
with engine.begin() as connection:
    for status in Status:
        for kind in Kind:
            connection.execute(zoo.insert(), {"status": status, "kind": kind})
            connection.execute(zoo.delete())
engine.dispose()
"""


# Columns with texts as defaults, which each database quotes in its own way.
DEFAULTS = """
import sqlalchemy as sa

from app.db.metadata import metadata

zoo = sa.Table(
    "zoo",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    *(
        sa.Column(f"text{{number}}", sa.String(20), server_default=text)
        for number, text in enumerate({texts!r})
    ),
    sa.Column("number", sa.Integer, server_default="0"),
    sa.Column("at", sa.DateTime, server_default=sa.func.current_timestamp()),
)
"""


class Zoo:
    """A project with tables of its own in app/zoo.py."""

    def __init__(self, warm_process: WarmProcess, project: Path, url: str) -> None:
        """Work in `project`, on the database at `url`."""
        self.project, self.url, self.alembic = project, url, Alembic(warm_process, project, url)
        self._warm_process = warm_process
        tables = project / "app" / "tables.py"
        code = tables.read_text(encoding="utf-8")
        tables.write_text(code.replace("\n__all__", "from app import zoo\n\n__all__"), encoding="utf-8")

    def run(self, script: str, url: str) -> None:
        """Run a script that is given a URL with a driver."""
        driven = engine(url).url.render_as_string(hide_password=False)
        self._warm_process.run(["-c", script, driven], self.project, {"DATABASE_URL": self.url})

    def declare(self, code: str) -> None:
        """Write the tables."""
        (self.project / "app" / "zoo.py").write_text(code, encoding="utf-8")

    def revise(self, message: str) -> str:
        """Let Alembic write a revision, run it, see that nothing is missing, and give what was written."""
        before = set(self.project.glob("migrations/versions/*.py"))
        said = self.alembic(f"revision --autogenerate -m '{message}'")
        (revision,) = set(self.project.glob("migrations/versions/*.py")) - before
        written = revision.read_text(encoding="utf-8")
        self.alembic("upgrade head", "check")
        return said + written


@pytest.fixture
def zoo(warm_process: WarmProcess, variant: Variant, source: Path, tmp_path: Path, database_url: str) -> Zoo:
    """A project whose database is up to date."""
    zoo = Zoo(warm_process, render_variant(source, variant, tmp_path / "project"), database_url)
    zoo.declare("")
    zoo.alembic("upgrade head")
    return zoo


def test_columns_of_every_type_round_trip(zoo: Zoo, new_database: NewDatabase, warm_process: WarmProcess) -> None:
    zoo.declare(TYPES)
    assert "none_as_null" not in zoo.revise("Add every type")
    assert "CREATE TABLE zoo" in zoo.alembic("upgrade head --sql")
    zoo.run(READ_BACK, zoo.url)
    with new_database() as declared:
        assert schema_of(zoo.url) == declared_schema(warm_process, zoo.project, declared)
    zoo.alembic("downgrade -1", "upgrade head", "check")
    zoo.run(READ_BACK, zoo.url)


@pytest.mark.each_database
def test_changed_defaults_are_found(zoo: Zoo) -> None:
    texts = ["", " ", "a", "it's", "(a)", "('a')", '"a"', "NULL", "1", "a\\b", "%s :a", "a::b", "a\r\nb"]
    zoo.declare(DEFAULTS.format(texts=texts))
    zoo.revise("Add defaults")
    changed = [f"{text}x" for text in texts]
    zoo.declare(DEFAULTS.format(texts=changed))
    said = zoo.revise("Change defaults")
    assert said.count("etected server default on column") == len(texts)


@pytest.mark.each_database
def test_revision_reports_what_it_found(zoo: Zoo) -> None:
    for path in zoo.project.glob("migrations/versions/*.py"):
        path.unlink()
    said = zoo.alembic("revision -m 'Nothing yet'", "stamp head --purge")
    assert first_words(said) == ["Generating", "Running", "Running", "Running"]
    zoo.declare(ENUMS.format(**AT_FIRST))
    said = zoo.alembic("revision --autogenerate -m 'Add the zoo'")
    assert "Detected added table 'zoo'" in said
    assert set(first_words(said)) == {"Detected", "Generating", "Running"}


def first_words(said: str) -> list[str]:
    """Give the first word of each message; one that is long goes on in lines of its own."""
    messages = [re.sub(r"^\d\S+Z [A-Z]+ +[\w.]+ ", "", line) for line in said.splitlines()]
    return [message.split()[0] for message in messages if message.strip() and not re.match(r"[ /a-z]", message)]


def test_changed_enums_and_checks_are_found(zoo: Zoo, new_database: NewDatabase, warm_process: WarmProcess) -> None:
    for number, stage in enumerate((AT_FIRST, LATER)):
        zoo.declare(ENUMS.format(**stage))
        zoo.revise(f"Stage {number}")
        zoo.run(INSERT, zoo.url)
        with new_database() as declared:
            assert schema_of(zoo.url) == declared_schema(warm_process, zoo.project, declared)
    later = schema_of(zoo.url)
    zoo.alembic("downgrade -1")
    with pytest.raises(CommandFailed, match=r"ck_zoo_status|'kind'"):
        zoo.run(INSERT, zoo.url)
    zoo.alembic("downgrade -1", "upgrade head", "check")
    assert schema_of(zoo.url) == later
    zoo.run(INSERT, zoo.url)


@pytest.mark.each_database
def test_enum_value_that_cannot_be_dropped_is_named(zoo: Zoo, variant: Variant) -> None:
    zoo.declare(ENUMS.format(**LATER))
    zoo.revise("All of them")
    zoo.declare(ENUMS.format(**GONE))
    said = zoo.revise("Some of them")
    assert ("enum kind: PostgreSQL can't drop its value 'LAST'" in said) == (variant.database == "postgresql")
    zoo.declare("")
    said = zoo.revise("None of them")
    assert ("DROP TYPE kind" in said) == (variant.database == "postgresql")
    zoo.alembic("downgrade base", "upgrade head", "check")


# Tables that refer to each other in turn, and one that stays without what it refers to.
FAMILY = """
import sqlalchemy as sa

from app.db.metadata import metadata


def key(table):
    return sa.Column(f"{{table}}_id", sa.Integer, sa.ForeignKey(f"{{table}}.id"), index=True)


def add(name, *columns):
    sa.Table(name, metadata, sa.Column("id", sa.Integer, primary_key=True), *columns)


add("stays", {stays})
{family}
"""
RELATED = """
add("a", key("c"))
add("b", key("a"))
add("c")
add("d", key("b"), key("c"))
"""


@pytest.mark.each_database
def test_tables_that_refer_to_each_other_are_dropped(zoo: Zoo) -> None:
    zoo.declare(FAMILY.format(stays='key("b")', family=RELATED))
    zoo.revise("Add a family")
    related = schema_of(zoo.url)
    zoo.declare(FAMILY.format(stays="", family=""))
    zoo.revise("Drop it")
    zoo.alembic("downgrade -1")
    assert schema_of(zoo.url) == related
    zoo.alembic("upgrade head", "check", "downgrade base", "upgrade head", "check")
