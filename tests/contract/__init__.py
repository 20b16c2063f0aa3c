"""The HTTP contract (docs/http-contract.md) as tests: one suite for every variant.

The suite knows a service by its address and its database alone. Tests share the service, so they name what they make
uniquely and never expect an empty table. `tests/harness/selection.py` explains the markers.
"""

import pytest

for module in ("blog", "callers", "problems", "schemas", "storage"):
    pytest.register_assert_rewrite(f"{__name__}.{module}")
