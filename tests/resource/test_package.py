"""The command works from a wheel as from a checkout: what it needs is in the package."""

import sys
import zipfile
from pathlib import Path

from copier_fastapi_sqlalchemy.resource.render import TEMPLATES
from tests.harness.commands import clean_environment, run, tool
from tests.harness.rendering import render
from tests.harness.variants import ROOT
from tests.updates.releases import git, release

COMMAND = ["-m", "copier_fastapi_sqlalchemy", "resource", "add", "books"]
FIELDS = ["title:str:200", "price:decimal:10,2", "status:enum:draft,out", "author:ref:users", "tags:many:tags"]


def test_example_has_what_resources_share() -> None:
    for name in ("emails.py", "json_objects.py", "urls.py"):
        shared = (TEMPLATES / "support/web" / name).read_bytes()
        assert (ROOT / "template/app/web" / name).read_bytes() == shared


def test_wheel_writes_what_a_checkout_writes(source: Path, tmp_path: Path) -> None:
    project = render(source, tmp_path / "project", {"project_name": "My Service"})
    git(project, "init", "--quiet")
    release(project, "1.0.0")
    run([tool("uv"), "build", "--quiet", "--wheel", "--out-dir", str(tmp_path / "wheel"), str(ROOT)], tmp_path)
    [wheel] = (tmp_path / "wheel").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    command = [sys.executable, *COMMAND, *FIELDS, "--dry-run"]
    outputs = [
        run(command, project, clean_environment(PYTHONPATH=str(place))) for place in (tmp_path / "installed", ROOT)
    ]
    assert outputs[0] == outputs[1]
    assert "+class Book(Record):" in outputs[0]
