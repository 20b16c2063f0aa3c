"""SQLite's file can't be written to, is locked, or is gone, while clients write."""

import resource
import time
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import make_url, text

from tests.faults.conftest import SERVED_AGAIN, Scene, Stage
from tests.harness import servers
from tests.harness.service import NO_CERTIFICATES

pytestmark = [
    pytest.mark.example,
    pytest.mark.each_database,
    pytest.mark.database("sqlite"),
    pytest.mark.mixin("timestamps", "soft_delete", "audit_log", "optimistic_locking", "full_text_search"),
]
LASTS = 1.0  # seconds


def file_of(scene: Scene) -> Path:
    """Give the database's file."""
    return Path(str(make_url(scene.url).database))


def wait_for_unavailable(scene: Scene) -> None:
    """Wait until clients see the fault, and for a second more."""
    scene.load.wait_for("503", SERVED_AGAIN)
    time.sleep(LASTS)


def test_disk_is_full(stage: Stage) -> None:
    """No file can grow for a second, as on a full disk."""
    with stage() as scene:
        pid, unlimited = scene.service.pid, resource.prlimit(scene.service.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (4096, unlimited[1]))
        wait_for_unavailable(scene)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, unlimited)
        scene.recover()


def test_file_is_locked(stage: Stage) -> None:
    """Another process keeps the file locked until clients see it."""
    with stage() as scene:
        with servers.engine(scene.url).execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            connection.execute(text("BEGIN IMMEDIATE"))
            scene.load.wait_for("503", SERVED_AGAIN)
            connection.execute(text("ROLLBACK"))
        scene.recover()


def test_file_is_moved_away(stage: Stage) -> None:
    """The file is moved away, and back a second later."""
    with stage() as scene:
        file = file_of(scene)
        aside = file.rename(file.with_suffix(".aside"))
        wait_for_unavailable(scene)
        assert not file.exists(), "no request makes a new one"
        aside.rename(file)
        scene.recover()


def test_file_is_read_only(stage: Stage) -> None:
    """The service is started while it may only read the file, which it may write to later."""
    with stage(settings={"DB_POOL_SIZE": "1"}) as scene:  # no other connection serves in place of a bad one
        file = file_of(scene)
        scene.service.stop()
        scene.service.obey_permissions()
        file.chmod(0o444)
        scene.service.start("live")
        wait_for_unavailable(scene)
        read = httpx2.get(f"{scene.service.url}/api/v1/users", verify=NO_CERTIFICATES)
        assert read.status_code == 503, "a connection that can only read makes all that follow it so"
        for each in file.parent.glob(f"{file.name}*"):  # what SQLite has made beside it has the same permissions
            each.chmod(0o644)
        scene.recover()
