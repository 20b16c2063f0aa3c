"""The matrix finds out a template that was broken on purpose, by each kind of its checks, and passes it unbroken.

`pytest tests/mutations --everything -k unquoted-LIKE` repeats one mutation.
"""

import importlib
import inspect
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import Engine

from tests.conftest import SERVERS, NewDatabase, scratch_folder
from tests.contract import conftest as contract
from tests.contract.conftest import blog, has_timestamps, mixins, schemas, stored  # noqa: F401 - fixtures
from tests.contract.test_openapi import description, example_operations  # noqa: F401 - fixtures
from tests.every_variant.test_every_variant import driven, passes  # noqa: F401 - fixtures
from tests.harness import rendering, servers
from tests.harness.selection import one_of_each
from tests.harness.service import NO_CERTIFICATES, serving
from tests.harness.variants import Variant
from tests.harness.warm_process import WarmProcess
from tests.migrations.test_migrations import alembic  # noqa: F401 - a fixture
from tests.mutations.mutations import MUTATIONS, Check, Mutation
from tests.rendered.test_install import copied  # noqa: F401 - a fixture
from tests.service.proxy import Service, served
from tests.service.test_overload import one_connection  # noqa: F401 - a fixture
from tests.service.test_prefix import prefixed  # noqa: F401 - a fixture
from tests.updates.releases import repository
from tests.updates.test_switching import Case, at_work, with_mixins  # noqa: F401 - at_work is a fixture

# Spares the fuzzer the operations that no mutation breaks.
FUZZER = """
[[operations]]
exclude-path = "/api/v1/comments/{comment_id}"
enabled = false
"""
RED = (Exception, pytest.fail.Exception)
# What takes long, and is for `make matrix`.
LONG = (
    "updates/test_switching.py",
    "rendered/test_install.py",
    "rendered/test_project_tests.py",
    "rendered/test_files.py::test_it_is_typed",
)
CHECKS = {(check.test, check.variant): check for check in (mutation.check for mutation in MUTATIONS)}


def slug(text: str) -> str:
    """Write `text` as it can stand on a command line."""
    return re.sub(r"[^\w.]+", "-", text)


# A check asks for the fixtures of the matrix. Here they are of the template that `mutation` broke or, where that is
# None, of the template as it is, whose tests share a variant's project and service.


@pytest.fixture(scope="module")
def mutation(request: pytest.FixtureRequest) -> Mutation | None:
    """What is broken, if anything."""
    given: Mutation | None = request.param
    return given


@pytest.fixture(scope="module")
def variant(request: pytest.FixtureRequest) -> Variant:
    """The variant that the check runs on."""
    return Variant.parse(request.param)


@pytest.fixture(scope="module")
def folder(mutation: Mutation | None, variant: Variant, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of its own for each mutation, and for each variant of the template as it is."""
    return tmp_path_factory.mktemp(slug(mutation.name if mutation else variant.id))


@pytest.fixture(scope="module")
def source(mutation: Mutation | None, folder: Path) -> Path:
    """The template, broken."""
    made = rendering.snapshot(folder / "source")
    if mutation:
        mutation.apply(made)
    return made


@pytest.fixture(scope="module")
def template(source: Path, folder: Path) -> Iterator[Path]:
    """The template, broken, in a repository."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        yield repository(folder / "template", source)


@pytest.fixture(scope="module")
def case(mutation: Mutation, variant: Variant, server: servers.Server) -> Case:
    """A project that gets the mixin which the check names."""
    return Case(variant, with_mixins(variant, *variant.mixins, mutation.check.given["mixin"]), server, server)


@pytest.fixture(scope="module")
def project(source: Path, variant: Variant, folder: Path) -> Path:
    """The rendered project."""
    return rendering.render_variant(source, variant, folder / "project")


@pytest.fixture(scope="module")
def server(variant: Variant, pytestconfig: pytest.Config) -> Iterator[servers.Server]:
    """A server of the variant's database: one of this run's, else one of its own."""
    with ExitStack() as stack:
        found = [server for server in pytestconfig.stash[SERVERS] if server.database == variant.database]
        if not found:
            scratch = stack.enter_context(scratch_folder())
            found = stack.enter_context(servers.running([variant.database], scratch, print))
        yield found[0]


@pytest.fixture(scope="module")
def new_database(server: servers.Server, folder: Path) -> NewDatabase:
    """A way to an empty database of one's own."""
    return partial(servers.new_database, server, folder)


@pytest.fixture(scope="module")
def service_database_url(new_database: NewDatabase) -> Iterator[str]:
    """The URL of the service's database."""
    with new_database() as url:
        yield url


@pytest.fixture(scope="module")
def migrated_url(warm_process: WarmProcess, project: Path, service_database_url: str) -> str:
    """The URL of the service's database, migrated."""
    warm_process.run(["-m", "alembic", "upgrade", "head"], project, {"DATABASE_URL": service_database_url})
    return service_database_url


@pytest.fixture(scope="module")
def service(warm_process: WarmProcess, project: Path, migrated_url: str, folder: Path) -> Iterator[str]:
    """The URL of the service, its database migrated."""
    with serving(warm_process, project, {"DATABASE_URL": migrated_url}, folder) as url:
        yield url


@pytest.fixture(scope="module")
def timed_service(
    warm_process: WarmProcess, project: Path, new_database: NewDatabase, folder: Path
) -> Iterator[Service]:
    """A service with short timeouts."""
    with new_database() as url, served(warm_process, project, url, folder) as made:
        yield made


@pytest.fixture(scope="module")
def api(service: str) -> Iterator[httpx2.Client]:
    """A client of the service."""
    with httpx2.Client(base_url=service, timeout=30, verify=NO_CERTIFICATES) as client:
        yield client


@pytest.fixture(scope="module")
def db(migrated_url: str) -> Engine:
    """The database of the service, past the service."""
    return servers.engine(migrated_url)


@pytest.fixture
def prepared(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Check], Callable[[], None]]:
    """Return a function that gives a check all that it asks for, and leaves it to be called."""

    def prepare(check: Check) -> Callable[[], None]:
        contract.pytest_configure(request.config)
        path, _, name = check.test.partition(".py::")
        module = importlib.import_module(f"tests.{path.replace('/', '.')}")
        run = getattr(module, name)
        (tmp_path / "schemathesis.toml").write_text(FUZZER, encoding="utf-8")
        values = {
            name: check.given[name] if name in check.given else request.getfixturevalue(name)
            for name in inspect.signature(run).parameters
        }
        return partial(run, **values)

    return prepare


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run all mutations and, unbroken, their checks; or the mutations that don't take long, and a check a variant."""
    everything = metafunc.config.getoption("everything")
    if metafunc.function is test_a_broken_template_is_found_out:
        names = ["mutation", "variant"]
        found = [
            pytest.param(mutation, mutation.check.variant, id=slug(mutation.name))
            for mutation in MUTATIONS
            if everything or not mutation.check.test.startswith(LONG)
        ]
    else:
        names = ["mutation", "variant", "check"]
        checks = [check for check in CHECKS.values() if not check.test.startswith(LONG)]
        found = [
            pytest.param(None, check.variant, check, id=slug(f"{check.test}-{check.variant.replace('-', '.')}"))
            for check in (checks if everything else one_of_each(checks, lambda check: check.variant))
        ]
    metafunc.parametrize(names, found, indirect=["mutation", "variant"], scope="module")


@pytest.mark.usefixtures("variant")
def test_a_broken_template_is_found_out(mutation: Mutation, prepared: Callable[[Check], Callable[[], None]]) -> None:
    check = prepared(mutation.check)
    with pytest.raises(RED, match=mutation.says):
        check()


@pytest.mark.usefixtures("mutation", "variant")
def test_the_template_as_it_is_passes(check: Check, prepared: Callable[[Check], Callable[[], None]]) -> None:
    prepared(check)()
