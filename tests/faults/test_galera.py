"""Nodes of a Galera cluster die and come back, while clients write through all of them."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from tests.contract.blog import concurrently, unique_word
from tests.faults.conftest import SERVED_AGAIN, Scene, Stage
from tests.faults.haproxy import Balancer, in_front_of_galera
from tests.faults.mortal import Mortal, execute, galera
from tests.harness import servers
from tests.harness.clusters import NODES, address
from tests.harness.schema import schema_of
from tests.harness.warm_process import WarmProcess

pytestmark = [
    pytest.mark.example,
    pytest.mark.each_database,
    pytest.mark.slow,
    pytest.mark.cluster,
    pytest.mark.database("mysql"),
    pytest.mark.mixin("timestamps", "soft_delete", "audit_log", "optimistic_locking", "full_text_search"),
]
AWAY = 2.0  # seconds
ROUNDS = 8
LATER = 0.01  # seconds that a migrator starts after another, in each round more
TABLES = ("audit_log", "users")
STATUS = "SELECT variable_value = '{}' FROM information_schema.global_status WHERE variable_name = '{}'"
JOINED = STATUS.format(NODES, "wsrep_cluster_size")
READY = STATUS.format("ON", "wsrep_ready")
SESSIONS = "SELECT count(*) FROM information_schema.processlist WHERE db = :name"


@pytest.fixture(scope="session")
def nodes(scratch: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Mortal]]:
    """The nodes of a cluster that no one else uses."""
    with galera(scratch / tmp_path_factory.mktemp("galera").name) as made:
        yield made


@pytest.fixture
def balancer(nodes: list[Mortal], tmp_path: Path) -> Iterator[Balancer]:
    """HAProxy, which lets one node take the writes, and the others the reads."""
    with in_front_of_galera(nodes, tmp_path) as made:
        yield made


def write_through(scene: Scene, nodes: list[Mortal]) -> None:
    """Let the service's connections take turns between the nodes, and wait until all clients write through them."""
    assert scene.proxy
    scene.proxy.lead_to(*(address(node.url) for node in nodes))
    scene.recover()


def on(node: Mortal, url: str) -> str:
    """Give the URL of a database on another node."""
    return make_url(node.url).set(database=make_url(url).database).render_as_string(hide_password=False)


def ask_at_once(node: Mortal, statement: str, **parameters: str) -> int:
    """Give the number that a node answers, which may not be ready."""
    url = make_url(node.url).update_query_dict({"init_command": "SET wsrep_sync_wait = 0, wsrep_dirty_reads = ON"})
    with servers.engine(url.render_as_string(hide_password=False)).connect() as connection:
        return int(connection.scalar(text(statement), parameters))


def wait_for_writes(scene: Scene, node: Mortal, other: Mortal) -> None:
    """Wait until a node has joined the others again, and takes the service's writes."""
    name = str(make_url(scene.url).database)
    deadline = time.monotonic() + SERVED_AGAIN
    while not (ask_at_once(other, JOINED) and ask_at_once(node, READY) and ask_at_once(node, SESSIONS, name=name)):
        assert time.monotonic() < deadline, "nothing is written through the node"
        time.sleep(0.05)


def wait_until_unready(balancer: Balancer, number: int) -> None:
    """Wait until the check that HAProxy asks says that a node isn't ready."""
    deadline = time.monotonic() + SERVED_AGAIN
    while balancer.says_ready(number):
        assert time.monotonic() < deadline, "the check says that the node is ready"
        time.sleep(0.05)


def check_that_nodes_are_alike(scene: Scene, nodes: list[Mortal]) -> None:
    """Check that each node has the same rows; a node waits for what was committed on others."""
    found = []
    for node in nodes:
        with servers.engine(on(node, scene.url)).connect() as connection:
            found.append([connection.execute(text(f"CHECKSUM TABLE {table}")).all() for table in TABLES])
    assert found == [found[0]] * len(nodes)


def test_node_is_killed_and_joins_again(stage: Stage, nodes: list[Mortal]) -> None:
    """One of three nodes of a Galera cluster, which all take writes, is killed, and joins again two seconds later."""
    with stage(other_server=nodes[0], workers=2) as scene:
        write_through(scene, nodes)
        nodes[2].kill()
        time.sleep(AWAY)
        nodes[2].start()
        scene.recover()
    check_that_nodes_are_alike(scene, nodes)


def test_node_loses_its_majority(stage: Stage, nodes: list[Mortal], balancer: Balancer) -> None:
    """Two of three nodes of a Galera cluster are killed, so that the third refuses, and start two seconds later."""
    with stage(other_server=nodes[0], workers=2) as scene:
        write_through(scene, nodes)
        for node in nodes[1:]:
            node.kill()
        scene.load.wait_for("503", SERVED_AGAIN)
        wait_until_unready(balancer, 0)
        time.sleep(AWAY)
        concurrently([node.start for node in nodes[1:]])  # they are ready once they have found each other
        scene.recover()
    check_that_nodes_are_alike(scene, nodes)


def test_node_that_takes_the_writes_is_killed(stage: Stage, nodes: list[Mortal], balancer: Balancer) -> None:
    """The node that HAProxy sends writes to is killed, and joins again after another has taken over."""
    with stage(other_server=nodes[0], workers=2, reach=balancer.reach) as scene:
        wait_for_writes(scene, nodes[0], nodes[1])
        nodes[0].kill()
        try:
            scene.recover()
        finally:
            nodes[0].start()
        wait_for_writes(scene, nodes[0], nodes[1])
        scene.load.wait_for_success(SERVED_AGAIN)
    check_that_nodes_are_alike(scene, nodes)


def test_node_that_takes_the_writes_is_frozen(stage: Stage, nodes: list[Mortal], balancer: Balancer) -> None:
    """The node that HAProxy sends writes to is frozen, and goes on after another has taken over."""
    with stage(other_server=nodes[0], workers=2, reach=balancer.reach) as scene:
        wait_for_writes(scene, nodes[0], nodes[1])
        os.kill(nodes[0].pid, signal.SIGSTOP)
        try:
            scene.recover()
        finally:
            os.kill(nodes[0].pid, signal.SIGCONT)
        wait_for_writes(scene, nodes[0], nodes[1])
        scene.load.wait_for_success(SERVED_AGAIN)
    check_that_nodes_are_alike(scene, nodes)


def test_migrators_on_several_nodes_leave_what_the_next_can_end(
    warm_process: WarmProcess, project: Path, nodes: list[Mortal], migrated_url: str
) -> None:
    """Migrations wait for those through the same node only: of those through others some, or all, may fail."""
    whole = schema_of(migrated_url)
    command = ["-m", "app", "migrate"]
    for number in range(ROUNDS):
        name = unique_word()
        execute(nodes[0].url, f"CREATE DATABASE {name}")
        urls = [on(node, f"mysql:///{name}") for node in nodes]
        started = []
        for url in urls:
            started.append(warm_process.start(command, project, {"DATABASE_URL": url}))
            time.sleep(number * LATER)
        for migrator in started:
            warm_process.wait(migrator)
        warm_process.run(command, project, {"DATABASE_URL": urls[0]})
        assert schema_of(urls[0]) == whole
