"""Keeps the results: a table of each section in a CSV file, and what they were measured on."""

import csv
import io
import json
import os
import platform
from collections.abc import Sequence

from tests.harness.servers import Server
from tests.harness.variants import ROOT
from tests.updates.releases import git

FOLDER = ROOT / "benchmarks" / "results"
MEASURED_ON = FOLDER / "measured_on.json"

Row = dict[str, str]


def to_csv(rows: Sequence[Row]) -> str:
    """Return rows as CSV, with a head."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def save(section: str, rows: Sequence[Row], servers: Sequence[Server], busy: float) -> None:
    """Save the results of a section, and what they were measured on; `busy` is the machine's load by other programs."""
    (FOLDER / f"{section}.csv").write_text(to_csv(rows), encoding="utf-8")
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, load {busy:.1f}"
    databases = ", ".join(str(server) for server in servers if server.database in {row["database"] for row in rows})
    documents = measured_on()
    documents[section] = {"commit": commit(), "machine": machine, "databases": databases}
    MEASURED_ON.write_text(json.dumps(documents, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def commit() -> str:
    """Return the commit that changed the template last, with a `+` if the working tree has another template."""
    paths = ["--", "template", "macros"]
    changed = git(ROOT, "status", "--porcelain", *paths)
    return git(ROOT, "log", "-1", "--format=%h", "--abbrev=9", *paths).strip() + ("+" if changed else "")


def load(section: str, **wanted: str) -> list[Row]:
    """Return the rows of a section that have the wanted values."""
    with (FOLDER / f"{section}.csv").open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if wanted.items() <= row.items()]


def measured_on() -> dict[str, Row]:
    """Return the commit, the machine and the databases that each section was measured with."""
    documents: dict[str, Row] = json.loads(MEASURED_ON.read_text(encoding="utf-8"))
    return documents
