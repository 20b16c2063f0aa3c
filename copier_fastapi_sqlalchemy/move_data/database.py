"""Connections to the two databases."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, cast

import psycopg
import sqlalchemy as sa
from psycopg.abc import AdaptContext, Buffer
from psycopg.adapt import Loader
from sqlalchemy.exc import ArgumentError, DBAPIError

from copier_fastapi_sqlalchemy.move_data.errors import MoveError, UsageError, describe

FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Backend:
    """How to connect to one kind of database, and what each connection executes first."""

    driver: str
    connect_args: Mapping[str, Any]
    setup: str


SQLITE = Backend("sqlite+pysqlite", {"isolation_level": None}, "PRAGMA foreign_keys = ON")
POSTGRESQL = Backend("postgresql+psycopg", {"connect_timeout": 10, "client_encoding": "utf8"}, "SET TIME ZONE 'UTC'")
MYSQL = Backend(
    "mysql+pymysql",
    {"connect_timeout": 10, "charset": "utf8mb4"},
    # A value that doesn't fit is refused instead of truncated, and a key of 0 is kept.
    "SET time_zone = '+00:00', sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION'",
)
BACKENDS = {"sqlite": SQLITE, "postgresql": POSTGRESQL, "postgres": POSTGRESQL, "mysql": MYSQL, "mariadb": MYSQL}


class UnendingLoader(Loader):
    """Reads -infinity and infinity as the first and the last value of their type, which asyncpg stores so."""

    ENDS: Mapping[str, tuple[date, date]] = {
        "date": (date.min, date.max),
        "timestamp": (FIRST.replace(tzinfo=None), LAST.replace(tzinfo=None)),
        "timestamptz": (FIRST, LAST),
    }

    def __init__(self, oid: int, context: AdaptContext | None = None) -> None:
        """Take the type by its number, as psycopg gives it."""
        super().__init__(oid, context)
        usual = cast("type[Loader]", psycopg.adapters.get_loader(oid, self.format))
        self._usual = usual(oid, context)
        first, last = self.ENDS[psycopg.adapters.types[oid].name]
        self._ends = {b"-infinity": first, b"infinity": last}

    def load(self, data: Buffer) -> Any:
        """Read a value of a row."""
        read = bytes(data)
        return self._ends[read] if read in self._ends else self._usual.load(data)


@dataclass(frozen=True)
class Database:
    """A connected database. `label` is its name in messages, `backend` is `sqlite`, `postgresql` or `mysql`."""

    label: str
    backend: str
    connection: sa.Connection

    def reflect(self, only: Collection[str] | None = None) -> dict[str, sa.Table]:
        """Read the definitions of its tables, or of those in `only`, by their names.

        Alembic's table is left out, and those in which SQLite keeps what it needs for full-text searches.
        """
        names = set(sa.inspect(self.connection).get_table_names()) - {"alembic_version"}
        if self.backend == "sqlite":
            search = "SELECT name FROM pragma_table_list WHERE type IN ('virtual', 'shadow')"
            names -= set(self.connection.exec_driver_sql(search).scalars())
        if only is not None:
            names &= set(only)
        metadata = sa.MetaData()
        metadata.reflect(self.connection, only=sorted(names))
        return {name: metadata.tables[name] for name in sorted(names)}


def parse_url(text: str, argument: str) -> sa.URL:
    """Read the URL of a database, whose driver is replaced by the one used here.

    Raises UsageError if it is not one. The message doesn't repeat it, because it may hold a password.
    """
    try:
        url = sa.make_url(text.strip())
        driver = BACKENDS[url.get_backend_name()].driver
    except (ArgumentError, KeyError, ValueError):
        driver = None
    if driver is None or url.database in {None, "", ":memory:"}:
        example = "sqlite:///./app.db or postgresql://user:password@host/name"
        raise UsageError(f"{argument} is not the URL of a SQLite, PostgreSQL or MySQL database, such as {example}.")
    return url.set(drivername=driver)


def location(url: sa.URL) -> tuple[object, ...]:
    """Give what distinguishes the database of a URL from others."""
    if url.get_backend_name() == "sqlite":
        return (Path(str(url.database)).resolve(),)
    return url.get_backend_name(), (url.host or "").replace("localhost", "127.0.0.1"), url.port, url.database


@contextmanager
def connect(url: sa.URL, label: str, *, read_only: bool) -> Iterator[Database]:
    """Connect to a database, and disconnect at the end. One that is only read is seen as it was at the start.

    Raises UsageError if a SQLite database has no file, MoveError if the server can't be reached.
    """
    backend = url.get_backend_name()
    engine = _sqlite_engine(url, label, read_only=read_only) if backend == "sqlite" else _engine(url)
    if read_only and backend != "sqlite":
        engine = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    try:
        connection = engine.connect()
    except (DBAPIError, TypeError, ValueError) as error:
        raise MoveError(f"The {label} can't be reached: {describe(error)}") from None
    with connection:
        if read_only and backend == "mysql":
            connection.exec_driver_sql("START TRANSACTION READ ONLY, WITH CONSISTENT SNAPSHOT")
        yield Database(label, backend, connection)


def _engine(url: sa.URL) -> sa.Engine:
    backend = BACKENDS[url.get_backend_name()]
    engine = sa.create_engine(url, connect_args=dict(backend.connect_args), poolclass=sa.NullPool, hide_parameters=True)

    @sa.event.listens_for(engine, "connect")
    def set_up(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute(backend.setup)
        cursor.close()
        connection.commit()
        if backend is POSTGRESQL:
            for name in UnendingLoader.ENDS:
                connection.adapters.register_loader(name, UnendingLoader)

    return engine


def _sqlite_engine(url: sa.URL, label: str, *, read_only: bool) -> sa.Engine:
    path = Path(str(url.database)).resolve()
    if not path.is_file():
        raise UsageError(f"The {label} is not a file: {path}")
    query = {"mode": "ro" if read_only else "rw", "uri": "true"}
    engine = _engine(url.set(database=path.as_uri().replace("file://", "file:", 1), query=query))
    # With isolation_level=None the driver begins no transaction by itself.
    sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return engine
