"""What docs/patterns.md names is where it says, in every project that it is for."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests.harness.rendering import render_variant
from tests.harness.variants import ROOT, Variant, all_variants, choices

PAGE = ROOT / "docs/patterns.md"
HEADER = "| pattern | where | shown by |"
# Where it is: `file`: `name`, `another name` (words); the words say for which choices, and are left out for all.
PLACE = re.compile(r"`(?P<path>[^`]+)`: (?P<names>`[^`]+`(?:, `[^`]+`)*)(?: \((?P<words>[^)]+)\))?")
TITLES = {"SQLite": "sqlite", "PostgreSQL": "postgresql", "MySQL": "mysql", "ORM": "orm", "Core": "core"}


@dataclass(frozen=True)
class Place:
    """Names in a file of the projects whose answers are among `answers`, by question."""

    path: str
    names: tuple[str, ...]
    answers: tuple[tuple[str, frozenset[str]], ...]

    def is_for(self, variant: Variant) -> bool:
        """Tell whether `variant` has it."""
        given = {
            "database": {variant.database},
            "io": {variant.io},
            "data_access": {variant.data_access},
            "mixins": set(variant.mixins),
        }
        return all(given[question] & allowed for question, allowed in self.answers)

    def missing_from(self, project: Path) -> list[str]:
        """Give the names that the file of a rendered project lacks: those of tests, as functions."""
        file = project / self.path
        if not file.is_file():
            return [f"{self.path} is absent"]
        text = file.read_text(encoding="utf-8")
        patterns = {name: rf"(?<!\w){re.escape(name)}(?!\w)" for name in self.names}
        patterns |= {name: rf"\bdef {name}\(" for name in self.names if name.startswith("test_")}
        return [f"{self.path} has no {name}" for name, pattern in patterns.items() if not re.search(pattern, text)]


@cache
def rows() -> dict[str, tuple[str, str]]:
    """Give the cells of each pattern on the page: where it is, and what shows it."""
    found: dict[str, tuple[str, str]] = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("| ") and line != HEADER and not line.startswith("| ---"):
            pattern, where, shown_by = (cell.strip() for cell in line.strip("|").split(" | "))
            assert pattern not in found, pattern
            found[pattern] = (where, shown_by)
    return found


def places(cell: str) -> Iterator[Place]:
    """Read a cell: places, joined with semicolons.

    Raises:
        ValueError: a part of it can't be read.

    """
    for part in cell.split("; "):
        match = PLACE.fullmatch(part)
        if match is None:
            raise ValueError(f"write `file`: `name` (choices), not {part}")
        names = tuple(re.findall(r"`([^`]+)`", match["names"]))
        answers: dict[str, set[str]] = {}
        for word in (match["words"] or "").split(", ") if match["words"] else ():
            value = TITLES.get(word, word.strip("`"))
            questions = [key for key in ("database", "io", "data_access", "mixins") if value in choices(key)]
            if not questions:
                raise ValueError(f"{word} is no choice")
            answers.setdefault(questions[0], set()).add(value)
        yield Place(match["path"], names, tuple((key, frozenset(values)) for key, values in answers.items()))


def all_places() -> list[tuple[str, Place]]:
    """Give every place on the page, with the pattern that it is of."""
    return [(pattern, place) for pattern, cells in rows().items() for cell in cells for place in places(cell)]


RICHEST = [variant for variant in all_variants() if variant.example and variant.mixins == choices("mixins")]


@pytest.mark.parametrize("variant", RICHEST, ids=lambda variant: variant.base)
def test_every_pattern_is_where_the_page_says(source: Path, variant: Variant, tmp_path: Path) -> None:
    project = render_variant(source, variant, tmp_path / "project")
    missing = [
        f"{pattern}: {name}"
        for pattern, place in all_places()
        if place.is_for(variant)
        for name in place.missing_from(project)
    ]
    if missing:
        pytest.fail("\n".join(missing), pytrace=False)


@pytest.mark.parametrize("pattern", rows())
def test_every_pattern_is_shown_by_a_test_wherever_it_is(pattern: str) -> None:
    where, shown_by = rows()[pattern]
    tests = list(places(shown_by))
    assert all(name.startswith("test_") for place in tests for name in place.names)
    for variant in RICHEST:
        if any(place.is_for(variant) for place in places(where)):
            assert any(place.is_for(variant) for place in tests), variant.id
