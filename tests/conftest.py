"""Runs each test of the matrix on the variants that it is for; those of a variant share its project and service."""

import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import Engine
from sqlalchemy.pool import QueuePool

from tests.harness import rendering, servers, targets
from tests.harness.report import Report
from tests.harness.selection import MARKERS, sharing
from tests.harness.service import NO_CERTIFICATES, serving
from tests.harness.targets import Target
from tests.harness.variant_run import Run, Runs, for_targets, waits_for_targets
from tests.harness.variants import ROOT, SELECTIONS, Variant
from tests.harness.warm_process import WarmProcess
from tests.updates.releases import add_later_release, repository

TARGETS = pytest.StashKey[Sequence[Target]]()
STACK = pytest.StashKey[ExitStack]()
LOG = pytest.StashKey[Path]()
LONGEST_LOG = 4000
IN_MEMORY = Path("/dev/shm")  # noqa: S108 - a new folder in it, of a name that no one knows
ROOM = 4 * 1024**3
HOUR = 3600
SERVERS = pytest.StashKey[list[servers.Server]]()
ORDER = (
    "test_every_variant",
    "test_process",
    "test_files",
    "test_migrations",
    "contract",
    "test_overload",
    "test_faults",
    "test_after_response",
    "test_prefix",
    "test_fuzz",
    "test_project_tests",
    "test_install",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the command line choose variants."""
    parser.addoption(
        "--variants",
        default="all",
        help=f"variants to run, joined with commas: ids, or {', '.join(SELECTIONS)} (default: all)",
    )
    parser.addoption(
        "--everything",
        action="store_true",
        help="run each test on every variant that it can run on, however much alike",
    )
    parser.addoption("--only-variants", action="store_true", help="leave out the tests that are of no variant")


def pytest_configure(config: pytest.Config) -> None:
    """Start the servers, in the process that hands out the tests; learn of them in the others."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # most of the processes to come import the same modules
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    selection = config.getoption("variants")
    stack = config.stash[STACK] = ExitStack()
    try:
        databases = targets.databases_of(selection)
        if handed := getattr(config, "workerinput", {}).get("servers"):
            found = [servers.Server(**fields) for fields in json.loads(handed)]
        elif config.option.collectonly or config.option.help:
            found = [servers.Server(database, database, "", "") for database in databases]
        else:
            folder = stack.enter_context(scratch_folder())
            found = stack.enter_context(servers.running(databases, folder, partial(print, flush=True)))
        config.stash[SERVERS] = found
        config.stash[TARGETS] = targets.targets_of(selection, found)
    except (servers.NoServer, ValueError) as error:
        stack.close()
        raise pytest.UsageError(str(error)) from error
    config.pluginmanager.register(Runs(config))
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Report(config, config.stash[TARGETS]))


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the servers."""
    if STACK in config.stash:
        config.stash[STACK].close()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker process where the servers are."""
    node.workerinput["servers"] = json.dumps([asdict(server) for server in node.config.stash[SERVERS]])


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Let a test that asks for `target` wait for the targets that it is for."""
    for_targets(metafunc)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, session: pytest.Session, items: list[pytest.Item]) -> None:
    """Put the tests of each target together, in order, so that they share its project and service."""
    if config.option.collectonly:
        return
    waiting = [item for item in items if isinstance(item, pytest.Function) and waits_for_targets(item)]
    waiting.sort(key=lambda test: next((number for number, name in enumerate(ORDER) if name in test.nodeid), -1))
    others = [item for item in items if not waits_for_targets(item)]
    tests = sharing(waiting, config.stash[TARGETS], everything=config.getoption("everything"))
    runs = [Run.from_parent(session, name=target.id, target=target, tests=tests[target]) for target in tests]
    items[:] = [*([] if config.getoption("only_variants") else others), *runs]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the end of the service's log with a failure of a test that calls it."""
    report = yield
    if report.failed and LOG in item.config.stash and "service" in getattr(item, "fixturenames", ()):
        log = item.config.stash[LOG].read_text(encoding="utf-8", errors="replace")
        report.sections.append(("the end of the service's log", log[-LONGEST_LOG:]))
    return report


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Give a folder that any account can reach, in memory where there is room, and remove it at the end."""
    has_room = IN_MEMORY.is_dir() and os.access(IN_MEMORY, os.W_OK) and shutil.disk_usage(IN_MEMORY).free > ROOM
    place = IN_MEMORY if has_room and "TMPDIR" not in os.environ else Path(tempfile.gettempdir())
    remove_abandoned(place)
    prefix = f"matrix-{os.getpid()}-"
    with tempfile.TemporaryDirectory(prefix=prefix, dir=place, ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def remove_abandoned(place: Path) -> None:
    """Remove the folders of runs that were killed before they could: nothing is made in them for an hour."""
    for folder in place.glob("matrix-*"):
        owner = Path("/proc", folder.name.split("-")[1])
        with suppress(FileNotFoundError):  # another run removes them too
            if not owner.exists() and time.time() - folder.stat().st_mtime > HOUR:
                shutil.rmtree(folder, ignore_errors=True)


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
def target(request: pytest.FixtureRequest) -> Target:
    """The variant and the server that the test runs on."""
    given: Target = request.param
    return given


@pytest.fixture(scope="session")
def variant(target: Target) -> Variant:
    """The variant that the test runs on."""
    return target.variant


@pytest.fixture(scope="session")
def server(target: Target) -> servers.Server:
    """The server that the test runs on."""
    return target.server


@pytest.fixture(scope="session")
def project(source: Path, target: Target, scratch: Path) -> Iterator[Path]:
    """The rendered project."""
    folder = scratch / target.id.replace(":", "-")
    yield rendering.render_variant(source, target.variant, folder)
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def mypy_cache(worker_id: str) -> Path:
    """The folder in which this process's type checks keep what they learned of the libraries, from run to run."""
    return ROOT / ".cache" / "mypy" / worker_id


NewDatabase = Callable[[], AbstractContextManager[str]]


@pytest.fixture(scope="session")
def new_database(server: servers.Server, scratch: Path) -> NewDatabase:
    """A way to an empty database of one's own: a context manager that gives its URL."""
    return partial(servers.new_database, server, scratch)


@pytest.fixture
def database_url(new_database: NewDatabase) -> Iterator[str]:
    """The URL of an empty database."""
    with new_database() as url:
        yield url


@pytest.fixture(scope="session")
def service_database_url(new_database: NewDatabase) -> Iterator[str]:
    """The URL of the service's database."""
    with new_database() as url:
        yield url


@pytest.fixture(scope="session")
def migrated_url(warm_process: WarmProcess, project: Path, service_database_url: str) -> str:
    """The URL of the service's database, migrated."""
    warm_process.run(["-m", "alembic", "upgrade", "head"], project, {"DATABASE_URL": service_database_url})
    return service_database_url


@pytest.fixture(scope="session")
def service(
    warm_process: WarmProcess, project: Path, migrated_url: str, scratch: Path, request: pytest.FixtureRequest
) -> Iterator[str]:
    """The URL of the variant's service, its database migrated."""
    log = request.config.stash[LOG] = scratch / "service.log"
    with serving(warm_process, project, {"DATABASE_URL": migrated_url}, scratch, log) as url:
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
