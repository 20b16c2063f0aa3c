"""A service reads from standbys that lag behind, die and come back."""

import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import text

from tests.contract.blog import Blog
from tests.faults.conftest import SERVED_AGAIN, Scene, Stage, new_database
from tests.faults.mortal import Mortal, execute, mortal, standby
from tests.harness import servers
from tests.harness.clusters import read_url
from tests.harness.service import NO_CERTIFICATES, calling
from tests.harness.warm_process import WarmProcess

pytestmark = [
    pytest.mark.example,
    pytest.mark.each_database,
    pytest.mark.slow,
    pytest.mark.database("postgresql"),
    pytest.mark.mixin("timestamps", "soft_delete", "audit_log", "optimistic_locking", "full_text_search"),
]
AWAY = 2.0  # seconds
PAUSE, RESUME = "SELECT pg_wal_replay_pause()", "SELECT pg_wal_replay_resume()"


@pytest.fixture(scope="session")
def primary(scratch: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mortal]:
    """A primary that no one else uses."""
    with mortal("postgresql", scratch / tmp_path_factory.mktemp("primary").name) as made:
        yield made


@pytest.fixture(scope="session")
def standbys(primary: Mortal, scratch: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Mortal]]:
    """Two standbys, which the primary doesn't wait for."""
    folder = scratch / tmp_path_factory.mktemp("standbys").name
    with (
        standby(primary, folder / "first", has_all=False) as first,
        standby(primary, folder / "second", has_all=False) as second,
    ):
        yield [first, second]


def wait_until_alike(primary: Mortal, standbys: list[Mortal]) -> None:
    """Wait until the standbys have all that the primary has."""
    with servers.engine(primary.url).connect() as connection:
        position = connection.scalar(text("SELECT pg_current_wal_lsn()"))
    reached = text("SELECT pg_last_wal_replay_lsn() >= CAST(:position AS pg_lsn)")
    for each in standbys:
        deadline = time.monotonic() + 20
        with servers.engine(each.url).connect() as connection:
            while not connection.scalar(reached, {"position": position}):
                assert time.monotonic() < deadline, "the standby doesn't catch up"
                time.sleep(0.02)


def wait_until_read(scene: Scene) -> None:
    """Wait until the service reads from the standby that is left."""
    deadline = time.monotonic() + SERVED_AGAIN
    while not httpx2.get(f"{scene.service.url}/api/v1/users", verify=NO_CERTIFICATES).is_success:
        assert time.monotonic() < deadline, "nothing is read from the other standby"


def test_standby_is_killed_and_follows_again(stage: Stage, primary: Mortal, standbys: list[Mortal]) -> None:
    """One of two standbys, which reads go to, is killed, and follows again two seconds later."""
    with stage(other_server=primary, workers=2, standbys=standbys) as scene:
        standbys[0].kill()
        try:
            wait_until_read(scene)
            time.sleep(AWAY)
        finally:
            standbys[0].start()
        scene.recover()
    wait_until_alike(primary, standbys)


def test_read_after_write_is_old_until_the_standby_has_it(
    warm_process: WarmProcess, project: Path, primary: Mortal, standbys: list[Mortal], tmp_path: Path
) -> None:
    """What was written is read once the standby has it; what is about to change is read where it was written."""
    url = new_database(primary, tmp_path)
    warm_process.run(["-m", "alembic", "upgrade", "head"], project, {"DATABASE_URL": url})
    wait_until_alike(primary, standbys)
    behind = standbys[0]
    settings = {"DATABASE_URL": url, "DATABASE_READ_URL": read_url(url, [behind.url])}
    with calling(warm_process, project, settings, tmp_path, path="") as client:
        blog = Blog(client)
        execute(behind.url, PAUSE)
        user = blog.add_user()
        path = f"/users/{user['id']}"
        blog.get(path, expect=404)
        changed = blog.patch(path, {"name": "New"}, if_match=f'"{user["version"]}"')
        assert changed.json()["name"] == "New"
        execute(behind.url, RESUME)
        wait_until_alike(primary, [behind])
        assert blog.item(path)["name"] == "New"


def test_service_isnt_ready_until_the_standby_is_migrated(
    warm_process: WarmProcess, project: Path, primary: Mortal, standbys: list[Mortal], tmp_path: Path
) -> None:
    """A standby that lags behind lacks tables that the service reads."""
    url = new_database(primary, tmp_path)
    migrate = ["-m", "alembic", "upgrade", "head"]
    warm_process.run(migrate, project, {"DATABASE_URL": url})
    wait_until_alike(primary, standbys)
    behind = standbys[0]
    settings = {"DATABASE_URL": url, "DATABASE_READ_URL": read_url(url, [behind.url])}
    with calling(warm_process, project, settings, tmp_path, path="") as client:
        warm_process.run(["-m", "alembic", "downgrade", "base"], project, {"DATABASE_URL": url})
        wait_until_alike(primary, standbys)
        execute(behind.url, PAUSE)
        warm_process.run(migrate, project, {"DATABASE_URL": url})
        response = client.get("/health/ready")
        assert response.status_code == 503, response.text
        assert response.json()["detail"] == "The replica isn't migrated."
        execute(behind.url, RESUME)
        wait_until_alike(primary, [behind])
        assert client.get("/health/ready").status_code == 200
