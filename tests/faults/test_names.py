"""The name of the database's server is no longer known, or its DNS server is silent, while clients write."""

import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import make_url

from tests.faults.conftest import Scene, Stage
from tests.faults.resolver import NAME, Resolver, resolving
from tests.harness.service import NO_CERTIFICATES

pytestmark = [
    pytest.mark.example,
    pytest.mark.each_database,
    pytest.mark.slow,
    pytest.mark.database("postgresql", "mysql"),
    pytest.mark.mixin("timestamps", "soft_delete", "audit_log", "optimistic_locking", "full_text_search"),
]
LASTS = 4.0  # seconds: longer than the service waits for a connection
PROMPT = 2.0  # seconds for a response that needs no database; a name that isn't known is asked for twice as long


@pytest.fixture
def resolver() -> Iterator[Resolver]:
    """The DNS server that the service asks."""
    with resolving() as made:
        yield made


def by_name(url: str) -> dict[str, str]:
    """Give the setting that has the server's name."""
    return {"DATABASE_URL": make_url(url).set(host=NAME).render_as_string(hide_password=False)}


def lose_name(scene: Scene) -> None:
    """Cut all connections, and ask all the time whether the service is alive, which needs no connection."""
    assert scene.proxy
    scene.proxy.cut()
    ends, slowest = time.monotonic() + LASTS, 0.0
    while time.monotonic() < ends:
        began = time.monotonic()
        httpx2.get(f"{scene.service.url}/health/live", verify=NO_CERTIFICATES, timeout=30).raise_for_status()
        slowest = max(slowest, time.monotonic() - began)
        time.sleep(0.05)
    assert scene.load.seen()["503"]
    assert slowest < PROMPT, "what waits for a name lets other requests wait"


def test_name_is_not_known(stage: Stage, resolver: Resolver, tmp_path: Path) -> None:
    """The name of the database's server isn't known for four seconds, and all connections are cut."""
    with stage(reach=by_name, wrapper=resolver.wrapper(tmp_path)) as scene:
        resolver.knows = False
        lose_name(scene)
        resolver.knows = True
        scene.recover()


def test_dns_server_is_silent(stage: Stage, resolver: Resolver, tmp_path: Path) -> None:
    """The DNS server is silent for four seconds, and all connections are cut."""
    with stage(reach=by_name, wrapper=resolver.wrapper(tmp_path)) as scene:
        resolver.is_silent = True
        lose_name(scene)
        resolver.is_silent = False
        scene.recover()
