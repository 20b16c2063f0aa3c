"""The fixtures that the contract's tests build on `api`, `db` and `variant`."""

import pytest
from httpx2 import Client
from sqlalchemy import Engine

from tests.faults.places import Counted, place_of
from tests.harness import clusters
from tests.harness.variants import Variant

from .blog import PATIENT, Blog
from .schemas import Schemas
from .storage import Storage


def pytest_configure(config: pytest.Config) -> None:
    """Count what the contract comes to behind a pooler or on a cluster, in the process that hands out the tests."""
    if not hasattr(config, "workerinput") and (place := place_of(config)):
        config.pluginmanager.register(Counted(place))


@pytest.fixture
def blog(api: Client, request: pytest.FixtureRequest) -> Blog:
    """Call the example's API; where writers meet on several nodes, as a client that tries again after a 503."""
    return Blog(api, tries=PATIENT if request.config.getoption("cluster") == clusters.ALL else 1)


@pytest.fixture
def mixins(variant: Variant) -> frozenset[str]:
    """The mixins that the service was rendered with."""
    return frozenset(variant.answers["mixins"])


@pytest.fixture
def stored(db: Engine, mixins: frozenset[str]) -> Storage:
    """Look into the service's database."""
    return Storage(db, hides="soft_delete" in mixins)


@pytest.fixture
def schemas(variant: Variant) -> Schemas:
    """The schemas of this variant's bodies."""
    return Schemas(variant.answers)
