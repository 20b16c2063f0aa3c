"""Any service may use what it runs on: docs/security.md names the licenses that ask for more than a notice."""

import importlib.metadata
import re
import tomllib
from collections.abc import Iterable, Iterator
from itertools import product
from pathlib import Path

from packaging.requirements import Requirement

from tests.harness.pages import text_of
from tests.harness.rendering import render
from tests.harness.variants import choices

PERMISSIVE = re.compile(r"\bMIT\b|\bBSD\b|Apache|\bISC\b|\bPSF\b|Unlicense")


def requirements_of(names: Iterable[str]) -> Iterator[str]:
    """Give the names of these requirements and of all that they require themselves."""
    todo, seen = [Requirement(name) for name in names], set()
    while todo:
        requirement = todo.pop()
        if (known := (requirement.name.lower(), frozenset(requirement.extras))) in seen:
            continue
        seen.add(known)
        yield requirement.name.lower()
        for line in importlib.metadata.distribution(requirement.name).requires or []:
            needed = Requirement(line)
            marker = needed.marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *requirement.extras)):
                todo.append(needed)


def license_of(name: str) -> str:
    """Give the license that an installed distribution declares."""
    told = importlib.metadata.metadata(name).json
    classifiers = [each for each in told.get("classifier", []) if each.startswith("License ::")]
    return str(told.get("license_expression") or classifiers or told.get("license"))


def test_licenses_that_ask_for_more_than_a_notice_are_documented(source: Path, tmp_path: Path) -> None:
    found = set()
    for turn, (database, io) in enumerate(product(choices("database"), choices("io"))):
        auth = choices("auth")[turn % 3]
        answers = {"database": database, "io": io, "auth": auth, "extras": list(choices("extras"))}
        project = render(source, tmp_path / f"{turn}", answers)
        pyproject = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
        found |= {*requirements_of(pyproject["project"]["dependencies"])}
    assert {"certifi", "fastapi", "opentelemetry-sdk", "psycopg", "pyjwt", "pwdlib", "pymysql"} <= found
    asking = {name for name in found if not PERMISSIVE.search(license_of(name))}
    told = re.search(r"(?s)\n(What the service runs on.*?)\n\n", text_of("docs/security.md"))
    assert told
    assert asking == found & {*re.findall(r"`([\w-]+)`", told[1])}
