"""Who sends hostile input, how much of it, and where the answers are counted."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict

import pytest

from tests.faults.report import title_of
from tests.fuzz.report import ROWS, Row
from tests.harness.kept import Collected
from tests.harness.servers import Server
from tests.harness.variants import Variant

Tally = Counter[tuple[str, int]]  # how many responses an operation gave with a status

NO_OPERATION = ""  # the name in a tally of what the document doesn't have


def pytest_configure(config: pytest.Config) -> None:
    """Collect the rows of the page, in the process that hands out the tests."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Collected(ROWS, "fuzz"))


@pytest.fixture
def keep_tally(
    variant: Variant, server: Server, examples: int, request: pytest.FixtureRequest
) -> Callable[[Tally], None]:
    """A function that keeps what the test's input came to, for the page."""
    started = time.monotonic()

    def keep(tally: Tally) -> None:
        statuses: Counter[str] = Counter()
        for (_, status), number in tally.items():
            statuses[str(status)] += number
        operations = len({operation for operation, _ in tally} - {NO_OPERATION})
        title, seconds = title_of(request.function), time.monotonic() - started
        row = Row(title, variant.database, variant.id, str(server), dict(statuses), operations, examples, seconds)
        request.node.user_properties.append(("fuzz", asdict(row)))

    return keep
