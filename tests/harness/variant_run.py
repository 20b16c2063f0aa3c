"""Runs the tests of a target one after another, as one item of pytest's.

Hundreds of variants with hundreds of tests each would take every process minutes and gigabytes to collect. So a test is
collected once, for no target; for each target it is made anew when the target's turn comes.
"""

import dataclasses
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

from tests.harness.targets import Target

REPORTS = pytest.StashKey[list[pytest.TestReport]]()


def for_targets(metafunc: pytest.Metafunc) -> None:
    """Make a test that asks for `target` one that waits for its targets."""
    if "target" in metafunc.fixturenames:
        metafunc.parametrize("target", [None], indirect=True, scope="session", ids=[pytest.HIDDEN_PARAM])


def waits_for_targets(item: pytest.Item) -> bool:
    """Tell whether `item` is a test that waits for its targets."""
    callspec = getattr(item, "callspec", None)
    return callspec is not None and "target" in callspec.params and callspec.params["target"] is None


def made_for(target: Target, test: pytest.Function) -> pytest.Function:
    """Make the test that waited for `target`, with the target's id in its own."""
    ids = (target.id, *test.callspec._idlist)  # noqa: SLF001
    callspec = dataclasses.replace(test.callspec, params={**test.callspec.params, "target": target}, _idlist=ids)
    made: pytest.Function = pytest.Function.from_parent(
        test.parent,
        name=f"{test.originalname}[{'-'.join(ids)}]",
        callspec=callspec,
        fixtureinfo=test._fixtureinfo,  # noqa: SLF001
        originalname=test.originalname,
    )
    made.stash[REPORTS] = []
    return made


class Run(pytest.Item):
    """The tests of a target."""

    def __init__(self, *, target: Target, tests: Sequence[pytest.Function], **options: Any) -> None:
        """Run `tests`, which wait for targets, on `target`."""
        super().__init__(**options)
        self.target = target
        self.tests = tests

    def runtest(self) -> None:
        """Do nothing: the tests are run by `perform`, each with its own set-up and report."""

    def reportinfo(self) -> tuple[Any, int | None, str]:
        """Say what this is."""
        return self.path, None, self.name

    def perform(self, nextitem: pytest.Item | None) -> Iterator[pytest.TestReport]:
        """Run each test and give its reports."""
        tests = [made_for(self.target, test) for test in self.tests]
        for waiting, test, following in zip(self.tests, tests, [*tests[1:], nextitem], strict=True):
            self.ihook.pytest_runtest_protocol(item=test, nextitem=following)
            for report in test.stash[REPORTS]:
                report.target, report.waiting = self.target.id, waiting.nodeid  # type: ignore[attr-defined]
                yield report
            if self.session.shouldfail or self.session.shouldstop:
                return


class Runs:
    """Runs the runs and tells of the tests in them: this process itself, or the one that hands out the runs."""

    def __init__(self, config: pytest.Config) -> None:
        """Run them in the session of `config`."""
        self._config = config
        self._is_worker = hasattr(config, "workerinput")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        """Run a run, or a test in one."""
        if REPORTS in item.stash:
            item.stash[REPORTS] = runtestprotocol(item, log=False, nextitem=nextitem)
            return True
        if not isinstance(item, Run):
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
        own.finished = item.target.id  # type: ignore[attr-defined]
        item.ihook.pytest_runtest_logreport(report=own)
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Tell of the tests that another process ran."""
        if self._is_worker:
            return
        for data in vars(report).pop("tests", ()):
            told = self._config.hook.pytest_report_from_serializable(config=self._config, data=data)
            told.node = report.node
            self._config.hook.pytest_runtest_logreport(report=told)
