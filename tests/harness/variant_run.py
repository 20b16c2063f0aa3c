"""Runs the tests of a variant one after another, as one item of pytest's.

Hundreds of variants with hundreds of tests each would take every worker process minutes and gigabytes to collect. So
pytest collects a test once, for no variant, and makes it anew for each variant when the variant's turn comes. The tests
of a variant run in one process: they share its project, its database and its service.
"""

import dataclasses
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

from tests.harness.servers import Server
from tests.harness.variants import Variant

REPORTS = pytest.StashKey[list[pytest.TestReport]]()


class VariantRun(pytest.Item):
    """The tests of a variant on a server."""

    def __init__(self, *, variant: Variant, server: Server, tests: Sequence[pytest.Function], **options: Any) -> None:
        """Run `tests`, which were collected for no variant."""
        super().__init__(**options)
        self.variant = variant
        self.server = server
        self.tests = tests

    def runtest(self) -> None:
        """Do nothing: `perform` runs the tests, each with its own set-up and report."""

    def reportinfo(self) -> tuple[Any, int | None, str]:
        """Say what this is."""
        return self.path, None, self.name

    def perform(self, nextitem: pytest.Item | None) -> Iterator[pytest.TestReport]:
        """Run each test and give its reports."""
        tests = [self._make(test) for test in self.tests]
        for collected, test, following in zip(self.tests, tests, [*tests[1:], nextitem], strict=True):
            self.ihook.pytest_runtest_protocol(item=test, nextitem=following)
            for report in test.stash[REPORTS]:
                vars(report).update(variant=self.name, server=str(self.server), collected=collected.nodeid)
                yield report
            if self.session.shouldfail or self.session.shouldstop:
                return

    def _make(self, test: pytest.Function) -> pytest.Function:
        """Make a test for this variant, with the variant's name in its own."""
        ids = (self.name, *test.callspec._idlist)  # noqa: SLF001
        params = {**test.callspec.params, "variant_run": self}
        made: pytest.Function = pytest.Function.from_parent(
            test.parent,
            name=f"{test.originalname}[{'-'.join(ids)}]",
            callspec=dataclasses.replace(test.callspec, params=params, _idlist=ids),
            fixtureinfo=test._fixtureinfo,  # noqa: SLF001
            originalname=test.originalname,
        )
        made.stash[REPORTS] = []
        return made


def collect_once(metafunc: pytest.Metafunc) -> None:
    """Collect a test that needs a variant once, for none, unless it was given its own."""
    given = any("variant_run" in call.params for call in metafunc._calls)  # noqa: SLF001
    if "variant_run" in metafunc.fixturenames and not given:
        metafunc.parametrize("variant_run", [None], indirect=True, scope="session", ids=[pytest.HIDDEN_PARAM])


def needs_variant(item: pytest.Item) -> bool:
    """Tell whether `item` is a test that was collected for no variant."""
    callspec = getattr(item, "callspec", None)
    return callspec is not None and callspec.params.get("variant_run", item) is None


class VariantRuns:
    """The plugin that runs the tests in each `VariantRun`, and reports them where the runs are handed out."""

    def __init__(self, config: pytest.Config) -> None:
        """Run them in the session of `config`."""
        self._config = config
        self._is_worker = hasattr(config, "workerinput")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        """Run the tests of a variant, or one of them."""
        if REPORTS in item.stash:
            item.stash[REPORTS] = runtestprotocol(item, log=False, nextitem=nextitem)
            return True
        if not isinstance(item, VariantRun):
            return None
        kept = []
        started = time.time()
        for report in item.perform(nextitem):
            if self._is_worker:
                kept.append(self._config.hook.pytest_report_to_serializable(config=self._config, report=report))
            else:
                item.ihook.pytest_runtest_logreport(report=report)
        own = pytest.TestReport(
            item.nodeid, item.location, {}, "passed", None, "call", start=started, stop=time.time(), tests=kept
        )
        own.finished = item.name  # type: ignore[attr-defined]
        item.ihook.pytest_runtest_logreport(report=own)
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Report the tests that another process ran."""
        if self._is_worker:
            return
        for data in vars(report).pop("tests", ()):
            told = self._config.hook.pytest_report_from_serializable(config=self._config, data=data)
            told.node = report.node
            self._config.hook.pytest_runtest_logreport(report=told)
