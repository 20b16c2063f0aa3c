"""What a check is, and what checks have in common.

A check is a function marked with what it needs: mixins, and the example or, where that is absent, a first model of the
owner's. It makes its rows itself. The same checks run on all variants; `tests/contract/` has the details.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from httpx2 import Client

from tests.contract.blog import Blog
from tests.contract.schemas import STAMPS, Schemas
from tests.contract.storage import Storage


@dataclass(frozen=True)
class Service:
    """A running service: a way to call it, what its bodies look like, and its rows."""

    api: Client
    blog: Blog
    schemas: Schemas
    stored: Storage
    features: frozenset[str]


Check = Callable[[Service], None]
CHECKS: list[tuple[frozenset[str], Check]] = []


def features_of(answers: Mapping[str, Any]) -> frozenset[str]:
    """Name what checks can need that a variant with these answers has."""
    return frozenset([*answers["mixins"], "example" if answers["example"] else "first model"])


def check(*needs: str) -> Callable[[Check], Check]:
    """Let a check run on each variant that has all of `needs`: `example` or `first model`, and mixins."""

    def register(function: Check) -> Check:
        CHECKS.append((frozenset(needs), function))
        return function

    return register


def stamps(body: dict[str, Any]) -> tuple[datetime, datetime]:
    """Read when a row was made and last changed, which must be in UTC."""
    created, updated = (datetime.fromisoformat(body[field]) for field in STAMPS)
    assert created.utcoffset() == updated.utcoffset() == timedelta(0)
    return created, updated


def entries(s: Service, table: str, record: int | str) -> list[dict[str, Any]]:
    """Read what the audit log has of one row, oldest first."""
    return s.blog.items("/audit", table_name=table, record_id=record, limit=100)[::-1]


def written(s: Service, actor: str) -> list[tuple[str, str]]:
    """Read what an actor did to rows of which tables, sorted."""
    return sorted((row["action"], row["table_name"]) for row in s.stored.rows("audit_log", actor=actor))
