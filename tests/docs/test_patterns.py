"""What docs/patterns.md names is where it says, in every project that it is for."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.harness.rendering import render_variant
from tests.harness.variants import ROOT, Variant, all_variants, choices

PAGE = ROOT / "docs/patterns.md"
ROW = re.compile(r"(?m)^\| (?!pattern |---)(.+?) \| (.+) \|$")
# `file`: `name`, `another name` (words); the words say for which choices, and are left out for all.
PLACE = re.compile(r"`(?P<path>[^`]+)`: (?P<names>`[^`]+`(?:, `[^`]+`)*)(?: \((?P<words>[^)]+)\))?")
RECIPES = re.compile(r"\[recipe\]\(cookbook\.md#[^)]+\)(, \[recipe\]\(cookbook\.md#[^)]+\))*")
TITLES = {"SQLite": "sqlite", "PostgreSQL": "postgresql", "MySQL": "mysql", "ORM": "orm", "Core": "core"}
RICHEST = [variant for variant in all_variants() if variant.example and variant.mixins == choices("mixins")]


@dataclass(frozen=True)
class Place:
    """Names in a file of the projects that have one of `choices` for each question."""

    pattern: str
    path: str
    names: tuple[str, ...]
    choices: tuple[str, ...]

    def is_in(self, variant: Variant) -> bool:
        """Tell whether `variant` has it."""
        answers = {variant.database, variant.io, variant.data_access, *variant.mixins}
        asked = [choices(key) for key in ("database", "io", "data_access", "mixins")]
        wanted = [set(self.choices).intersection(values) for values in asked]
        return all(not values or values & answers for values in wanted)

    def missing_from(self, project: Path) -> Iterator[str]:
        """Give the names that the file of a rendered project lacks."""
        file = project / self.path
        text = file.read_text(encoding="utf-8") if file.is_file() else ""
        for name in self.names:
            if not re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text):
                yield f"{self.pattern}: {self.path} has no {name}"


def places() -> Iterator[Place]:
    """Give every place on the page.

    Raises:
        ValueError: a cell is written in another way.

    """
    for pattern, cell in ROW.findall(PAGE.read_text(encoding="utf-8")):
        for part in cell.split("; "):
            match = PLACE.fullmatch(part)
            if match:
                words = [word.strip("`") for word in (match["words"] or "").split(", ") if word]
                names = tuple(re.findall(r"`([^`]+)`", match["names"]))
                yield Place(pattern, match["path"], names, tuple(TITLES.get(word, word) for word in words))
            elif not RECIPES.fullmatch(part):
                raise ValueError(f"write `file`: `name` (choices), or [recipe](cookbook.md#…), not {part}")


@pytest.mark.parametrize("variant", RICHEST, ids=lambda variant: variant.base)
def test_every_pattern_is_where_the_page_says(source: Path, variant: Variant, tmp_path: Path) -> None:
    project = render_variant(source, variant, tmp_path / "project")
    missing = [line for place in places() if place.is_in(variant) for line in place.missing_from(project)]
    if missing:
        pytest.fail("\n".join(missing), pytrace=False)


def test_every_choice_on_the_page_exists() -> None:
    known = {value for key in ("database", "io", "data_access", "mixins") for value in choices(key)}
    assert {word for place in places() for word in place.choices} <= known


def test_every_recipe_is_a_pattern() -> None:
    headings = re.findall(r"(?m)^### (.+)$", (ROOT / "docs/cookbook.md").read_text(encoding="utf-8"))
    anchors = {re.sub(r"[^\w-]+", "", heading.lower().replace(" ", "-")) for heading in headings}
    assert set(re.findall(r"cookbook\.md#([\w-]+)", PAGE.read_text(encoding="utf-8"))) == anchors
