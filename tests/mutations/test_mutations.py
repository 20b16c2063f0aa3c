"""A template that was broken on purpose fails its check, by each kind of check; as it is, it passes.

`pytest tests/mutations --everything -k unquoted-LIKE` repeats one mutation.
"""

import importlib
import inspect
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache, partial
from pathlib import Path

import pytest

from tests.contract import conftest as contract
from tests.contract.conftest import blog, has_timestamps, mixins, schemas, stored  # noqa: F401 - fixtures
from tests.contract.test_openapi import description, example_operations  # noqa: F401 - fixtures
from tests.every_variant.test_every_variant import driven, passes  # noqa: F401 - fixtures
from tests.harness import rendering, servers
from tests.harness.selection import one_of_each
from tests.harness.servers import SERVERS
from tests.harness.variant_run import VariantRun
from tests.harness.variants import Variant, select
from tests.migrations.test_migrations import alembic  # noqa: F401 - a fixture
from tests.mutations.mutations import MUTATIONS, Check, Mutation
from tests.rendered.test_install import copied  # noqa: F401 - a fixture
from tests.service.test_faults import timed_service  # noqa: F401 - a fixture
from tests.service.test_overload import one_connection  # noqa: F401 - a fixture
from tests.service.test_prefix import prefixed  # noqa: F401 - a fixture
from tests.updates.releases import repository
from tests.updates.test_switching import Case, at_work, with_mixins  # noqa: F401 - at_work is a fixture

RED = (Exception, pytest.fail.Exception)
# What takes long, and is for `make matrix`.
LONG = (
    "updates/test_switching.py",
    "rendered/test_install.py",
    "rendered/test_project_tests.py",
    "rendered/test_files.py::test_mypy_strict_passes",
)
CHECKS = {(check.test, check.variant): check for check in (mutation.check for mutation in MUTATIONS)}


def slug(text: str) -> str:
    """Write `text` as it can stand on a command line."""
    return re.sub(r"[^\w.]+", "-", text)


# The fixtures of the template and of the variant: of the template that `mutation` broke or, where that is None, of the
# template as it is. All other fixtures of a check build on these.


@pytest.fixture(scope="session")
def mutation(request: pytest.FixtureRequest) -> Mutation | None:
    """What is broken, if anything."""
    given: Mutation | None = request.param
    return given


@pytest.fixture(scope="session")
def checked_variant(request: pytest.FixtureRequest) -> Variant:
    """The variant that the check runs on."""
    (variant,) = select(request.param)
    return variant


@pytest.fixture(scope="session")
def source(mutation: Mutation | None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template, broken."""
    made = rendering.snapshot(tmp_path_factory.mktemp("broken") / "source")
    if mutation:
        mutation.apply(made)
    return made


@pytest.fixture(scope="session")
def template(source: Path) -> Iterator[Path]:
    """The template, broken, in a repository."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(source.parent / "cache"))
        yield repository(source.parent / "template", source)


@pytest.fixture(scope="session")
def find_server(scratch: Path, pytestconfig: pytest.Config) -> Iterator[Callable[[str], servers.Server]]:
    """A function that gives a server of a database: one of this run's, else one of its own."""
    with ExitStack() as stack:

        @cache
        def find(database: str) -> servers.Server:
            found = [server for server in pytestconfig.stash[SERVERS] if server.database == database]
            return (found or stack.enter_context(servers.running([database], scratch / "servers", print)))[0]

        yield find


@pytest.fixture(scope="session")
def variant_run(
    mutation: Mutation | None,
    checked_variant: Variant,
    find_server: Callable[[str], servers.Server],
    request: pytest.FixtureRequest,
) -> VariantRun:
    """The check's variant, on a server."""
    name = slug(mutation.name if mutation else checked_variant.id)
    server = find_server(checked_variant.database)
    run: VariantRun = VariantRun.from_parent(
        request.session, name=name, variant=checked_variant, server=server, tests=[]
    )
    return run


@pytest.fixture
def case(mutation: Mutation, variant: Variant, server: servers.Server) -> Case:
    """A project that gets the mixin which the check names."""
    return Case(variant, with_mixins(variant, *variant.mixins, mutation.check.given["mixin"]), server, server)


@pytest.fixture
def prepared(request: pytest.FixtureRequest) -> Callable[[Check], Callable[[], None]]:
    """Return a function that gives a check all that it asks for, and leaves it to be called."""

    def prepare(check: Check) -> Callable[[], None]:
        contract.pytest_configure(request.config)
        path, _, name = check.test.partition(".py::")
        module = importlib.import_module(f"tests.{path.replace('/', '.')}")
        run = getattr(module, name)
        values = {
            name: check.given[name] if name in check.given else request.getfixturevalue(name)
            for name in inspect.signature(run).parameters
        }
        return partial(run, **values)

    return prepare


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run all mutations and, unbroken, their checks; or the mutations that don't take long, and a check a variant."""
    everything = metafunc.config.getoption("everything")
    if metafunc.function is test_broken_template_fails:
        names = ["mutation", "checked_variant"]
        found = [
            pytest.param(mutation, mutation.check.variant, id=slug(mutation.name))
            for mutation in MUTATIONS
            if everything or not mutation.check.test.startswith(LONG)
        ]
    else:
        names = ["mutation", "checked_variant", "check"]
        checks = [check for check in CHECKS.values() if not check.test.startswith(LONG)]
        found = [
            pytest.param(None, check.variant, check, id=slug(f"{check.test}-{check.variant.replace('-', '.')}"))
            for check in (checks if everything else one_of_each(checks, lambda check: check.variant))
        ]
    metafunc.parametrize(names, found, indirect=["mutation", "checked_variant"], scope="session")


@pytest.mark.usefixtures("checked_variant")
def test_broken_template_fails(mutation: Mutation, prepared: Callable[[Check], Callable[[], None]]) -> None:
    check = prepared(mutation.check)
    with pytest.raises(RED, match=mutation.says):
        check()


@pytest.mark.usefixtures("mutation", "checked_variant")
def test_unbroken_template_passes(check: Check, prepared: Callable[[Check], Callable[[], None]]) -> None:
    prepared(check)()
