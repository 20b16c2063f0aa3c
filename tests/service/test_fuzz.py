"""Every base variant keeps to its own OpenAPI document whatever it is sent."""

from pathlib import Path

import pytest

from tests.harness.warm_process import WarmProcess

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "unsupported_method",
)
EXAMPLES = 25
CONFIGURATION = f"""
[checks]
enabled = false
{"".join(f"{check}.enabled = true{chr(10)}" for check in CHECKS)}
# `GET /users/bulk` asks for the user with the id "bulk": that is 422, and not 405.
[[operations]]
include-path-regex = "/users/(bulk|bulk-delete|post-counts)$|/posts/search$"
checks.unsupported_method.enabled = false
"""


@pytest.mark.base
@pytest.mark.each_database
def test_service_conforms_to_openapi(warm_process: WarmProcess, service: str, tmp_path: Path) -> None:
    (tmp_path / "schemathesis.toml").write_text(CONFIGURATION, encoding="utf-8")
    options = [
        "--phases=examples,coverage,fuzzing",
        f"--max-examples={EXAMPLES}",
        "--seed=1",
        "--generation-deterministic",
        "--request-timeout=30",
        "--no-color",
    ]
    warm_process.run(["-m", "schemathesis.cli", "run", f"{service}/openapi.json", *options], tmp_path, timeout=600)
