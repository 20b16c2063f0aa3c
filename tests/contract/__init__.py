"""The HTTP contract (docs/http-contract.md) as tests: one suite for every variant.

The suite knows a service by its address and its database alone. Whoever runs it provides three fixtures:

- `api`: an HTTP client whose `base_url` is the root of a running service;
- `db`: a synchronous SQLAlchemy engine on the database of that service;
- `variant`: an object whose `answers` are the answers that the service was rendered with.

Tests share the service, so they name what they make uniquely and never expect an empty table.

A test, or a whole module by its `pytestmark`, is marked with what it needs: `example`, to be left out where that answer
is false, or `mixin("timestamps")`, to be left out where `mixins` lacks it; several such marks ask for all of theirs.
A test marked `each_base` runs with each combination of sync and async, ORM and Core.
"""

import pytest

for module in ("blog", "problems", "schemas", "storage"):
    pytest.register_assert_rewrite(f"{__name__}.{module}")
