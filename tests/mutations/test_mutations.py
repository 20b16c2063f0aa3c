"""A template that was broken on purpose fails its check, by each kind of check; as it is, it passes.

`pytest tests/mutations --everything -k unquoted-LIKE` repeats one mutation.
"""

import importlib
import inspect
import re
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.contract.conftest import blog, mixins, schemas, stored  # noqa: F401 - fixtures
from tests.contract.test_accounts import accounts  # noqa: F401 - a fixture
from tests.contract.test_oidc import users  # noqa: F401 - a fixture
from tests.contract.test_openapi import description, example_operations  # noqa: F401 - fixtures
from tests.every_variant.test_every_variant import driven, passes  # noqa: F401 - fixtures
from tests.faults.conftest import mortal_server, record, stage  # noqa: F401 - fixtures
from tests.faults.test_credentials import account  # noqa: F401 - a fixture
from tests.faults.test_failover import pair  # noqa: F401 - a fixture
from tests.faults.test_galera import balancer, nodes  # noqa: F401 - fixtures
from tests.faults.test_names import resolver  # noqa: F401 - a fixture
from tests.faults.test_patroni import cluster  # noqa: F401 - a fixture
from tests.faults.test_standbys import primary, standbys  # noqa: F401 - fixtures
from tests.faults.test_storm import storm  # noqa: F401 - a fixture
from tests.harness import rendering, servers
from tests.harness.selection import one_of_each
from tests.harness.servers import SERVERS
from tests.harness.variant_run import VariantRun
from tests.harness.variants import ROOT, Variant, select
from tests.migrations.test_migrations import alembic, held  # noqa: F401 - fixtures
from tests.mutations.mutations import MUTATIONS, Check, Mutation
from tests.rendered.test_install import copied  # noqa: F401 - a fixture
from tests.resource.test_every_resource import added, holds, outcomes  # noqa: F401 - fixtures
from tests.service.test_faults import patient_service, timed_service  # noqa: F401 - fixtures
from tests.service.test_overload import one_connection  # noqa: F401 - a fixture
from tests.service.test_prefix import prefixed  # noqa: F401 - a fixture
from tests.service.test_telemetry import measured, telemetry  # noqa: F401 - fixtures
from tests.updates.releases import repository
from tests.updates.test_switching import Case, at_work, run_tests, with_mixins  # noqa: F401 - two are fixtures

PACKAGE = "copier_fastapi_sqlalchemy"
RED = (Exception, pytest.fail.Exception)
# What takes long, and is for `make matrix`.
LONG = (
    "faults/",
    "fuzz/",
    "service/test_command.py::test_workers_end",
    "service/test_process.py::test_head_of_a_request_has_a_limit",
    "updates/test_switching.py",
    "rendered/test_install.py",
    "rendered/test_project_tests.py",
    "resource/test_every_resource.py",
    "rendered/test_files.py::test_mypy_strict_passes",
)
# What needs a program that `make faults` installs.
ON_CLUSTERS = ("faults/test_galera.py", "faults/test_patroni.py")
CHECKS = {(check.test, check.variant): check for check in (mutation.check for mutation in MUTATIONS)}


def slug(text: str) -> str:
    """Write `text` as it can stand on a command line."""
    return re.sub(r"[^\w.]+", "-", text)


# The template that `mutation` broke or, where that is None, the template as it is. All other fixtures of a check build
# on these and on the `variant_run` of all tests. With one of its own, pytest would keep the last mutation's project and
# service for the tests that come after: it is a fixture's new parameter that ends what depends on the fixture.


@pytest.fixture(scope="session")
def mutation(request: pytest.FixtureRequest) -> Mutation | None:
    """What is broken, if anything."""
    given: Mutation | None = request.param
    return given


@pytest.fixture(scope="session")
def source(mutation: Mutation | None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template, broken."""
    made = rendering.snapshot(tmp_path_factory.mktemp("broken") / "source")
    if mutation and mutation.path.startswith(PACKAGE):
        shutil.copytree(ROOT / PACKAGE, made / PACKAGE, ignore=shutil.ignore_patterns("__pycache__"))
    if mutation:
        mutation.apply(made)
    return made


@pytest.fixture(scope="session")
def generator(source: Path) -> Path:
    """The folder of the package that writes resources, broken if the mutation is of it."""
    return source if (source / PACKAGE).exists() else ROOT


@pytest.fixture(scope="session")
def chosen_checks(mutation: Mutation | None) -> list[str]:
    """The checks of a resource that the mutation is found by."""
    return re.findall(r"test_\w+", mutation.says) if mutation else []


@pytest.fixture(scope="session")
def template(source: Path) -> Iterator[Path]:
    """The template, broken, in a repository."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(source.parent / "cache"))
        yield repository(source.parent / "template", source)


@pytest.fixture
def case(mutation: Mutation, variant: Variant, server: servers.Server) -> Case:
    """A project that gets the mixin which the check names."""
    return Case(variant, with_mixins(variant, *variant.mixins, mutation.check.given["mixin"]), server, server)


@pytest.fixture
def prepared(request: pytest.FixtureRequest) -> Callable[[Check], Callable[[], None]]:
    """Return a function that gives a check all that it asks for, and leaves it to be called."""

    def prepare(check: Check) -> Callable[[], None]:
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
    """Run all mutations and, unbroken, their checks; or the mutations that don't take long, and a check a variant.

    They are those of the databases that this run has a server of.
    """
    config = metafunc.config
    everything = config.getoption("everything")
    running = {server.database: server for server in config.stash[SERVERS][::-1]}

    def run_of(check: Check, name: str) -> VariantRun | None:
        (variant,) = select(check.variant)
        if variant.database not in running:
            return None
        server = running[variant.database]
        run: VariantRun = VariantRun.from_parent(
            metafunc.definition.session, name=name, variant=variant, server=server, tests=[]
        )
        return run

    if metafunc.function is test_broken_template_fails:
        names = ["mutation", "variant_run"]
        cases: list[tuple[tuple[Mutation | Check | None, ...], Check, str]] = [
            ((mutation,), mutation.check, slug(mutation.name))
            for mutation in MUTATIONS
            if (everything or not mutation.check.test.startswith(LONG))
            and (everything == "everything" or not mutation.check.test.startswith(ON_CLUSTERS))
        ]
    else:
        names = ["mutation", "check", "variant_run"]
        checks = [check for check in CHECKS.values() if not check.test.startswith(LONG)]
        cases = [
            ((None, check), check, slug(f"{check.test}-{check.variant.replace('-', '.')}"))
            for check in (checks if everything else one_of_each(checks, lambda check: check.variant))
        ]
    found = [
        pytest.param(*values, run, id=name) for values, check, name in cases if (run := run_of(check, name)) is not None
    ]
    metafunc.parametrize(names, found, indirect=["mutation", "variant_run"], scope="session")


@pytest.mark.usefixtures("variant_run")
def test_broken_template_fails(mutation: Mutation, prepared: Callable[[Check], Callable[[], None]]) -> None:
    check = prepared(mutation.check)
    with pytest.raises(RED, match=mutation.says):
        check()


@pytest.mark.usefixtures("mutation", "variant_run")
def test_unbroken_template_passes(check: Check, prepared: Callable[[Check], Callable[[], None]]) -> None:
    prepared(check)()
