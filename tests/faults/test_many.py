"""More clients, and more copies of the service, than there are connections."""

import time
from contextlib import ExitStack
from pathlib import Path

import httpx2
import pytest

from tests.faults.conftest import SERVED_AGAIN, Stage
from tests.faults.load import Load
from tests.harness.servers import free_port
from tests.harness.service import NO_CERTIFICATES
from tests.harness.warm_process import Child, WarmProcess

pytestmark = [
    pytest.mark.example,
    pytest.mark.each_database,
    pytest.mark.slow,
    pytest.mark.mixin("timestamps", "soft_delete", "audit_log", "optimistic_locking", "full_text_search"),
]
CLIENTS = 500
COPIES = 100  # as many as PostgreSQL has connections
KEPT = 10
LASTS = 5.0  # seconds
PATIENCE = 60.0


def ask(url: str, path: str) -> int:
    """Give the status of a GET."""
    return httpx2.get(url + path, timeout=30, verify=NO_CERTIFICATES).status_code


def test_clients_outnumber_connections(stage: Stage) -> None:
    """500 clients call at once, and five connections are all that the service has to read, and to write."""
    with stage(settings={"DB_POOL_SIZE": "5"}) as scene:
        many = Load(scene.service.url, CLIENTS)
        with many.running():
            time.sleep(LASTS)
            assert ask(scene.service.url, "/health/live") == 200
        scene.recover()
        scene.load.clients += many.clients  # for the judge
        assert {*many.seen()} <= {"503"}, "each call has an answer"


@pytest.mark.database("postgresql")
def test_copies_fill_the_server(stage: Stage, warm_process: WarmProcess, project: Path, tmp_path: Path) -> None:
    """A hundred more copies of the service take all 100 connections of the server, and 90 of them end."""
    with stage() as scene, ExitStack() as stack:
        urls, copies = [], []
        for number in range(COPIES):
            port = free_port()
            settings = {**scene.service.environment, "SERVER_PORT": str(port)}
            copy = warm_process.start(["-m", "app", "serve"], project, settings, tmp_path / f"{number}.log")
            copies.append(copy)
            urls.append(f"http://127.0.0.1:{port}")
            stack.callback(stop, warm_process, copy)
        for url in urls:
            wait_until_live(url)
        ready = [ask(url, "/health/ready") for url in urls]
        assert {*ready} == {200, 503}

        loads = [Load(url, 1) for url in urls[:KEPT]]
        for load in loads:
            stack.enter_context(load.running())
        for load in loads:
            load.wait_for("503", SERVED_AGAIN)
        for copy in copies[KEPT:]:
            stop(warm_process, copy)
        scene.recovered = max(load.wait_for_success(SERVED_AGAIN) for load in loads)
        scene.load.clients += [client for load in loads for client in load.clients]  # for the judge


def stop(warm_process: WarmProcess, copy: Child) -> None:
    """End a copy that runs."""
    if copy.status is None:
        warm_process.stop(copy)


def wait_until_live(url: str) -> None:
    """Wait until a copy answers."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            assert ask(url, "/health/live") == 200
        except httpx2.ConnectError:
            assert time.monotonic() < deadline, f"{url} doesn't answer"
            time.sleep(0.05)
        else:
            return
