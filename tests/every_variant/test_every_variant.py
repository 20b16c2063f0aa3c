"""Each of all variants is rendered, linted, migrated there and back, and driven through all that its service does.

`tests/every_variant/` says what a service must do. The last two steps are taken in one fork of the warm process.
"""

import functools
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.harness.commands import run_tool
from tests.harness.servers import NewDatabase
from tests.harness.variants import Variant
from tests.harness.warm_process import WarmProcess

pytestmark = pytest.mark.every_variant

DRIVE = Path(__file__).parent / "drive.py"
# No comma keeps lines apart that fit on one.
NO_MAGIC_COMMAS = "--config=format.skip-magic-trailing-comma=true"
Step = Callable[[str], None]


@pytest.fixture(scope="module")
def driven(
    warm_process: WarmProcess, project: Path, variant: Variant, new_database: NewDatabase, scratch: Path
) -> Callable[[], dict[str, Any]]:
    """A way to what migrating and driving came to; both are done when it is asked for first."""

    @functools.cache
    def drive() -> dict[str, Any]:
        result = scratch / "outcomes.json"
        result.unlink(missing_ok=True)
        started = time.perf_counter()
        with new_database() as url:
            command = ["-W", "error", str(DRIVE), json.dumps(variant.answers), str(result)]
            warm_process.run(command, project, {"DATABASE_URL": url, "LOG_LEVEL": "warning"})
        outcomes: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
        outcomes["migrate"]["seconds"] = time.perf_counter() - started - outcomes["drive"]["seconds"]
        return outcomes

    return drive


@pytest.fixture
def passes(driven: Callable[[], dict[str, Any]], request: pytest.FixtureRequest) -> Step:
    """Fail with what a step says, and report how many checks it had and how long they took."""

    def passes(step: str) -> None:
        outcome = driven()[step]
        request.node.user_properties += [("checks", outcome["checks"]), ("seconds", outcome["seconds"])]
        if outcome["failed"]:
            pytest.fail(outcome["failed"], pytrace=False)

    return passes


def test_render(project: Path) -> None:
    assert (project / "app/main.py").exists()


def test_lint(project: Path) -> None:
    run_tool(project, "ruff", "check", "--no-cache", "--no-fix")
    run_tool(project, "ruff", "format", "--no-cache", "--check")
    run_tool(project, "ruff", "format", "--no-cache", "--check", NO_MAGIC_COMMAS)


def test_migrate(passes: Step) -> None:
    passes("migrate")


def test_crud(passes: Step) -> None:
    passes("drive")
