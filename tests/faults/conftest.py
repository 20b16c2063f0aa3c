"""A service under load on a server of its own, for a fault."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import make_url
from sqlalchemy.pool import NullPool

from tests.contract.storage import Storage
from tests.faults.load import Load, judge
from tests.faults.mortal import Mortal, mortal
from tests.harness import servers
from tests.harness.servers import Server
from tests.harness.service import serving
from tests.harness.variants import Variant
from tests.harness.warm_process import WarmProcess
from tests.service.proxy import Proxy

SETTINGS = {"DB_CONNECT_TIMEOUT": "2", "DB_STATEMENT_TIMEOUT": "3", "DB_LOCK_TIMEOUT": "2", "DB_POOL_TIMEOUT": "2"}
SERVED_AGAIN = 15.0  # seconds, at most


@dataclass
class Scene:
    """A service, the load on it, and what can be done to its database."""

    load: Load
    server: Mortal
    proxy: Proxy
    seconds: float = 0

    def recover(self) -> None:
        """Wait until all clients are served again."""
        self.seconds = self.load.wait_for_success(SERVED_AGAIN)


Stage = Callable[[], AbstractContextManager[Scene]]


@pytest.fixture(scope="session")
def mortal_server(server: Server, scratch: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mortal]:
    """A server that no one else uses."""
    with mortal(server.database, scratch / tmp_path_factory.mktemp("mortal").name) as made:
        yield made


@pytest.fixture
def stage(
    warm_process: WarmProcess,
    project: Path,
    variant: Variant,
    mortal_server: Mortal,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> Stage:
    """A context with a service under load, which judges what the clients were promised when it ends."""

    @contextmanager
    def play() -> Iterator[Scene]:
        own = servers.identify(mortal_server.url)
        with servers.new_database(own, tmp_path) as url:
            warm_process.run(["-m", "alembic", "upgrade", "head"], project, {"DATABASE_URL": url})
            parsed = make_url(url)
            assert parsed.host is not None
            assert parsed.port is not None
            proxy = Proxy(parsed.host, parsed.port)
            through = parsed.set(port=proxy.port).render_as_string(hide_password=False)
            environment = {**SETTINGS, "DATABASE_URL": through}
            with serving(warm_process, project, environment, tmp_path) as address:
                load = Load(address)
                scene = Scene(load, mortal_server, proxy)
                with load.running():
                    load.wait_for_success(SERVED_AGAIN)
                    yield scene
                proxy.close()
            engine = servers.engine(url, NullPool)
            verdict = judge(load, Storage(engine, hides="soft_delete" in variant.mixins))
            request.node.user_properties += [
                ("seen", {str(result): count for result, count in load.seen().items()}),
                ("acknowledged", verdict.acknowledged),
                ("seconds", scene.seconds),
            ]
            assert not verdict.lost, "\n".join(verdict.lost)
            assert not verdict.half_written, "\n".join(verdict.half_written)
            assert not verdict.wrong, "\n".join(verdict.wrong[:20])
            assert verdict.acknowledged > 0

    return partial(play)
