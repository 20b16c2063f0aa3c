"""The database server dies, hangs, or loses its connections while clients write."""

import time

import pytest

from tests.faults.conftest import Stage

pytestmark = [
    pytest.mark.example,
    pytest.mark.each_database,
    pytest.mark.database("postgresql", "mysql"),
    pytest.mark.mixin("timestamps", "soft_delete", "audit_log", "optimistic_locking", "full_text_search"),
]


def test_server_is_killed_and_started_again(stage: Stage) -> None:
    """The server is killed with SIGKILL, and started half a second later."""
    with stage() as scene:
        assert scene.server
        scene.server.kill()
        time.sleep(0.5)  # that long nobody answers
        scene.server.start()
        scene.recover()


@pytest.mark.slow
def test_server_is_stopped_and_started_again(stage: Stage) -> None:
    """The server is stopped, and started again."""
    with stage() as scene:
        assert scene.server
        scene.server.stop()
        scene.server.start()
        scene.recover()


def test_all_connections_are_cut(stage: Stage) -> None:
    """All connections are cut at once."""
    with stage() as scene:
        assert scene.proxy
        scene.proxy.cut()
        scene.recover()


@pytest.mark.slow
def test_connections_are_cut_one_by_one(stage: Stage) -> None:
    """Connections are cut one after the other."""
    with stage() as scene:
        assert scene.proxy
        for _ in range(20):
            scene.proxy.cut(1)
            time.sleep(0.02)
        scene.recover()


@pytest.mark.slow
def test_network_swallows_what_is_sent(stage: Stage) -> None:
    """The network swallows what is sent in both directions, for five seconds."""
    with stage() as scene:
        assert scene.proxy
        scene.proxy.hold()
        time.sleep(5)  # longer than the service waits for an answer: its timeout, and a second
        scene.proxy.cut()
        scene.proxy.release()
        scene.recover()
