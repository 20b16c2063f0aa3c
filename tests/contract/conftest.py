"""The fixtures that the contract's tests build on `api`, `db` and `variant`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import pytest

from .blog import Blog
from .schemas import Schemas
from .storage import Storage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from httpx2 import Client
    from sqlalchemy import Engine


class Variant(Protocol):
    """What the suite needs to know of a variant."""

    @property
    def answers(self) -> Mapping[str, Any]:
        """The answers that the service was rendered with."""


def pytest_configure(config: pytest.Config) -> None:
    """Register the suite's markers."""
    config.addinivalue_line("markers", "example: needs the example, so not for `example` = false")
    config.addinivalue_line("markers", "mixin(name): needs that mixin")
    config.addinivalue_line("markers", "each_base: needs sync and async, ORM and Core")


@pytest.fixture
def blog(api: Client) -> Blog:
    """Call the example's API."""
    return Blog(api)


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


@pytest.fixture
def has_timestamps(mixins: frozenset[str]) -> bool:
    """Tell whether this variant keeps timestamps."""
    return "timestamps" in mixins
