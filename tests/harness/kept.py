"""Keeps the rows of a page of measurements in `.cache`, from run to run."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from operator import attrgetter
from typing import Any, Generic, TypeVar

import pytest

from tests.harness.variants import ROOT

Row = TypeVar("Row")


@dataclass(frozen=True)
class Kept(Generic[Row]):
    """The rows in a file of `.cache`: dataclasses of one `kind`, which `key`, the names of some fields, tells apart."""

    file: str
    kind: type[Row]
    key: tuple[str, ...]

    def read(self) -> list[Row]:
        """Give the rows of earlier runs."""
        path = ROOT / ".cache" / self.file
        return [self.kind(**row) for row in json.loads(path.read_text(encoding="utf-8"))] if path.exists() else []

    def add(self, rows: Iterable[Row]) -> None:
        """Keep rows, instead of earlier ones with the same key."""
        key, path = attrgetter(*self.key), ROOT / ".cache" / self.file
        known: dict[Any, Any] = {key(row): row for row in [*self.read(), *rows]}
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps([asdict(row) for row in known.values()], indent=1), encoding="utf-8")


class Collected(Generic[Row]):
    """The plugin that keeps the rows of tests that passed, in the process that hands out the tests."""

    def __init__(self, kept: Kept[Row], name: str) -> None:
        """Keep in `kept` what tests tell as the property `name`."""
        self._kept = kept
        self._name = name
        self._rows: list[Row] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Collect the row of a test that passed."""
        told: dict[str, Any] = dict(report.user_properties)
        if report.when == "call" and report.passed and self._name in told:
            self._rows.append(self._kept.kind(**told[self._name]))

    def pytest_sessionfinish(self) -> None:
        """Write the rows."""
        if self._rows:
            self._kept.add(self._rows)
