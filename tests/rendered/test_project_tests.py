"""Every rendered project's own tests pass, on a database of the matrix's servers."""

from pathlib import Path

import pytest

from tests.harness.warm_process import WarmProcess


def test_project_tests_pass(warm_process: WarmProcess, project: Path, database_url: str) -> None:
    plugins = [part for name in ("schemathesis", "xdist", "cacheprovider") for part in ("-p", f"no:{name}")]
    command = ["-m", "pytest", *plugins, "-W", "ignore::pytest.PytestAssertRewriteWarning"]
    environment = {"TEST_DATABASE_URL": database_url}
    done = warm_process.run([*command, "--assert=plain"], project, environment, timeout=600, check=False)
    if done.status != 0:
        warm_process.run(command, project, environment, timeout=600)  # says more of what failed
        pytest.fail(f"They passed when they were run again. At first:\n{done.output}", pytrace=False)
    assert " passed" in done.output
    assert "skipped" not in done.output
