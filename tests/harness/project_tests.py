"""Runs the tests that a rendered project has of its own."""

from collections.abc import Mapping
from pathlib import Path

from tests.harness.warm_process import Child, WarmProcess

PLUGINS = [part for name in ("schemathesis", "time_machine", "xdist", "cacheprovider") for part in ("-p", f"no:{name}")]
COMMAND = ["-m", "pytest", *PLUGINS, "-W", "ignore::pytest.PytestAssertRewriteWarning"]


def run_tests(warm_process: WarmProcess, project: Path, environment: Mapping[str, str], *arguments: str) -> Child:
    """Run a project's tests, or those that the arguments name; raises CommandFailed where one fails."""
    return warm_process.run([*COMMAND, *arguments], project, environment, timeout=600)
