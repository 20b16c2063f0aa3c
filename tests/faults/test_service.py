"""The service ends, or is killed, while clients write."""

import pytest

from tests.faults.conftest import Stage

pytestmark = [
    pytest.mark.example,
    pytest.mark.each_base,
    pytest.mark.mixin("timestamps", "soft_delete", "audit_log", "optimistic_locking", "full_text_search"),
    pytest.mark.parametrize("workers", [1, 4]),
]


def test_service_is_killed_and_started_again(stage: Stage, workers: int) -> None:
    with stage(workers) as scene:
        scene.service.kill()
        scene.service.start()
        scene.recover()


def test_service_is_stopped_and_started_again(stage: Stage, workers: int) -> None:
    """Who is served when the signal comes gets an answer: it isn't half done."""
    with stage(workers) as scene:
        assert scene.service.stop() in {0, -15}
        scene.service.start()
        scene.recover()
