"""The hooks of pytest that make the tests of the repository run on variants and on database servers."""

import gc
import json
import os
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from dataclasses import asdict
from functools import partial
from typing import Any

import pytest
from _pytest.nodeid import NodeId

from tests.harness import clusters, servers
from tests.harness.report import Report
from tests.harness.scratch import scratch_folder
from tests.harness.selection import MARKERS, Needs, auth_pairs
from tests.harness.servers import SERVERS, Server
from tests.harness.service import SERVICE_LOG
from tests.harness.variant_run import VariantRun, VariantRuns, collect_once, needs_variant
from tests.harness.variants import Variant, select

ALL = "*"
LONGEST_LOG = 4000
EXAMPLES = 5
# What says most, and what reads the project before other tests leave files in it.
FIRST = ("tests/every_variant/", "tests/rendered/test_files.py")
# Far from UTC, and by no whole hours: neither the service nor its database may rely on the time zone of a machine.
TIME_ZONE = "Australia/Lord_Howe"
STACK = pytest.StashKey[ExitStack]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the command line choose variants."""
    text = "the variants to run on: names, or patterns such as sqlite-*-plain, joined with commas (default: all)"
    parser.addoption("--variants", default=ALL, help=text)
    text = "run each test on every variant that it can run on, however much alike"
    parser.addoption("--everything", action="store_const", const="everything", default="", help=text)
    text = "run each test on every variant that can tell something new, and all cases of the tests of no variant"
    parser.addoption("--matrix", dest="everything", action="store_const", const="matrix", help=text)
    text = "let services reach PostgreSQL through PgBouncer in transaction mode, with DB_POOL=null"
    parser.addoption("--pgbouncer", action="store_true", help=text)
    text = (
        "let services write to one server and read from two more: PostgreSQL's standbys, or nodes of MariaDB with"
        " Galera; `all` lets them write through all nodes of Galera"
    )
    parser.addoption("--cluster", choices=(clusters.ONE, clusters.ALL), help=text)
    text = f"how many examples a test with any input tries of each kind (default: {EXAMPLES})"
    parser.addoption("--examples", type=int, default=EXAMPLES, help=text)
    parser.addoption("--only-variants", action="store_true", help="leave out the tests that need no variant")


def pytest_configure(config: pytest.Config) -> None:
    """Start the servers in the process that hands out the tests; learn of them in its workers."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # most of the processes to come import the same modules
    sys.dont_write_bytecode = False
    os.environ["TZ"] = TIME_ZONE
    time.tzset()
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    stack = config.stash[STACK] = ExitStack()
    try:
        databases = list(dict.fromkeys(variant.database for variant, _ in chosen(config)))
        if handed := getattr(config, "workerinput", {}).get("servers"):
            found = [Server(**fields) for fields in json.loads(handed)]
        elif config.option.collectonly or config.option.help:
            found = [Server(database, database, "", "") for database in databases]
        else:
            folder = stack.enter_context(scratch_folder())
            start = clusters.running if config.option.cluster else servers.running
            found = stack.enter_context(start(databases, folder, partial(print, flush=True)))
    except (servers.NoServer, ValueError) as error:
        stack.close()
        raise pytest.UsageError(str(error)) from error
    config.stash[SERVERS] = found
    config.pluginmanager.register(VariantRuns(config))
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Report(config))


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the servers."""
    if STACK in config.stash:
        config.stash[STACK].close()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker process where the servers are."""
    node.workerinput["servers"] = json.dumps([asdict(server) for server in node.config.stash[SERVERS]])


@pytest.hookimpl(trylast=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Collect a test that needs a variant once."""
    collect_once(metafunc)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, session: pytest.Session, items: list[pytest.Item]) -> None:
    """Put the tests of each variant together, in order, so that they share its project and service."""
    if config.option.collectonly:
        return
    if config.getoption("pgbouncer"):
        items[:] = [item for item in items if not item.get_closest_marker("pool")]
    if config.getoption("everything") != "everything":
        items[:] = [item for item in items if not item.get_closest_marker("cluster")]
    if config.getoption("cluster") == clusters.ALL:
        items[:] = [item for item in items if not item.get_closest_marker("locks")]
    is_whole = bool(config.getoption("everything"))
    others = [item for item in items if not needs_variant(item) and (is_whole or not item.get_closest_marker("slow"))]
    tests = [item for item in items if isinstance(item, pytest.Function) and needs_variant(item)]
    tests.sort(key=lambda test: next((place for place, path in enumerate(FIRST) if path in test.nodeid), len(FIRST)))
    runs = list(variant_runs(config, session, tests))
    keep_groups_together(config, others)
    items[:] = [*([] if config.getoption("only_variants") else others), *runs]


def pytest_collection_finish() -> None:
    """Spare the garbage collector what was collected: it would look through it all, again and again."""
    gc.collect()
    gc.freeze()


def keep_groups_together(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let xdist hand out the tests of an `xdist_group` as one.

    xdist 3.8 writes the group to where pytest 9.2 no longer reads it: pytest-dev/pytest-xdist#1386.
    """
    if not config.getoption("loadgroup", default=False):
        return
    for item in items:
        marker = item.get_closest_marker("xdist_group")
        if marker and not item.nodeid.endswith(suffix := f"@{marker.args[0]}"):
            item._id = NodeId.parse(item.nodeid + suffix)  # noqa: SLF001


def chosen(config: pytest.Config) -> list[tuple[Variant, str]]:
    """Give the variants that the command line chooses, each with the product that its server must be of, if any.

    `mysql-sync-core-plain:mariadb` is that variant on MariaDB.
    """
    parts = [part.partition(":") for part in config.getoption("variants").split(",")]
    pairs = [(variant, product) for pattern, _, product in parts for variant in select(pattern)]
    if config.getoption("variants") == ALL:
        pairs += [(variant, "") for variant in auth_pairs()]
    return list(dict.fromkeys(pairs))


def variant_runs(config: pytest.Config, session: pytest.Session, tests: list[pytest.Function]) -> Iterator[VariantRun]:
    """Give the runs of the chosen variants on each server of their database, those with the most tests first."""
    needs = [(test, Needs.of(test)) for test in tests]
    extent = config.getoption("everything")
    runs, found = [], set()
    for variant, product in chosen(config):
        alike = [server for server in config.stash[SERVERS] if server.database == variant.database]
        for number, server in enumerate(alike):
            if product not in {"", server.product.lower()}:
                continue
            own = [
                test
                for test, need in needs
                if need.are_met_by(variant)
                and (need.server or not number)
                and need.choose(variant, extent, second_server=number > 0)
            ]
            found.update(own)
            name = f"{variant.id}:{server.product.lower()}" if len(alike) > 1 else variant.id
            if own:
                runs.append(VariantRun.from_parent(session, name=name, variant=variant, server=server, tests=own))
    lost = [test.nodeid for test, need in needs if test not in found and not need.is_left_out(extent)]
    if config.getoption("variants") == ALL and lost:
        raise pytest.UsageError(f"No variant is one that these tests can run on: {', '.join(lost)}.")
    yield from sorted(runs, key=lambda run: -len(run.tests))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the end of the service's log with a failure of a test that calls it."""
    report = yield
    log = item.config.stash.get(SERVICE_LOG, None)
    # The service of the last test is gone when what follows that test fails.
    if report.failed and log and log.exists() and "service" in getattr(item, "fixturenames", ()):
        end = log.read_text(encoding="utf-8", errors="replace")[-LONGEST_LOG:]
        report.sections.append(("the end of the service's log", end))
    return report
