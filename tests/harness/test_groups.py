"""Tests that share what is slow to make run in one process."""

import os
import subprocess
import sys
from pathlib import Path

from tests.harness.variants import ROOT

CONFTEST = """
import pytest
from tests.harness.plugin import keep_groups_together

@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    keep_groups_together(config, items)
"""
GROUPED = """
import os
from pathlib import Path
import pytest

@pytest.mark.xdist_group("one")
@pytest.mark.parametrize("number", range(10))
def test_grouped(number):
    Path(__file__).with_name(f"{number}.worker").write_text(os.environ["PYTEST_XDIST_WORKER"])
"""


def test_group_runs_in_one_process(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    (tmp_path / "test_grouped.py").write_text(GROUPED, encoding="utf-8")
    options = ["-n", "2", "--dist", "loadgroup", "-p", "no:cacheprovider", "-c", "pytest.ini"]
    command = [sys.executable, "-m", "pytest", *options]
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    workers = [path.read_text(encoding="utf-8") for path in tmp_path.glob("*.worker")]
    assert len(workers) == 10
    assert len(set(workers)) == 1, "xdist no longer keeps the tests of a group together"
