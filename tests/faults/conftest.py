"""A service under load on a server of its own, for a fault."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from tests.contract.blog import unique_word
from tests.contract.storage import Storage
from tests.faults.load import Load, judge
from tests.faults.mortal import Mortal, execute, mortal, mortal_service
from tests.faults.report import ROWS, Row, title_of
from tests.faults.storms import STORMS
from tests.harness import servers
from tests.harness.clusters import read_url
from tests.harness.kept import Collected
from tests.harness.servers import Server
from tests.harness.variants import Variant
from tests.harness.warm_process import WarmProcess
from tests.service.proxy import Proxy


def pytest_configure(config: pytest.Config) -> None:
    """Collect the rows of the page, in the process that hands out the tests."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Collected(ROWS, "fault"))
        config.pluginmanager.register(Collected(STORMS, "storm"))


SETTINGS = {"DB_CONNECT_TIMEOUT": "2", "DB_STATEMENT_TIMEOUT": "3", "DB_LOCK_TIMEOUT": "2", "DB_POOL_TIMEOUT": "2"}
SERVED_AGAIN = 20.0  # seconds, at most
WRITING = 0.5  # seconds before the fault
WAITED_IN_VAIN = "timeout graceful shutdown exceeded"  # as uvicorn says it


@dataclass
class Scene:
    """A service, the load on it, its database server, which SQLite lacks, and the network between.

    In the end the rows are read from the database at `url`.
    """

    load: Load
    service: Mortal
    server: Mortal | None
    proxy: Proxy | None
    url: str
    recovered: float = 0

    def recover(self, *, unnoticed: float = 0) -> None:
        """Wait until all clients are served again, where the fault isn't seen for `unnoticed` seconds."""
        self.recovered = self.load.wait_for_success(unnoticed + SERVED_AGAIN)


Stage = Callable[..., AbstractContextManager[Scene]]


@pytest.fixture(scope="session")
def mortal_server(server: Server, scratch: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mortal | None]:
    """A database server that no one else uses; None where there is none."""
    if server.database == "sqlite":
        yield None
        return
    with mortal(server.database, scratch / tmp_path_factory.mktemp("mortal").name) as made:
        yield made


def new_database(server: Mortal | None, folder: Path) -> str:
    """Give the URL of an empty database, which goes with its server, or with `folder`."""
    if server is None:
        return f"sqlite:///{folder}/faults.db"
    name = unique_word()
    execute(server.url, f"CREATE DATABASE {name}")
    return make_url(server.url).set(database=name).render_as_string(hide_password=False)


@pytest.fixture
def record(variant: Variant, server: Server, request: pytest.FixtureRequest) -> Callable[..., None]:
    """A function that keeps what the test's fault came to, for the page."""

    def keep(**told: Any) -> None:
        title = title_of(request.function)
        row = Row(title, variant.database, variant.id, str(server), **told)
        request.node.user_properties.append(("fault", asdict(row)))

    return keep


@pytest.fixture
def stage(
    warm_process: WarmProcess,
    project: Path,
    variant: Variant,
    mortal_server: Mortal | None,
    tmp_path: Path,
    record: Callable[..., None],
) -> Stage:
    """A context with a service under load, which judges what the clients were promised when it ends."""

    @contextmanager
    def play(
        workers: int = 1,
        other_server: Mortal | None = None,
        reach: Callable[[str], Mapping[str, str]] = lambda url: {"DATABASE_URL": url},
        settings: Mapping[str, str] = {},
        standbys: Sequence[Mortal] = (),
        wrapper: Sequence[str] = (),
        *,
        may_read_old: bool = False,
    ) -> Iterator[Scene]:
        own = other_server or mortal_server
        url = new_database(own, tmp_path)
        with ExitStack() as stack:
            warm_process.run(["-m", "alembic", "upgrade", "head"], project, {"DATABASE_URL": url})
            parsed, proxy = make_url(url), None
            if parsed.host and parsed.port:
                proxy = Proxy((parsed.host, parsed.port))
                stack.callback(proxy.close)
                parsed = parsed.set(port=proxy.port)
            reached = reach(parsed.render_as_string(hide_password=False))
            environment = {**SETTINGS, **settings, **reached}
            if standbys:
                environment["DATABASE_READ_URL"] = read_url(url, [each.url for each in standbys])
            service = mortal_service(project, environment, tmp_path / "service.log", workers, wrapper)
            stack.callback(service.close)
            load = Load(service.url, may_read_old=may_read_old or bool(standbys))
            scene = Scene(load, service, own, proxy, url)
            with load.running():
                load.wait_for_success(SERVED_AGAIN)
                time.sleep(WRITING)
                yield scene
            database = servers.engine(scene.url)
            verdict = judge(load, Storage(database, hides="soft_delete" in variant.mixins))
            assert not verdict.lost, "\n".join(verdict.lost)
            assert not verdict.half_written, "\n".join(verdict.half_written)
            assert not verdict.wrong, "\n".join(verdict.wrong[:20])
            assert verdict.acknowledged > 0
            service.stop()
            assert WAITED_IN_VAIN not in service.log(), "at its end the service waits for what a fault left"
            record(
                seen=dict(load.seen()),
                acknowledged=verdict.acknowledged,
                lost=len(verdict.lost),
                half_written=len(verdict.half_written),
                recovered=scene.recovered,
            )

    return play
