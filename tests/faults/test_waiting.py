"""The database is there, and lets requests wait or fail, while clients write."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import make_url, text

from tests.faults.conftest import SERVED_AGAIN, Stage
from tests.faults.mortal import execute
from tests.harness import servers

pytestmark = [
    pytest.mark.example,
    pytest.mark.each_database,
    pytest.mark.slow,
    pytest.mark.database("postgresql", "mysql"),
    pytest.mark.mixin("timestamps", "soft_delete", "audit_log", "optimistic_locking", "full_text_search"),
]
FEW = {"DB_POOL_SIZE": "2", "DB_POOL_TIMEOUT": "0.5"}
LASTS = 1.0  # seconds
LOCK = {
    "postgresql": ("BEGIN", "LOCK TABLE users"),
    "mysql": ("LOCK TABLES users WRITE",),
}
UNLOCK = {"postgresql": "ROLLBACK", "mysql": "UNLOCK TABLES"}
TRIGGER = {
    "postgresql": (
        "CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body}; RETURN NEW; END $$",
        "CREATE TRIGGER fault BEFORE INSERT OR UPDATE ON users FOR EACH ROW EXECUTE FUNCTION fault()",
    ),
    "mysql": (
        "CREATE TRIGGER fault_insert BEFORE INSERT ON users FOR EACH ROW BEGIN {body}; END",
        "CREATE TRIGGER fault_update BEFORE UPDATE ON users FOR EACH ROW BEGIN {body}; END",
    ),
}
DROP = {
    "postgresql": ("DROP FUNCTION fault CASCADE",),
    "mysql": ("DROP TRIGGER fault_insert", "DROP TRIGGER fault_update"),
}
SLOW = {"postgresql": "PERFORM pg_sleep(600)", "mysql": "DO SLEEP(600)"}
VICTIM = {
    "postgresql": (
        "IF random() < 0.25 THEN RAISE 'victim' USING ERRCODE = '40P01'; END IF;"
        " IF random() < 0.25 THEN RAISE 'victim' USING ERRCODE = '40001'; END IF"
    ),
    "mysql": (
        "IF RAND() < 0.25 THEN SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213; END IF;"
        " IF RAND() < 0.25 THEN SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1205; END IF"
    ),
}
# A deferred trigger of PostgreSQL fails at COMMIT.
AT_COMMIT = (
    TRIGGER["postgresql"][0],
    (
        "CREATE CONSTRAINT TRIGGER fault AFTER INSERT OR UPDATE ON users DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION fault()"
    ),
)
DISTRIBUTED = {
    "postgresql": (
        "IF random() < 0.25 THEN RAISE 'restart transaction' USING ERRCODE = '40001'; END IF;"
        " IF random() < 0.25 THEN RAISE 'result is ambiguous' USING ERRCODE = '40003'; END IF"
    ),
    "mysql": (
        "IF RAND() < 0.25 THEN SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 8022; END IF;"
        " IF RAND() < 0.25 THEN SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 9005; END IF;"
        " IF RAND() < 0.25 THEN SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 9007; END IF"
    ),
}


@contextmanager
def trigger(url: str, bodies: dict[str, str], *, at_commit: bool = False) -> Iterator[None]:
    """Let each write of a user do something else first, or at the commit, where the database can."""
    database = make_url(url).drivername
    statements = AT_COMMIT if at_commit and database == "postgresql" else TRIGGER[database]
    execute(url, *(statement.format(body=bodies[database]) for statement in statements))
    yield
    execute(url, *DROP[database])


def test_table_is_locked(stage: Stage) -> None:
    """Another transaction locks a table for four seconds, and two connections are all that the service has."""
    with stage(settings=FEW) as scene:
        database = make_url(scene.url).drivername
        with servers.engine(scene.url).execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            for statement in LOCK[database]:
                connection.execute(text(statement))
            time.sleep(4)  # longer than the service waits for a lock
            connection.execute(text(UNLOCK[database]))
        assert scene.load.seen()["503"]
        scene.recover()


def test_writes_are_slow(stage: Stage) -> None:
    """Each write takes ten minutes, and two connections are all that the service has."""
    with stage(settings=FEW) as scene:
        with trigger(scene.url, SLOW):
            scene.load.wait_for("503", SERVED_AGAIN)
            time.sleep(LASTS)
        scene.recover()


def test_writes_lose_deadlocks(stage: Stage) -> None:
    """Half of all writes are the victims of deadlocks, serialization failures or locks that aren't free in time."""
    with stage() as scene:
        with trigger(scene.url, VICTIM):
            scene.load.wait_for("503", SERVED_AGAIN)
            time.sleep(LASTS)
        scene.recover()


def test_writes_get_errors_of_distributed_engines(stage: Stage) -> None:
    """Half of all writes get the error codes of CockroachDB at the commit, or those of TiDB."""
    with stage() as scene:
        with trigger(scene.url, DISTRIBUTED, at_commit=True):
            scene.load.wait_for("503", SERVED_AGAIN)
            time.sleep(LASTS)
        scene.recover()
