"""Every rendered project's own tests pass, on a database of the matrix's servers."""

from pathlib import Path

import pytest

from tests.harness.project_tests import run_tests
from tests.harness.warm_process import CommandFailed, WarmProcess


@pytest.mark.any_auth
def test_project_tests_pass(warm_process: WarmProcess, project: Path, database_url: str) -> None:
    environment = {"TEST_DATABASE_URL": database_url}
    try:
        done = run_tests(warm_process, project, environment, "--assert=plain")
    except CommandFailed as failed:
        run_tests(warm_process, project, environment)  # says more of what failed
        pytest.fail(f"They passed when they were run again. At first:\n{failed}", pytrace=False)
    assert " passed" in done.output
    assert "skipped" not in done.output
