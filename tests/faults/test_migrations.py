"""Migrations are killed at each of their statements, or run at once."""

import signal
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from tests.harness.alembic import Alembic
from tests.harness.schema import schema_of
from tests.harness.servers import NewDatabase
from tests.harness.warm_process import WarmProcess

pytestmark = [
    pytest.mark.example,
    pytest.mark.each_database,
    pytest.mark.slow,
    pytest.mark.mixin("timestamps", "soft_delete", "audit_log", "optimistic_locking", "full_text_search"),
]
MIGRATORS = 4
# Is killed when its statement of this number has been executed, or else ends as it would.
KILLED_AFTER = """
import os, signal, sys
from alembic.config import main
from sqlalchemy import Engine, event

left = int(sys.argv[1])
def count(*_):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
event.listen(Engine, "after_cursor_execute", count)
event.listen(Engine, "commit", count)
main(["upgrade", "head"])
"""
STATEMENTS = 20  # at least


def test_upgrade_is_killed_at_each_statement(
    warm_process: WarmProcess,
    project: Path,
    new_database: NewDatabase,
    migrated_url: str,
    record: Callable[..., None],
) -> None:
    """`alembic upgrade head` is killed after a statement, each in its turn, and run again."""
    whole, killed, differ, slowest = schema_of(migrated_url), 0, 0, 0.0
    for number in count(1):
        with new_database() as url:
            command = ["-c", KILLED_AFTER, str(number)]
            ended = warm_process.run(command, project, {"DATABASE_URL": url}, check=False)
            if ended.status == 0:
                break
            assert ended.status == -signal.SIGKILL, ended.output
            killed += 1
            began = time.monotonic()
            Alembic(warm_process, project, url)("upgrade head", "check")
            slowest = max(slowest, time.monotonic() - began)
            differ += schema_of(url) != whole
    assert killed > STATEMENTS
    assert not differ
    record(seen={"killed runs": killed}, acknowledged=0, lost=0, half_written=differ, recovered=slowest)


def test_four_migrators_at_once(
    warm_process: WarmProcess, project: Path, new_database: NewDatabase, migrated_url: str, record: Callable[..., None]
) -> None:
    """Four processes run `python -m app migrate` on an empty database at once."""
    with new_database() as url:
        began = time.monotonic()
        environment = {"DATABASE_URL": url}
        started = [warm_process.start(["-m", "app", "migrate"], project, environment) for _ in range(MIGRATORS)]
        ended = [warm_process.wait(migrator) for migrator in started]
        took = time.monotonic() - began
        assert [migrator.status for migrator in ended] == [0] * MIGRATORS, "".join(each.output for each in ended)
        differ = schema_of(url) != schema_of(migrated_url)
    assert not differ
    record(seen={"migrators that fail": 0}, acknowledged=0, lost=0, half_written=int(differ), recovered=took)
