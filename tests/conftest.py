"""The fixtures of the tests: the variant that a test runs on, its project, its database and its service.

A test that asks for one of them runs on several variants: `tests/harness/selection.py` says on which.
"""

import shutil
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import Engine, make_url
from sqlalchemy.pool import QueuePool

from tests.harness import clusters, rendering, servers
from tests.harness.commands import MYPY_CACHE
from tests.harness.identity_provider import IdentityProvider, providing
from tests.harness.scratch import scratch_folder
from tests.harness.servers import NewDatabase, Server
from tests.harness.service import NO_CERTIFICATES, SERVICE_LOG, serving
from tests.harness.variant_run import VariantRun
from tests.harness.variants import OIDC, Variant
from tests.harness.warm_process import WarmProcess
from tests.updates.releases import add_later_release, repository

pytest_plugins = ["tests.harness.plugin"]


@pytest.fixture(scope="session")
def scratch() -> Iterator[Path]:
    """A folder for what this process makes."""
    with scratch_folder() as folder:
        yield folder


@pytest.fixture(scope="session")
def source(scratch: Path) -> Path:
    """The template, in a plain folder."""
    return rendering.snapshot(scratch / "source")


@pytest.fixture(scope="session")
def examples(request: pytest.FixtureRequest) -> int:
    """How many examples of a kind a test with any input tries."""
    given: int = request.config.getoption("examples")
    return given


@pytest.fixture(scope="session")
def template(scratch: Path) -> Iterator[Path]:
    """The template in a repository that has the working tree as its release."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(scratch / "cache"))  # where Copier mirrors repositories
        yield repository(scratch / "template")


@pytest.fixture(scope="session")
def later_template(template: Path, scratch: Path) -> Path:
    """The template in a repository that has the working tree as a release, and a later one."""
    return add_later_release(shutil.copytree(template, scratch / "later"))


@pytest.fixture(scope="session")
def warm_process(scratch: Path) -> Iterator[WarmProcess]:
    """The warm process that commands are forked from."""
    with WarmProcess(scratch / "logs") as process:
        yield process


@pytest.fixture(scope="session")
def mypy_cache() -> Path:
    """The folder in which this process's type checks keep what they learned of the libraries, from run to run."""
    return MYPY_CACHE


@pytest.fixture(scope="session")
def variant_run(request: pytest.FixtureRequest) -> VariantRun:
    """The run of a variant that the test belongs to."""
    given: VariantRun = request.param
    return given


@pytest.fixture(scope="session")
def variant(variant_run: VariantRun) -> Variant:
    """The variant that the test runs on."""
    return variant_run.variant


@pytest.fixture(scope="session")
def server(variant_run: VariantRun) -> Server:
    """The database server that the test runs on."""
    return variant_run.server


@pytest.fixture(scope="session")
def project(source: Path, variant_run: VariantRun, scratch: Path) -> Iterator[Path]:
    """The rendered project."""
    folder = scratch / variant_run.name.replace(":", "-")
    yield rendering.render_variant(source, variant_run.variant, folder)
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def new_database(server: Server, scratch: Path) -> NewDatabase:
    """A way to an empty database of one's own: a context manager that gives its URL."""
    return partial(servers.new_database, server, scratch)


@pytest.fixture
def database_url(new_database: NewDatabase) -> Iterator[str]:
    """The URL of an empty database."""
    with new_database() as url:
        yield url


@pytest.fixture(scope="session")
def service_database(
    server: Server, new_database: NewDatabase, scratch: Path, request: pytest.FixtureRequest
) -> Iterator[tuple[str, dict[str, str]]]:
    """The URL of the service's database, and the settings by which the service reaches it."""
    with ExitStack() as stack:
        url = stack.enter_context(new_database())
        settings = {"DATABASE_URL": url}
        if server.database == "postgresql" and request.config.getoption("pgbouncer"):
            pooled = make_url(stack.enter_context(servers.pooler(server, scratch / "pooler")))
            reached = pooled.set(database=make_url(url).database).render_as_string(hide_password=False)
            settings = {"DATABASE_URL": reached, "DB_POOL": "null"}
        elif server.others:
            settings = stack.enter_context(clusters.reached(server, url, request.config.getoption("cluster")))
        yield url, settings


@pytest.fixture(scope="session")
def migrated_url(warm_process: WarmProcess, project: Path, service_database: tuple[str, dict[str, str]]) -> str:
    """The URL of the service's database, migrated."""
    url, settings = service_database
    warm_process.run(["-m", "alembic", "upgrade", "head"], project, settings)
    return url


@pytest.fixture(scope="session")
def identity_provider() -> Iterator[IdentityProvider]:
    """The identity provider whose tokens services take."""
    with providing() as provider:
        yield provider


@pytest.fixture(scope="session")
def service_environment(
    variant: Variant,
    migrated_url: str,  # noqa: ARG001
    service_database: tuple[str, dict[str, str]],
    request: pytest.FixtureRequest,
) -> dict[str, str]:
    """The settings of the variant's service, its database migrated."""
    made = {**service_database[1]}
    if variant.auth == OIDC:
        made["OIDC_ISSUER"] = request.getfixturevalue("identity_provider").issuer
    return made


@pytest.fixture(scope="session")
def service(
    warm_process: WarmProcess,
    project: Path,
    service_environment: dict[str, str],
    scratch: Path,
    request: pytest.FixtureRequest,
) -> Iterator[str]:
    """The URL of the variant's service."""
    log = request.config.stash[SERVICE_LOG] = scratch / "service.log"
    with serving(warm_process, project, service_environment, scratch, log) as url:
        yield url


@pytest.fixture(scope="session")
def api(service: str) -> Iterator[httpx2.Client]:
    """A client of the variant's service."""
    with httpx2.Client(base_url=service, timeout=30, verify=NO_CERTIFICATES) as client:
        yield client


@pytest.fixture(scope="session")
def db(migrated_url: str) -> Iterator[Engine]:
    """The database of the variant's service, past the service."""
    made = servers.engine(migrated_url, QueuePool)
    yield made
    made.dispose()


@pytest.fixture
def heard() -> Iterator[None]:
    """Hear Ctrl-C, also in a shell's background job, which ignores the signal."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
