"""A standby takes over from its primary."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.faults.conftest import SERVED_AGAIN, Stage
from tests.faults.mortal import Mortal, execute, mortal, standby
from tests.harness.warm_process import WarmProcess

pytestmark = [
    pytest.mark.example,
    pytest.mark.each_database,
    pytest.mark.database("postgresql"),
    pytest.mark.mixin("timestamps", "soft_delete", "audit_log", "optimistic_locking", "full_text_search"),
]
READ_ONLY = 1.0  # seconds that clients meet a standby in
IS_READ_ONLY, TAKES_WRITES = (
    (f"ALTER SYSTEM {setting}", "SELECT pg_reload_conf()")
    for setting in ("SET default_transaction_read_only = on", "RESET default_transaction_read_only")
)


@pytest.fixture
def pair(scratch: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Mortal, Mortal]]:
    """A primary, and a standby that has all that the primary has acknowledged."""
    folder = scratch / tmp_path_factory.mktemp("pair").name
    with mortal("postgresql", folder / "primary") as primary, standby(primary, folder / "standby") as second:
        yield primary, second


def test_standby_is_promoted(stage: Stage, pair: tuple[Mortal, Mortal]) -> None:
    """The primary is killed, and its address leads to a standby, which is promoted a second later."""
    primary, second = pair
    with stage(other_server=primary) as scene:
        assert scene.proxy
        primary.kill()
        there = make_url(second.url)
        assert there.host
        assert there.port
        scene.proxy.lead_to((there.host, there.port))
        scene.load.wait_for("503", SERVED_AGAIN)
        time.sleep(READ_ONLY)
        execute(second.url, "SELECT pg_promote()")
        scene.recover()
        scene.url = there.set(database=make_url(scene.url).database).render_as_string(hide_password=False)


def asking_for_writes(url: str) -> dict[str, str]:
    """Give the setting that takes no server which is read-only."""
    wanted = make_url(url).update_query_dict({"target_session_attrs": "read-write"})
    return {"DATABASE_URL": wanted.render_as_string(hide_password=False)}


def test_no_server_takes_writes(
    stage: Stage, mortal_server: Mortal | None, warm_process: WarmProcess, project: Path
) -> None:
    """The only server is read-only for a second, and the URL has `target_session_attrs=read-write`."""
    assert mortal_server
    with stage(reach=asking_for_writes) as scene:
        execute(mortal_server.url, *IS_READ_ONLY)
        try:
            scene.load.wait_for("503", SERVED_AGAIN)
            time.sleep(READ_ONLY)
            for command, status in (("check", 3), ("migrate", 1)):
                done = warm_process.run(["-m", "app", command], project, asking_for_writes(scene.url), check=False)
                assert (done.status, done.output.count("\n")) == (status, 1), done.output
        finally:
            execute(mortal_server.url, *TAKES_WRITES)
        scene.recover()


def test_first_server_is_silent(stage: Stage) -> None:
    """The first of the two servers that the URL lists is silent, from before the service starts."""
    with socket.create_server(("127.0.0.1", 0)) as silent:

        def reach(url: str) -> dict[str, str]:
            there = make_url(url)
            places = [f"127.0.0.1:{silent.getsockname()[1]}", f"{there.host}:{there.port}"]
            listed = there.set(host=None, port=None).update_query_dict({"host": places})
            return asking_for_writes(listed.render_as_string(hide_password=False))

        with stage(reach=reach) as scene:
            scene.recover()
