"""Pyright, in its basic mode as editors run it, finds no error in a project.

One run checks several projects, because most of its time goes into the libraries that they share.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.commands import tool
from tests.harness.rendering import render, render_variant
from tests.harness.selection import auth_pairs, one_of_each
from tests.harness.variants import Variant, all_variants, choices


def variants(*, everything: bool) -> list[Variant]:
    """Give the variants without mixins and with all, or one of each with each database, and a few others."""
    found = [variant for variant in all_variants() if variant.mixins in {(), choices("mixins")}]
    if everything:
        return found
    example = one_of_each([v for v in found if v.example], lambda v: (v.database, v.mixins))
    bare = one_of_each([v for v in found if not v.example], lambda v: v.io)
    return [*example, *bare, *one_of_each(auth_pairs(), lambda v: v.database)]


def errors_in(folder: Path, projects: list[str]) -> list[str]:
    """Give what pyright reports of the projects in a folder."""
    config = {
        "typeCheckingMode": "basic",
        "include": projects,
        "executionEnvironments": [{"root": project} for project in projects],
    }
    (folder / "pyrightconfig.json").write_text(json.dumps(config), encoding="utf-8")
    command = [tool("basedpyright"), "--pythonpath", sys.executable, "--outputjson"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    report = json.loads(done.stdout)
    assert report["summary"]["filesAnalyzed"] > len(projects), done.stderr
    return [
        f"{Path(found['file']).relative_to(folder)}:{found['range']['start']['line'] + 1}: {found['message']}"
        for found in report["generalDiagnostics"]
    ]


def test_pyright_finds_no_error(source: Path, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    chosen = variants(everything=pytestconfig.getoption("everything"))
    for variant in chosen:
        render_variant(source, variant, tmp_path / variant.id)
    render(source, tmp_path / "extras", {"extras": list(choices("extras"))})
    assert errors_in(tmp_path.resolve(), [*(variant.id for variant in chosen), "extras"]) == []


def test_pyright_error_is_reported(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "project/one.py").write_text("ONE: int = ''\n", encoding="utf-8")
    (tmp_path / "project/two.py").write_text("", encoding="utf-8")
    (found,) = errors_in(tmp_path.resolve(), ["project"])
    assert found.startswith("project/one.py:1: ")
