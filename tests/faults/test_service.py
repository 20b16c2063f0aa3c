"""The service ends, or is killed, while clients write."""

import os
import signal
import time

import pytest

from tests.faults.conftest import SERVED_AGAIN, Stage
from tests.faults.load import REFUSED
from tests.faults.mortal import Mortal

pytestmark = [
    pytest.mark.example,
    pytest.mark.each_database,
    pytest.mark.mixin("timestamps", "soft_delete", "audit_log", "optimistic_locking", "full_text_search"),
]


def test_service_is_killed_and_started_again(stage: Stage) -> None:
    """The service is killed with SIGKILL, and started again."""
    with stage() as scene:
        scene.service.kill()
        scene.service.start()
        scene.recover()


@pytest.mark.slow
def test_service_of_four_workers_is_killed_and_started_again(stage: Stage) -> None:
    """The service is killed with SIGKILL, and started again; it has four workers."""
    with stage(workers=4) as scene:
        scene.service.kill()
        scene.service.start()
        scene.recover()


@pytest.mark.slow
def test_service_is_stopped_and_started_again(stage: Stage) -> None:
    """The service gets SIGTERM, and is started again."""
    with stage() as scene:
        assert scene.service.stop() in {0, -15}
        scene.service.start()
        scene.recover()


@pytest.mark.slow
def test_service_of_four_workers_is_stopped_and_started_again(stage: Stage) -> None:
    """The service gets SIGTERM, and is started again; it has four workers."""
    with stage(workers=4) as scene:
        assert scene.service.stop() in {0, -15}
        scene.service.start()
        scene.recover()


def wait_for_workers(service: Mortal, number: int, killed: int) -> None:
    """Wait until the service has this number of workers again, without one that was killed."""
    deadline = time.monotonic() + SERVED_AGAIN
    while len({*service.workers()} - {killed}) < number:
        assert time.monotonic() < deadline, f"the workers are {service.workers()}, after {killed} was killed"
        time.sleep(0.05)


@pytest.mark.slow
def test_one_of_four_workers_is_killed(stage: Stage) -> None:
    """One of four workers is killed with SIGKILL, twice."""
    with stage(workers=4) as scene:
        for _ in range(2):
            killed = scene.service.workers()[0]
            os.kill(killed, signal.SIGKILL)
            scene.recover()
            wait_for_workers(scene.service, 4, killed)


@pytest.mark.slow
def test_process_that_started_four_workers_is_killed(stage: Stage) -> None:
    """The process that started four workers is killed with SIGKILL, and the service is started a second later."""
    with stage(workers=4) as scene:
        scene.service.kill_alone()
        scene.load.wait_for(REFUSED, SERVED_AGAIN)
        time.sleep(1)
        scene.service.start()
        scene.recover()
