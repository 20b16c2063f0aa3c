"""Tells how the matrix goes on and, at the end, what ran where and for how long."""

import re
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import Any

import pytest

from tests.targets import Target

PARTS = {
    "test_questions": "questions",
    "test_render": "rendered files",
    "test_migrations": "migrations",
    "contract": "contract",
    "test_fuzz": "fuzz",
    "test_project_tests": "the project's own tests",
    "test_install": "installed alone",
    "test_service": "the service's process",
    "test_extras": "containers and pipelines",
    "test_mutations": "mutations",
    "test_docs": "documentation",
}
SLOWEST = 5


class Report:
    """Follows the reports of the tests, in the process that hands them out."""

    def __init__(self, config: pytest.Config, targets: Sequence[Target]) -> None:
        """Follow a run over `targets`."""
        self._config = config
        self._targets = {target.id: target for target in targets}
        self._started = time.monotonic()
        self._left: Counter[str] = Counter()
        self._tests: Counter[str] = Counter()
        self._failed: dict[str, list[str]] = defaultdict(list)
        self._seconds: Counter[str] = Counter()
        self._by_part: Counter[str] = Counter()
        self._tests_by_part: Counter[str] = Counter()
        self._names: dict[str, str] = {}
        self._finished = 0

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        """Learn from a worker process which tests there are."""
        self._learn(ids)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Learn which tests there are, where this process runs them itself."""
        self._learn(item.nodeid for item in session.items)

    def _learn(self, ids: Iterable[str]) -> None:
        counted = Counter(self._name(nodeid) for nodeid in ids)
        if counted:
            self._left = counted
            self._tests = Counter(counted)

    def _name(self, nodeid: str) -> str:
        """Give the id of the target that a test runs on, or nothing."""
        group = nodeid.rpartition("@")[2]
        if group in self._targets:
            return group
        if nodeid not in self._names:
            parameters = re.split(r"[\[\]]", nodeid.partition("[")[2])
            found = (name for name in self._targets for text in parameters if f"-{name}-" in f"-{text}-")
            self._names[nodeid] = max(found, key=len, default="")
        return self._names[nodeid]

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """Print no letter for a test: the lines of the variants and of the failures tell enough."""
        if self._config.option.verbose > 0 or not isinstance(report, pytest.TestReport) or report.skipped:
            return None
        if report.failed:
            return ("failed", "", "FAILED") if report.when == "call" else ("error", "", "ERROR")
        return ("passed" if report.when == "call" else "", "", "")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a phase of a test, and say when it failed or was a variant's last."""
        name = self._name(report.nodeid)
        part = part_of(report.nodeid)
        self._seconds[name] += report.duration  # type: ignore[assignment]
        self._by_part[part] += report.duration  # type: ignore[assignment]
        if report.failed:
            self._failed[name].append(report.nodeid)
            self._say(f"FAILED {report.nodeid}\n       repeat: {self._repeat(report.nodeid)}")
        if report.when == "teardown":
            self._tests_by_part[part] += 1
            self._left[name] -= 1
            if name and not self._left[name]:
                self._finish(name)

    def _finish(self, name: str) -> None:
        self._finished += 1
        total = sum(1 for tested in self._tests if tested)
        state = f"{len(self._failed[name])} failed" if name in self._failed else "ok"
        tests = f"{self._tests[name]} tests"
        self._say(f"[{self._finished:>3}/{total}] {name:<44} {tests:>10} {self._seconds[name]:7.1f} s  {state}")

    def _repeat(self, nodeid: str) -> str:
        name = self._name(nodeid)
        return f"make test-one VARIANT={name}" if name else f'make test-one TEST="{nodeid.partition("@")[0]}"'

    def _say(self, line: str) -> None:
        reporter: Any = self._config.pluginmanager.get_plugin("terminalreporter")
        reporter.ensure_newline()
        reporter.write_line(line)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print the tables."""
        ran = [target for name, target in self._targets.items() if self._tests[name]]
        if not ran:
            return
        terminalreporter.section("the matrix")
        rows = [["database", "server", "variants", "tests", "failed", "seconds"]]
        for server in dict.fromkeys(target.server for target in ran):
            names = [target.id for target in ran if target.server == server]
            rows.append(
                [
                    server.database,
                    str(server),
                    str(len(names)),
                    str(sum(self._tests[name] for name in names)),
                    str(sum(len(self._failed.get(name, [])) for name in names)),
                    f"{sum(self._seconds[name] for name in names):.0f}",
                ]
            )
        print_table(terminalreporter, rows)
        rows = [["part", "tests", "seconds"]]
        rows += [
            [part, str(self._tests_by_part[part]), f"{seconds:.0f}"] for part, seconds in self._by_part.most_common()
        ]
        print_table(terminalreporter, rows)
        slowest = sorted((target.id for target in ran), key=lambda name: -self._seconds[name])[:SLOWEST]
        print_table(
            terminalreporter,
            [["slowest variant", "seconds"], *([name, f"{self._seconds[name]:.1f}"] for name in slowest)],
        )
        variants = len({target.variant for target in ran})
        terminalreporter.write_line(f"{variants} variants in {time.monotonic() - self._started:.0f} seconds")
        for name in filter(None, self._failed):
            terminalreporter.write_line(f"repeat: make test-one VARIANT={name}")


def part_of(nodeid: str) -> str:
    """Name the part of the matrix that a test belongs to."""
    path = PurePosixPath(nodeid.partition("::")[0])
    key = "contract" if "contract" in path.parts else path.stem
    return PARTS.get(key, key)


def print_table(terminalreporter: Any, rows: Sequence[Sequence[str]]) -> None:
    """Print rows, the first of which is the header, in columns; numbers stand to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (
            cell.rjust(width) if rows[-1][number][:1].isdigit() else cell.ljust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        terminalreporter.write_line("  ".join(cells).rstrip())
    terminalreporter.write_line("")
