"""Patroni lets a standby take over, and the service finds it among the servers that its URL names."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.faults.conftest import SERVED_AGAIN, Scene, Stage, new_database
from tests.faults.patroni import TIMES, Cluster, Member, patroni
from tests.harness.schema import schema_of
from tests.harness.warm_process import WarmProcess

pytestmark = [
    pytest.mark.example,
    pytest.mark.each_database,
    pytest.mark.slow,
    pytest.mark.cluster,
    pytest.mark.database("postgresql"),
    pytest.mark.mixin("timestamps", "soft_delete", "audit_log", "optimistic_locking", "full_text_search"),
]


@pytest.fixture(scope="session")
def cluster(scratch: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Three servers that no one else uses."""
    with patroni(scratch / tmp_path_factory.mktemp("patroni").name) as made:
        yield made


def read_from(scene: Scene, member: Member) -> None:
    """Let the rows be read from a server in the end."""
    there = make_url(member.server.url).set(database=make_url(scene.url).database)
    scene.url = there.render_as_string(hide_password=False)


def wait_for_role(member: Member, role: str) -> None:
    """Wait until a server plays a role."""
    deadline = time.monotonic() + SERVED_AGAIN
    while not member.plays(role):
        assert time.monotonic() < deadline, f"the server isn't a {role}"
        time.sleep(0.1)


def test_primary_is_killed_with_its_patroni(
    stage: Stage, cluster: Cluster, warm_process: WarmProcess, project: Path, tmp_path: Path
) -> None:
    """The primary of a Patroni cluster is killed with its Patroni, and follows after a standby has taken over."""
    primary = cluster.primary()
    with stage(other_server=primary.server, workers=2, reach=cluster.reach, may_read_old=True) as scene:
        primary.server.kill()
        try:
            scene.recover(unnoticed=TIMES["ttl"])
        finally:
            primary.server.start()
        wait_for_role(primary, "replica")
        scene.load.wait_for_success(SERVED_AGAIN)
        read_from(scene, cluster.primary())
    other = new_database(cluster.primary().server, tmp_path)
    warm_process.run(["-m", "app", "migrate"], project, cluster.reach(other))
    assert schema_of(other) == schema_of(scene.url)


def test_primary_hands_over(stage: Stage, cluster: Cluster) -> None:
    """Patroni is asked to promote a standby of its cluster, its primary follows, and the service is started again."""
    primary = cluster.primary()
    with stage(other_server=primary.server, workers=2, reach=cluster.reach, may_read_old=True) as scene:
        began = time.monotonic()
        cluster.hand_over()
        scene.recover()
        scene.recovered = time.monotonic() - began
        assert cluster.primary() != primary
        wait_for_role(primary, "replica")
        scene.service.stop()
        scene.service.start()  # none of its connections is from before
        scene.load.wait_for_success(SERVED_AGAIN)
        read_from(scene, cluster.primary())
