"""Tells how the matrix goes on and, at the end, what ran where and for how long."""

import datetime as dt
import re
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

import pytest

from tests.harness import page
from tests.harness.records import Failure, Record, Result
from tests.harness.targets import Target

PARTS = {
    "test_it_is_rendered": "render",
    "test_it_is_linted_and_formatted": "lint",
    "test_its_migrations_go_up_and_down_and_up_again_and_miss_nothing": "migrate",
    "test_its_resources_and_mixins_do_what_the_contract_says": "CRUD",
    "test_questions": "questions",
    "test_files": "rendered files",
    "test_it_is_typed": "types",
    "test_pyright": "types, by pyright",
    "test_migrations": "migrations",
    "contract": "contract",
    "test_switching": "changing an answer",
    "test_updating": "updating",
    "test_update_traps": "surprises of updates",
    "test_update_guide": "the guide to updates",
    "test_update_workflow": "the workflow that updates",
    "test_frozen_names": "frozen names",
    "test_moving_data": "moving data",
    "test_own_model": "a model of one's own",
    "test_fuzz": "fuzz",
    "test_project_tests": "the project's own tests",
    "test_install": "installed alone",
    "test_process": "the service's process",
    "test_faults": "faults of the database",
    "test_overload": "overload",
    "test_after_response": "after the response",
    "test_prefix": "behind a prefix",
    "test_autogenerate": "autogenerate",
    "test_unspaced_search": "search without spaces",
    "test_docs_page": "the page at /docs",
    "test_dev": "the commands of dev.py",
    "test_servers": "servers",
    "test_extras": "containers and pipelines",
    "test_mutations": "mutations",
    "test_selection": "selection",
    "test_docs": "documentation",
    "test_patterns": "patterns",
}
SLOWEST = 5
# Of a part without variants, after how many tests it says how far it is.
STEP = 20
LONGEST_LINE = 300


class Report:
    """Follows the reports of the tests, in the process that hands them out."""

    def __init__(self, config: pytest.Config, targets: Sequence[Target]) -> None:
        """Follow a run over `targets`."""
        self._config = config
        self._targets = {target.id: target for target in targets}
        self._started = time.monotonic()
        self._runs = 0
        self._finished = 0
        self._left: Counter[str] = Counter()
        self._results: dict[tuple[str, str], Result] = {}
        self._record = Record(
            title=config.getoption("variants") + (", everything" if config.getoption("everything") else ""),
            started=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            servers={target.id: str(target.server) for target in targets},
        )

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        """Learn from a worker process what there is to run."""
        self._learn([nodeid.removeprefix("::") for nodeid in ids])

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Learn what there is to run, where this process does it itself."""
        self._learn([item.nodeid.removeprefix("::") for item in session.items])

    def _learn(self, ids: Sequence[str]) -> None:
        self._runs = sum(nodeid in self._targets for nodeid in ids)
        self._left = Counter(part_of(nodeid) for nodeid in ids if nodeid not in self._targets)

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """Print no letter for a test: the lines of the variants and of the failures tell enough."""
        if not isinstance(report, pytest.TestReport) or report.skipped:
            return None
        if hasattr(report, "finished"):
            return ("", "", "")
        if self._config.option.verbose > 0:
            return None
        if report.failed:
            return ("failed", "", "FAILED") if report.when == "call" else ("error", "", "ERROR")
        return ("passed" if report.when == "call" else "", "", "")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a phase of a test, and say when it failed or its target is finished."""
        if hasattr(report, "finished"):
            self._finished += 1
            self._tell(f"[{self._finished:>3}/{self._runs}] {report.finished}", self._total(report.finished))
            return
        target, part = getattr(report, "target", ""), part_of(report.nodeid)
        result = self._results.setdefault((target, part), Result(target, part))
        told: dict[str, Any] = dict(report.user_properties) if report.when == "call" else {}
        result.seconds += told.get("seconds", report.duration)
        result.checks += told.get("checks", 0)
        result.tests += report.when == "teardown"
        if report.failed:
            result.failed += 1
            test = getattr(report, "waiting", report.nodeid)
            repeat = repeat_of(test, target)
            self._record.failures.append(Failure(target, part, test, last_line_of(report), repeat))
            self._say(f"FAILED {report.nodeid}\n       repeat: {repeat}")
        if report.when == "teardown" and not target:
            self._left[part] -= 1
            if not self._left[part]:
                self._tell(part, result)
            elif result.tests % STEP == 0:
                self._say(f"{part:<70} {result.tests:>5} of {result.tests + self._left[part]}")

    def _tell(self, name: str, result: Result) -> None:
        """Say what a target, or a part of no target, came to."""
        state = f"{result.failed} failed" if result.failed else "ok"
        self._say(f"{name:<70} {result.tests:>5} tests {result.seconds:7.1f} s  {state}")

    def _total(self, name: str) -> Result:
        """Add up the parts of the target of that name."""
        results = [result for (target, _), result in self._results.items() if target == name]
        return Result(
            name,
            "",
            sum(result.tests for result in results),
            sum(result.failed for result in results),
            sum(result.seconds for result in results),
        )

    def _say(self, line: str) -> None:
        reporter: Any = self._config.pluginmanager.get_plugin("terminalreporter")
        reporter.ensure_newline()
        reporter.write_line(line)
        reporter.flush()

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print the tables and write the report."""
        totals = [self._total(name) for name in self._targets if any(target == name for target, _ in self._results)]
        if not totals:
            return
        terminalreporter.section("the matrix")
        print_table(terminalreporter, self._rows_of_servers(totals))
        print_table(terminalreporter, self._rows_of_parts())
        totals.sort(key=lambda total: -total.seconds)
        slowest = [[total.target, f"{total.seconds:.1f}"] for total in totals[:SLOWEST]]
        print_table(terminalreporter, [["slowest variant", "seconds"], *slowest])
        self._record.results = [
            Result(**{**vars(result), "seconds": round(result.seconds, 2)}) for result in self._results.values()
        ]
        if steps := self._record.table_of_steps():
            print_table(terminalreporter, steps)
        for failure in self._record.failures:
            terminalreporter.write_line(f"repeat: {failure.repeat}")
        self._record.seconds = time.monotonic() - self._started
        variants = len({self._targets[total.target].variant for total in totals})
        terminalreporter.write_line(f"{variants} variants in {self._record.seconds:.0f} seconds")
        self._record.write()
        terminalreporter.write_line(f"the report: {page.write(self._record)}")

    def _rows_of_servers(self, totals: Sequence[Result]) -> list[list[str]]:
        rows = [["database", "server", "variants", "tests", "failed", "seconds"]]
        for server in dict.fromkeys(self._targets[total.target].server for total in totals):
            own = [total for total in totals if self._targets[total.target].server == server]
            tests, failed = sum(total.tests for total in own), sum(total.failed for total in own)
            seconds = f"{sum(total.seconds for total in own):.0f}"
            rows.append([server.database, str(server), str(len(own)), str(tests), str(failed), seconds])
        return rows

    def _rows_of_parts(self) -> list[list[str]]:
        seconds: Counter[str] = Counter()
        tests: Counter[str] = Counter()
        for (_, part), result in self._results.items():
            seconds[part] += result.seconds  # type: ignore[assignment]
            tests[part] += result.tests
        return [
            ["part", "tests", "seconds"],
            *([part, str(tests[part]), f"{n:.0f}"] for part, n in seconds.most_common()),
        ]


def part_of(nodeid: str) -> str:
    """Name the part of the matrix that a test belongs to."""
    file, _, test = nodeid.partition("::")
    path = PurePosixPath(file)
    key = "contract" if "contract" in path.parts else path.stem
    return PARTS.get(test.partition("[")[0]) or PARTS.get(key, key)


def repeat_of(nodeid: str, target: str) -> str:
    """Give the command that repeats a test on a target, or on none."""
    if target:
        return f"make test-one VARIANT={target} TEST={nodeid.partition('[')[0]}"
    return f"make test-one VARIANT=all TEST='{nodeid.partition('@')[0]}'"


def last_line_of(report: pytest.TestReport) -> str:
    """Give the line of a failure that says the most: the last that begins with `E`, else the last."""
    lines = [line for line in report.longreprtext.splitlines() if line.strip()]
    said = [line for line in lines if re.match(r"E  ", line)] or lines or [""]
    return said[-1].removeprefix("E").strip()[:LONGEST_LINE]


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
