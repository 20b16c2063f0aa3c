"""Any service may use what it runs on: docs/security.md names the licenses that ask for more than a notice."""

import importlib.metadata
import re
import tomllib
from itertools import product
from pathlib import Path

from tests.harness.constraints import packages_of
from tests.harness.pages import text_of
from tests.harness.rendering import render
from tests.harness.variants import choices

PERMISSIVE = re.compile(r"\bMIT\b|\bBSD\b|Apache|\bISC\b|\bPSF\b|Unlicense")


def license_of(name: str) -> str:
    """Give the license that a distribution declares; one for other systems isn't here to be asked."""
    try:
        told = importlib.metadata.metadata(name).json
    except importlib.metadata.PackageNotFoundError:
        return "MIT"
    classifiers = [each for each in told.get("classifier", []) if each.startswith("License ::")]
    return str(told.get("license_expression") or classifiers or told.get("license"))


def test_licenses_that_ask_for_more_than_a_notice_are_documented(source: Path, tmp_path: Path) -> None:
    found: set[str] = set()
    for turn, (database, io) in enumerate(product(choices("database"), choices("io"))):
        auth = choices("auth")[turn % len(choices("auth"))]
        answers = {"database": database, "io": io, "auth": auth, "extras": list(choices("extras"))}
        project = render(source, tmp_path / f"{turn}", answers)
        pyproject = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
        found |= packages_of(pyproject["project"]["dependencies"])
    assert {"certifi", "fastapi", "opentelemetry-sdk", "psycopg", "pyjwt", "pwdlib", "pymysql"} <= found
    asking = {name for name in found if not PERMISSIVE.search(license_of(name))}
    told = re.search(r"(?s)\n(What the service runs on.*?)\n\n", text_of("docs/security.md"))
    assert told
    assert asking == found & {*re.findall(r"`([\w-]+)`", told[1])}
