"""docs/reliability.md: its sections in their order, of which each is written by what measures it."""

import datetime as dt
import os
import platform
from collections.abc import Iterable, Sequence
from typing import Protocol

from tests.harness.variants import ROOT

PAGE = ROOT / "docs" / "reliability.md"
FAULTS = "# Reliability\n"
STORMS = "## Storms of writers\n"
PLACES = "## Behind a pooler and on clusters\n"
SOAKS = "## A long run\n"
INPUT = "## Hostile input\n"
ORDER = (FAULTS, STORMS, PLACES, SOAKS, INPUT)
TITLES = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "mysql": "MySQL"}


class OnServer(Protocol):
    """A row of the page, measured with a server of a database."""

    @property
    def server(self) -> str:
        """The server and its version."""


def read_sections() -> dict[str, str]:
    """Give the text of each section that the page has, by its heading."""
    text = f"\n{PAGE.read_text(encoding='utf-8')}"
    places = sorted((text.index(f"\n{heading}"), heading) for heading in ORDER if f"\n{heading}" in text)
    ends = [place for place, _ in places[1:]] + [len(text)]
    return {
        heading: text[place + 1 + len(heading) : end].strip()
        for (place, heading), end in zip(places, ends, strict=True)
    }


def write_sections(texts: dict[str, str]) -> None:
    """Write sections of the page, and leave the others as they are."""
    sections = {**read_sections(), **texts}
    whole = [f"{heading}\n{sections[heading].strip()}\n" for heading in ORDER if heading in sections]
    PAGE.write_text("\n".join(whole), encoding="utf-8")


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Write a table of Markdown."""
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def read_table(text: str) -> list[dict[str, str]]:
    """Read the rows of the table in a section; none where there is none."""
    lines = [line.removeprefix("| ").removesuffix(" |") for line in text.splitlines() if line.startswith("| ")]
    head, *rows = [line.split(" | ") for line in lines] or [[]]
    return [dict(zip(head, row, strict=True)) for row in rows[1:]]


def measured(rows: Sequence[OnServer]) -> str:
    """Say when and on what something was measured."""
    servers = ", ".join(sorted({row.server for row in rows}))
    date, cores = dt.datetime.now(dt.UTC).date(), os.cpu_count()
    machine = f"{cores} cores of {platform.machine()} for the clients, the services and the databases"
    return f"Measured on {date} with {machine}: Python {platform.python_version()}, {servers}."
