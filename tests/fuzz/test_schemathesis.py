"""Every base variant keeps to its own OpenAPI document whatever Schemathesis sends, in each of its phases."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx2
import pytest
from httpx2 import Client
from sqlalchemy import Engine

from tests.contract.blog import Blog
from tests.contract.test_accounts import Accounts
from tests.contract.test_oidc import Users
from tests.fuzz.conftest import NO_OPERATION, Tally
from tests.fuzz.operations import Document, new_rows
from tests.harness.identity_provider import IdentityProvider
from tests.harness.service import NO_CERTIFICATES
from tests.harness.warm_process import WarmProcess

# `GET /users/bulk` asks for the user with the id "bulk": that is 422, and not 405. A valid value may still be refused
# where a schema can't say what is wrong with it: a cursor, a field to sort by, text with NUL, a reserved domain. With
# `?include_deleted=true` a deleted row is still there.
CONFIGURATION = """
[checks]
enabled = true
object_level_authorization.enabled = false
use_after_free.enabled = {hides_nothing}
negative_data_rejection.expected-statuses = [400, 401, 403, 404, 405, 409, 412, 413, 422, 429, 503]
positive_data_acceptance.expected-statuses = ["2xx", 304, 401, 403, 404, 409, 412, 503]

[[operations]]
include-path-regex = "/users/(bulk|bulk-delete|post-counts)$|/posts/search$"
checks.unsupported_method.enabled = false
checks.allow_header_conformance.enabled = false

[[operations]]
include-path-regex = "/(users|posts|audit|search)$"
checks.positive_data_acceptance.enabled = false

[[operations]]
include-method = ["POST", "PUT", "PATCH"]
checks.positive_data_acceptance.enabled = false
"""
LEAVES_OUT = """
[[operations]]
include-operation-id = {operations}
enabled = false
"""
# An operation that ends the session which calls it: every call after it would be 401. tests/contract calls them.
ENDS_SESSION = ["log_out", "rotate_session", "change_password", "end_session"]
# What needs a token from a mail, or a password, for its success.
NEEDS_SECRET = {"PUT /api/v1/auth/password", "POST /api/v1/auth/login"}
FEW = 0.1  # of all responses may be 401, where the caller shows who it is

ALL_MIXINS = pytest.mark.mixin("timestamps", "soft_delete", "audit_log", "optimistic_locking", "full_text_search")
pytestmark = [pytest.mark.example]


def fuzz(
    warm_process: WarmProcess,
    api: Client,
    folder: Path,
    examples: int,
    headers: Mapping[str, str] | None = None,
    leave_out: list[str] | None = None,
) -> Tally:
    """Call the service as its document says and as it doesn't, and count the responses."""
    left_out = LEAVES_OUT.format(operations=json.dumps(leave_out)) if leave_out else ""
    with Client(base_url=api.base_url, headers=headers, timeout=30, verify=NO_CERTIFICATES) as client:
        document = json.dumps(with_examples(client))
    (folder / "openapi.json").write_text(document, encoding="utf-8")
    hides_nothing = json.dumps("include_deleted" not in document)
    configuration = CONFIGURATION.replace("{hides_nothing}", hides_nothing) + left_out
    (folder / "schemathesis.toml").write_text(configuration, encoding="utf-8")
    options = [
        "--phases=examples,coverage,fuzzing,stateful",
        f"--max-examples={examples}",
        "--seed=1",
        "--generation-deterministic",
        "--request-timeout=30",
        "--report=ndjson",
        "--report-ndjson-path=calls.ndjson",
        "--no-color",
        *(f"--header={name}: {value}" for name, value in (headers or {}).items()),
    ]
    command = ["-m", "schemathesis.cli", "run", "openapi.json", f"--url={api.base_url}", *options]
    warm_process.run(command, folder, timeout=600 + 20 * examples)
    return counted(folder / "calls.ndjson", described(api))


def with_examples(client: Client) -> dict[str, Any]:
    """Give the service's document, with a valid request of each operation as its example: each has a success then."""
    document, blog = Document(client), Blog(client)
    for operation in document.operations:
        rows = new_rows(blog)
        described = document.content["paths"][operation.path][operation.method.lower()]
        for parameter in described.get("parameters", []):
            if parameter.get("required"):
                parameter["example"] = document.value(parameter["name"], parameter["schema"], rows)
        if operation.body is not None:
            body = described["requestBody"]["content"]["application/json"]
            body["example"] = document.value("", operation.body, rows)
    return document.content


def counted(report: Path, known: set[str]) -> Tally:
    """Count the responses of a run by operation and status; a method that a path doesn't have is no operation's."""
    tally: Tally = Counter()
    with report.open(encoding="utf-8") as lines:
        for line in lines:
            recorder = json.loads(line).get("ScenarioFinished", {}).get("recorder", {})
            for key, interaction in recorder.get("interactions", {}).items():
                case = recorder["cases"][key]["value"]
                if response := interaction["response"]:
                    name = f"{case['method']} {case['path']}"
                    tally[name if name in known else NO_OPERATION, response["status_code"]] += 1
    return tally


def described(api: Client) -> set[str]:
    """Name the operations of the service's document."""
    paths: dict[str, dict[str, Any]] = api.get("/openapi.json").json()["paths"]
    return {f"{method.upper()} {path}" for path, operations in paths.items() for method in operations}


def succeeded(tally: Tally) -> set[str]:
    """Name the operations that had a success."""
    return {operation for operation, status in tally if status < httpx2.codes.MULTIPLE_CHOICES}


def share_of_401(tally: Tally) -> float:
    """Give the share of responses that say that nobody is logged in."""
    refused = sum(number for (_, status), number in tally.items() if status == httpx2.codes.UNAUTHORIZED)
    return refused / tally.total()


@pytest.mark.each_database
@ALL_MIXINS
def test_service_conforms_to_openapi(
    warm_process: WarmProcess,
    api: Client,
    tmp_path: Path,
    examples: int,
    keep_tally: Callable[[Tally], None],
) -> None:
    """Schemathesis in all its phases: examples, limits of the schemas, any values, and chains of calls."""
    tally = fuzz(warm_process, api, tmp_path, examples)
    assert described(api) - succeeded(tally) == set()
    keep_tally(tally)


@pytest.mark.accounts
@pytest.mark.slow
def test_service_with_accounts_conforms_to_openapi(
    warm_process: WarmProcess,
    api: Client,
    db: Engine,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    examples: int,
) -> None:
    """Schemathesis in all its phases, as the admin of a service with accounts."""
    accounts = Accounts(api, db, request)
    accounts.new()  # the user 1, whom much is tried on: an admin may not shut itself out
    admin = accounts.new("admin")
    tally = fuzz(warm_process, api, tmp_path, examples, admin["headers"], ENDS_SESSION)
    assert share_of_401(tally) < FEW
    ending = {
        f"{method.upper()} {path}"
        for path, operations in api.get("/openapi.json").json()["paths"].items()
        for method, operation in operations.items()
        if operation["operationId"] in ENDS_SESSION
    }
    assert len(ending) == len(ENDS_SESSION)
    assert described(api) - succeeded(tally) - ending - NEEDS_SECRET == set()
    assert api.get("/api/v1/auth/me", headers=admin["headers"]).status_code == httpx2.codes.OK


@pytest.mark.oidc
@pytest.mark.slow
def test_service_with_identity_provider_conforms_to_openapi(
    warm_process: WarmProcess,
    api: Client,
    identity_provider: IdentityProvider,
    tmp_path: Path,
    examples: int,
) -> None:
    """Schemathesis in all its phases, as an admin with a token of the identity provider."""
    users = Users(api, identity_provider)
    users.new()  # the user 1, whom much is tried on: an admin may not shut itself out
    admin = users.new("admin")
    tally = fuzz(warm_process, api, tmp_path, examples, admin["headers"])
    assert share_of_401(tally) < FEW
    assert described(api) - succeeded(tally) == set()
