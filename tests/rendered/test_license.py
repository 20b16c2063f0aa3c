"""A license is the one that was asked for, word by word, and known to tools."""

import hashlib
import tomllib
from pathlib import Path

import pytest

from tests.harness.commands import run_tool
from tests.harness.rendering import files_of, render
from tests.harness.variants import choices

# Of the text that the Apache Software Foundation publishes.
APACHE = "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"
HOLDER = "Acme GmbH & Söhne"
FIRST_LINES = {
    "proprietary": f"Copyright (c) {HOLDER}. All rights reserved.",
    "MIT": "MIT License",
    "BSD-3-Clause": "BSD 3-Clause License",
}


def test_every_license_is_tested() -> None:
    assert {"none", "Apache-2.0", *FIRST_LINES} == set(choices("license"))


def test_no_license_leaves_no_trace(source: Path, tmp_path: Path) -> None:
    project = render(source, tmp_path / "project", {})
    assert "LICENSE" not in files_of(project)
    assert "license" not in (project / "pyproject.toml").read_text(encoding="utf-8")
    assert "copyright" not in (project / ".copier-answers.yml").read_text(encoding="utf-8")


def test_apache_license_is_the_published_text(source: Path, tmp_path: Path) -> None:
    project = render(source, tmp_path / "project", {"license": "Apache-2.0"})
    assert hashlib.sha256((project / "LICENSE").read_bytes()).hexdigest() == APACHE
    assert "copyright" not in (project / ".copier-answers.yml").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", FIRST_LINES)
def test_license_names_its_holder(name: str, source: Path, tmp_path: Path) -> None:
    project = render(source, tmp_path / "project", {"license": name, "copyright_holder": HOLDER})
    text = (project / "LICENSE").read_text(encoding="utf-8")
    assert text.splitlines()[0] == FIRST_LINES[name]
    assert f"Copyright (c) {HOLDER}" in text
    assert text.endswith(".\n")
    assert not text.endswith("\n\n")


def test_holder_is_by_default_the_authors(source: Path, tmp_path: Path) -> None:
    project = render(source, tmp_path / "project", {"license": "MIT", "project_name": "Blog"})
    assert "Copyright (c) The authors of Blog\n" in (project / "LICENSE").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["Apache-2.0", *FIRST_LINES])
def test_wheel_has_the_license(name: str, source: Path, tmp_path: Path) -> None:
    project = render(source, tmp_path / "project", {"license": name})
    declared = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]["license"]
    assert declared == ("LicenseRef-Proprietary" if name == "proprietary" else name)
    run_tool(project, "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path / "dist"))
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    run_tool(tmp_path, "python", "-m", "zipfile", "--extract", str(wheel), "wheel")
    (metadata,) = tmp_path.glob("wheel/*.dist-info/METADATA")
    assert f"License-Expression: {declared}\n" in metadata.read_text(encoding="utf-8")
    assert list(metadata.parent.glob("licenses/LICENSE"))
