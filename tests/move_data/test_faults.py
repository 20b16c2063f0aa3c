"""A move that is killed, interrupted, cut off or has no room: nothing is lost or twice, and the next goes on."""

import resource
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, make_url

from copier_fastapi_sqlalchemy.move_data.rows import BATCH
from tests.harness.variants import ROOT
from tests.harness.warm_process import WarmProcess
from tests.move_data.test_move_data import (
    MOVE_DATA,
    PROVED,
    NewDatabase,
    execute,
    filled,
    make,
    moved,
    refused,
    rows_of,
    run,
    scalar,
)
from tests.move_data.test_move_data import new_database as new_database  # noqa: PLC0414 - fixtures
from tests.move_data.test_move_data import opened as opened  # noqa: PLC0414
from tests.service.proxy import Proxy

RETRY = "Run the same command again: it continues where it stopped."
STEP = 4  # of the statements at which a move is stopped, one after the other
# Gets a signal when its statement of this number has been executed, or when it is to commit.
STOPPED_AFTER = """
import os, signal, sys
from sqlalchemy import Engine, event
from copier_fastapi_sqlalchemy.cli import app

name, left = sys.argv[1], int(sys.argv[2])
def count(*_):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.Signals[name])
event.listen(Engine, "after_cursor_execute", count)
event.listen(Engine, "commit", count)
app(["move-data", *sys.argv[3:]])
"""
TRIGGER = "CREATE TRIGGER no_room BEFORE INSERT ON tree FOR EACH ROW "
FULL = {
    "postgresql": (
        "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.id > {last} THEN"
        " RAISE 'could not extend file' USING ERRCODE = '53100'; END IF; RETURN NEW; END $$; "
        f"{TRIGGER} EXECUTE FUNCTION no_room()"
    ),
    "mysql": (
        f"{TRIGGER} BEGIN IF NEW.id > {{last}} THEN"
        " SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1114, MESSAGE_TEXT = 'The table is full'; END IF; END"
    ),
}
ROOM = {"postgresql": "DROP FUNCTION no_room CASCADE", "mysql": "DROP TRIGGER no_room"}

Pair = tuple[str, str]


@pytest.fixture(params=["sqlite-postgresql", "sqlite-mysql", "postgresql-sqlite"])
def pair(request: pytest.FixtureRequest, new_database: NewDatabase) -> Pair:
    """A database with rows, and one for them."""
    source, target = (new_database(name) for name in request.param.split("-"))
    make(source, rows=filled())
    make(target)
    return source, target


@contextmanager
def at_statement(number: int, action: Callable[[], object]) -> Iterator[None]:
    """Do something when the statement of this number has been executed, or when it is to be committed."""
    numbers = count(1)

    def note(*_: object) -> None:
        if next(numbers) == number:
            action()

    for name in ("after_cursor_execute", "commit"):
        event.listen(Engine, name, note)
    try:
        yield
    finally:
        for name in ("after_cursor_execute", "commit"):
            event.remove(Engine, name, note)


def check_moved(source: str, target: str) -> None:
    """Check that all rows are there once."""
    assert rows_of(target) == rows_of(source)
    total = sum(map(len, rows_of(source).values()))
    assert moved(source, target)[-1] == f"Moved 0 rows of 6 tables; {total:,} were there already; {PROVED}"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SIGINT", "SIGKILL"])
def test_stopped_move_goes_on(pair: Pair, name: str, warm_process: WarmProcess) -> None:
    stops = 0
    for number in count(1, STEP):
        ended = warm_process.run(["-c", STOPPED_AFTER, name, str(number), *pair], ROOT, check=False)
        if ended.status == 0:
            break
        if name == "SIGINT":
            assert ended.status == 130, ended.output
            assert ended.output.endswith(f"\nInterrupted. {RETRY}\n") or ended.output == f"Interrupted. {RETRY}\n"
            assert "Traceback" not in ended.output
        else:
            assert ended.status == -signal.SIGKILL, ended.output
        stops += 1
    assert stops > 10
    check_moved(*pair)


@pytest.mark.slow
# SQLAlchemy doesn't close a cursor of a connection that is gone.
@pytest.mark.filterwarnings("ignore:<psycopg.ServerCursor:ResourceWarning")
@pytest.mark.parametrize("side", ["old", "new"])
@pytest.mark.parametrize("database", ["postgresql", "mysql"])
def test_move_that_is_cut_off_says_how_to_go_on(side: str, database: str, new_database: NewDatabase) -> None:
    server, file = new_database(database), new_database("sqlite")
    source, target = (server, file) if side == "old" else (file, server)
    make(source, rows=filled())
    make(target)
    parsed = make_url(server)
    assert parsed.host
    proxy = Proxy((parsed.host, parsed.port or {"postgresql": 5432, "mysql": 3306}[database]))
    reached = parsed.set(host="127.0.0.1", port=proxy.port).render_as_string(hide_password=False)
    urls = (reached, file) if side == "old" else (file, reached)
    stops = 0
    try:
        for number in count(1, 2 * STEP):
            with at_statement(number, proxy.cut):
                result = run(*urls)
            if result.exit_code == 0:
                break
            assert result.exit_code == 1
            (sentence,) = result.stderr.splitlines()
            assert sentence.endswith(RETRY), number
            stops += 1
    finally:
        proxy.close()
    assert stops > 5
    check_moved(source, target)


@pytest.mark.slow
def test_move_that_hangs_is_interrupted(new_database: NewDatabase) -> None:
    source, target = new_database("sqlite"), new_database("postgresql")
    make(source, rows=tree(3 * BATCH))
    make(target)
    parsed = make_url(target)
    assert parsed.host
    assert parsed.port
    proxy = Proxy((parsed.host, parsed.port))
    reached = parsed.set(host="127.0.0.1", port=proxy.port).render_as_string(hide_password=False)
    try:
        process = subprocess.Popen(
            [*MOVE_DATA, source, reached], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        while not scalar(target, "SELECT count(*) FROM tree"):
            assert process.poll() is None
        proxy.hold()
        assert proxy.keeps.wait(30) or process.poll() is not None
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    finally:
        proxy.close()
    assert (process.returncode, errors) == (130, f"Interrupted. {RETRY}\n")
    moved(source, target)
    assert rows_of(target) == rows_of(source)


def tree(size: int) -> dict[str, list[dict[str, object]]]:
    """Give rows without references."""
    return {"tree": [{"id": number, "parent_id": None, "name": "…"} for number in range(size)]}


@pytest.mark.parametrize("database", ["postgresql", "mysql"])
def test_full_server_is_told_from_a_row_that_does_not_fit(database: str, new_database: NewDatabase) -> None:
    source, target = new_database("sqlite"), new_database(database)
    make(source, rows=tree(3 * BATCH))
    make(target)
    execute(target, FULL[database].format(last=BATCH + 500))
    assert refused(source, target).startswith("Make room for the new database, and run the same command again")
    assert scalar(target, "SELECT count(*) FROM tree") == BATCH
    execute(target, ROOM[database])
    assert moved(source, target)[-1].startswith(f"Moved {2 * BATCH:,} rows of 6 tables; {BATCH:,} were there already")
    check_moved(source, target)


def with_file_size(limit: int, source: str, target: str) -> "subprocess.CompletedProcess[str]":
    """Move data in a process that can't write files beyond a size."""
    return subprocess.run(
        [*MOVE_DATA, source, target],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY)),
    )


def test_full_disk_of_a_file_is_a_line(new_database: NewDatabase) -> None:
    source, target = new_database("sqlite"), new_database("sqlite")
    make(source, rows=tree(5 * BATCH))
    make(target)
    ended = with_file_size(Path(str(make_url(target).database)).stat().st_size + 30_000, source, target)
    assert ended.returncode == 1, ended.stderr
    (sentence,) = ended.stderr.splitlines()
    assert sentence.startswith("Make room for the new database, and run the same command again")
    assert 0 < scalar(target, "SELECT count(*) FROM tree") < 5 * BATCH
    moved(source, target)
    check_moved(source, target)


def test_disk_error_of_the_old_database_asks_for_no_room_in_the_new_one(new_database: NewDatabase) -> None:
    """Readers of a database in WAL mode need a file of 32 KB for its index."""
    source, target = new_database("sqlite"), new_database("sqlite")
    make(source, rows=tree(1))
    make(target)
    execute(source, "PRAGMA journal_mode = WAL")
    ended = with_file_size(4096, source, target)
    assert (ended.returncode, ended.stderr) == (1, f"disk I/O error. {RETRY}\n")
    moved(source, target)
    check_moved(source, target)


def test_text_that_is_not_utf8_is_a_line(new_database: NewDatabase) -> None:
    source, target = new_database("sqlite"), new_database("sqlite")
    make(source, rows=tree(1))
    make(target)
    execute(source, "UPDATE tree SET name = CAST(x'ff' AS TEXT)")
    sentence = refused(source, target)
    assert sentence.startswith("Could not decode to UTF-8 column 'name'")
    assert sentence.endswith(". Correct that first.")
    execute(source, "UPDATE tree SET name = 'ÿ'")
    moved(source, target)
    check_moved(source, target)
