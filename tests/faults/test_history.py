"""The checker of histories finds what is planted, and nothing in what could have happened."""

from dataclasses import replace
from typing import Any

import pytest

from tests.faults.history import History, Kind, Operation, duplicates


def op(kind: Kind, began: float, ended: float, outcome: int = 200, **told: Any) -> Operation:
    """Shorten the histories below."""
    return Operation(kind, began, ended, outcome, **told)


POSSIBLE = [
    op("create", 0, 1, 201, version=1, value="a"),
    op("change", 2, 3, version=2, value="b", expected=1),
    op("change", 2, 4, 412, expected=1, value="x"),
    op("read", 2, 3, version=1, value="a"),
    op("read", 5, 6, version=2, value="b"),
    op("search", 5, 6, value="b", found=True),
    op("search", 5, 6, value="a", found=False),
    op("delete", 7, 8, 204),
    op("read", 7, 8, version=2, value="b"),
    op("read", 9, 10, 404),
    op("restore", 11, 12, version=4, value="b"),
    op("change", 13, 14, 0, value="c"),
    op("read", 15, 16, version=5, value="c"),
    op("read", 17, 18, version=5, value="c"),
]
IMPOSSIBLE = {
    "an update is lost": [op("change", 2, 4, version=2, value="x", expected=1)],
    "came after": [op("read", 6.5, 6.8, version=1, value="a")],
    "was read as version": [op("read", 5, 6, version=2, value="z")],
    "made 3": [op("change", 5, 6, version=3, value="q", expected=1)],
    "though nothing was newer": [op("change", 1.2, 1.5, 412, expected=1, value="x")],
    "though nothing had deleted it": [op("read", 5, 6, 404)],
    "though it had been deleted": [op("read", 9, 10, version=3, value="b")],
    "before it was written": [op("search", 1, 1.5, value="b", found=True)],
    "though it had been replaced": [op("search", 5, 6, value="a", found=True)],
    "though it was there": [op("search", 1.2, 1.5, value="a", found=False)],
    "the last version is 9": [op("read", 19, 20, version=9, value="c")],
}


def test_possible_history_has_no_anomaly() -> None:
    assert not list(History(POSSIBLE).anomalies())


@pytest.mark.parametrize("said", IMPOSSIBLE)
def test_planted_anomaly_is_found(said: str) -> None:
    assert any(said in found for found in History([*POSSIBLE, *IMPOSSIBLE[said]]).anomalies())


def test_value_that_is_taken_twice_is_found() -> None:
    first, deleted, second = op("create", 0, 1, 201), op("delete", 1, 2, 204), op("create", 3, 4, 201)
    assert not list(duplicates([first, second], [deleted]))
    assert list(duplicates([first, second], []))
    assert list(duplicates([first, second], [replace(deleted, began=5, ended=6)]))
