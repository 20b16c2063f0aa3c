"""Reports how the run goes on and, at its end, what ran where and for how long: here and in `.cache/report.md`."""

import datetime as dt
import re
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import pytest

from tests.harness.variants import BARE, ROOT

PAGE = ROOT / ".cache" / "report.md"
# What each variant goes through, and a resource that is added to it, by the name of the table; in this order.
STEPS = {
    "every variant": ("render", "lint", "migrate", "CRUD"),
    "every resource": ("written", "clean", "migrated", "contract kept", "typed", "tested", "removed"),
}
SLOWEST = 5
# Of a part without variants, after how many tests it says how far it is.
PROGRESS = 20
LONGEST_LINE = 300
Rows = Sequence[Sequence[str]]


@dataclass
class Result:
    """What the tests of a part came to on a variant, or on none where `variant` is empty."""

    variant: str = ""
    server: str = ""
    part: str = ""
    tests: int = 0
    failed: int = 0
    seconds: float = 0.0
    checks: int = 0


class Report:
    """The plugin that follows the reports of the tests, in the process that hands them out."""

    def __init__(self, config: pytest.Config) -> None:
        """Follow the run of `config`."""
        self._config = config
        self._started = time.monotonic()
        self._date = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        self._runs = 0
        self._finished = 0
        self._left: Counter[str] = Counter()
        self._results: dict[tuple[str, str], Result] = {}
        self._failures: list[tuple[str, str, str]] = []

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        """Learn from a worker process what there is to run."""
        self._learn(ids)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Learn what there is to run, where this process does it itself."""
        self._learn([item.nodeid for item in session.items])

    def _learn(self, ids: Iterable[str]) -> None:
        tests = [nodeid for nodeid in ids if ".py::" in nodeid]
        self._left = Counter(map(part_of, tests))
        self._runs = len(list(ids)) - len(tests)

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
        """Count a phase of a test, and say when it failed or its variant is finished."""
        if hasattr(report, "finished"):
            self._finished += 1
            own = [result for result in self._results.values() if result.variant == report.finished]
            self._say_result(f"[{self._finished:>3}/{self._runs}] {report.finished}", total(own))
            return
        variant, part = getattr(report, "variant", ""), part_of(report.nodeid)
        new = Result(variant, getattr(report, "server", ""), part)
        result = self._results.setdefault((variant, part), new)
        told: dict[str, Any] = dict(report.user_properties) if report.when == "call" else {}
        result.seconds += told.get("seconds", report.duration)
        result.checks += told.get("checks", 0)
        result.tests += report.when == "teardown"
        if report.failed:
            result.failed += 1
            repeat = repeat_of(getattr(report, "collected", report.nodeid), variant)
            said = last_line_of(report)
            self._failures.append((report.nodeid, said, repeat))
            self._say(f"FAILED {report.nodeid}\n       {said}\n       repeat: {repeat}")
        if report.when == "teardown" and not variant:
            self._left[part] -= 1
            if not self._left[part]:
                self._say_result(part, result)
            elif result.tests % PROGRESS == 0:
                self._say(f"{part:<70} {result.tests:>5} of {result.tests + self._left[part]}")

    def _say_result(self, name: str, result: Result) -> None:
        state = f"{result.failed} failed" if result.failed else "ok"
        self._say(f"{name:<70} {result.tests:>5} tests {result.seconds:7.1f} s  {state}")

    def _say(self, line: str) -> None:
        reporter: Any = self._config.pluginmanager.get_plugin("terminalreporter")
        reporter.ensure_newline()
        reporter.write_line(line)
        reporter.flush()

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print the tables, and write them to a page."""
        if not self._finished:
            return
        terminalreporter.section("variants")
        steps = [rows for title in STEPS if len(rows := self._steps(title)) > 1]
        tables = [self._servers(), self._parts(), self._slowest(), *steps]
        variants = {result.variant.partition(":")[0] for result in self._results.values()} - {""}
        options = f"--variants {self._config.getoption('variants')}"
        summary = f"{len(variants)} variants in {time.monotonic() - self._started:.0f} seconds ({options})"
        for rows in tables:
            terminalreporter.write_line("\n".join([*in_markdown(rows), ""]))
        for _, said, repeat in self._failures:
            terminalreporter.write_line(f"{said}\nrepeat: {repeat}")
        if self._failures:
            tables.insert(0, [["failed", "what it said", "repeat"], *self._failures])
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        text = "\n\n".join([f"# {self._date}: {summary}", *("\n".join(in_markdown(rows)) for rows in tables)])
        PAGE.write_text(f"{text}\n", encoding="utf-8")
        terminalreporter.write_line(f"{summary}; the report: {PAGE}")

    def _by(self, key: str, results: Iterable[Result] | None = None) -> dict[str, list[Result]]:
        found: dict[str, list[Result]] = defaultdict(list)
        for result in self._results.values() if results is None else results:
            found[getattr(result, key)].append(result)
        return found

    def _servers(self) -> Rows:
        rows = [["server", "variants", "tests", "failed", "seconds"]]
        for server, results in self._by("server").items():
            sums = total(results)
            variants = len({result.variant for result in results})
            if server:
                rows.append([server, *map(str, (variants, sums.tests, sums.failed)), f"{sums.seconds:.0f}"])
        return rows

    def _parts(self) -> Rows:
        sums = {part: total(results) for part, results in self._by("part").items()}
        ordered = sorted(sums.items(), key=lambda pair: -pair[1].seconds)
        rows = [[part, str(result.tests), f"{result.seconds:.0f}"] for part, result in ordered]
        return [["part", "tests", "seconds"], *rows]

    def _slowest(self) -> Rows:
        sums = {name: total(results).seconds for name, results in self._by("variant").items() if name}
        slowest = sorted(sums.items(), key=lambda pair: -pair[1])[:SLOWEST]
        return [["slowest variant", "seconds"], *([name, f"{seconds:.1f}"] for name, seconds in slowest)]

    def _steps(self, title: str) -> Rows:
        """Say how many variants took each step of a table and in what time, in a row for each server."""
        rows: dict[str, list[Result]] = defaultdict(list)
        for result in self._results.values():
            if result.part in STEPS[title]:
                is_bare = result.variant.partition(":")[0].endswith(f"-{BARE}")
                rows[result.server + ", without the example" * is_bare].append(result)
        if rows:
            rows["all"] = [result for results in list(rows.values()) for result in results]
        table = [[title, *STEPS[title], "checks"]]
        for name, results in rows.items():
            steps = [[result for result in results if result.part == step] for step in STEPS[title]]
            table.append([name, *map(step_result, steps), f"{total(results).checks:,}"])
        return table


def total(results: Iterable[Result]) -> Result:
    """Add up results."""
    added = Result()
    for result in results:
        added.tests += result.tests
        added.failed += result.failed
        added.seconds += result.seconds
        added.checks += result.checks
    return added


def step_result(results: Sequence[Result]) -> str:
    """Write what a step came to: `128 in 91 s`, or `2 of 128 failed`."""
    failed = sum(result.failed > 0 for result in results)
    return f"{failed} of {len(results)} failed" if failed else f"{len(results)} in {total(results).seconds:.0f} s"


def part_of(nodeid: str) -> str:
    """Name the part of the tests that a test belongs to: its file, its suite, or its step."""
    file, _, test = nodeid.partition("::")
    path = PurePosixPath(file)
    if path.parent.name == "every_variant" or path.stem == "test_every_resource":
        return test.partition("[")[0].removeprefix("test_").replace("_", " ").replace("crud", "CRUD")
    return "contract" if path.parent.name == "contract" else f"{path.parent.name}/{path.stem.removeprefix('test_')}"


def repeat_of(nodeid: str, variant: str) -> str:
    """Give the command that repeats a test on a variant, or on none."""
    if variant:
        return f"make test-one VARIANT={variant} TEST={nodeid.partition('[')[0]}"
    return f"make test-one VARIANT='*' TEST='{nodeid.partition('@')[0]}'"


def last_line_of(report: pytest.TestReport) -> str:
    """Give the line of a failure that says the most: the last that begins with `E`, else the last."""
    lines = [line for line in report.longreprtext.splitlines() if line.strip()]
    said = [line for line in lines if re.match(r"E  ", line)] or lines or [""]
    return said[-1].removeprefix("E").strip()[:LONGEST_LINE]


def in_markdown(rows: Rows) -> list[str]:
    """Write rows, the first of which is the header, as the lines of a table of Markdown."""
    rows = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    lines.insert(1, " | ".join("-" * width for width in widths))
    return [f"| {line} |" for line in lines]
