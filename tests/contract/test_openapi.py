"""The description that the service gives of itself."""

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from httpx2 import Client

from tests.harness.variants import Variant

from .problems import check_problem, media_type, strict_json

UNREADABLE, TOO_LARGE, INVALID, FAILED, BUSY = "400", "413", "422", "500", "503"
ALWAYS = {FAILED, BUSY}
READ = {INVALID, *ALWAYS}
WRITE = {UNREADABLE, TOO_LARGE, *READ}

OPERATIONS: dict[str, set[str]] = {
    "GET /health/live": {"200"},
    "GET /health/ready": {"200", "503"},
    "GET /health/pool": {"200", "404"},
}
EXAMPLE_OPERATIONS: dict[str, set[str]] = {
    "POST /api/v1/users": {"201", "409", *WRITE},
    "GET /api/v1/users": {"200", *READ},
    "GET /api/v1/users/{}": {"200", "404", *READ},
    "PATCH /api/v1/users/{}": {"200", "404", "409", *WRITE},
    "DELETE /api/v1/users/{}": {"204", "404", *READ},
    "PUT /api/v1/users/{}/profile": {"200", "201", "404", "412", *WRITE},
    "GET /api/v1/users/{}/posts": {"200", "404", *READ},
    "GET /api/v1/users/post-counts": {"200", *READ},
    "POST /api/v1/users/bulk": {"201", "409", *WRITE},
    "PATCH /api/v1/users/bulk": {"200", "404", *WRITE},
    "POST /api/v1/users/bulk-delete": {"200", "404", *WRITE},
    "POST /api/v1/posts": {"201", *WRITE},
    "GET /api/v1/posts": {"200", "400", *READ},
    "GET /api/v1/posts/{}": {"200", "404", *READ},
    "PATCH /api/v1/posts/{}": {"200", "404", *WRITE},
    "DELETE /api/v1/posts/{}": {"204", "404", *READ},
    "POST /api/v1/posts/{}/comments": {"201", "404", *WRITE},
    "GET /api/v1/posts/{}/comments": {"200", "404", *READ},
    "DELETE /api/v1/comments/{}": {"204", "404", *READ},
    "GET /api/v1/tags": {"200", *READ},
}
MIXIN_OPERATIONS: dict[str, dict[str, set[str]]] = {
    "audit_log": {"GET /api/v1/audit": {"200", "400", *READ}},
}
MIXIN_EXAMPLE_OPERATIONS: dict[str, dict[str, set[str]]] = {
    "soft_delete": {
        "POST /api/v1/users/{}/restore": {"200", "404", "409", *READ},
        "POST /api/v1/posts/{}/restore": {"200", "404", "409", *READ},
    },
    "full_text_search": {"GET /api/v1/posts/search": {"200", *READ}},
}
LOCATED = {"POST /api/v1/users", "POST /api/v1/posts"}
PROFILE, COMMENTS, COMMENT = (
    "PUT /api/v1/users/{}/profile",
    "POST /api/v1/posts/{}/comments",
    "DELETE /api/v1/comments/{}",
)
RESTORES = set(MIXIN_EXAMPLE_OPERATIONS["soft_delete"])
TAGGED = {
    *LOCATED,
    *(f"{method} /api/v1/{name}/{{}}" for method in ("GET", "PATCH") for name in ("users", "posts")),
    *RESTORES,
    PROFILE,
    COMMENTS,
}
MATCHED = {
    *(f"{method} /api/v1/{name}/{{}}" for method in ("PATCH", "DELETE") for name in ("users", "posts")),
    *RESTORES,
    PROFILE,
    COMMENTS,
    COMMENT,
}
READ_TAGGED = {name for name in TAGGED if name.startswith("GET ")}


@pytest.fixture
def description(api: Client) -> dict[str, Any]:
    """Read `/openapi.json`."""
    response = api.get("/openapi.json")
    assert response.status_code == 200
    assert media_type(response) == "application/json"
    return strict_json(response.text)


@pytest.fixture
def service_operations(mixins: frozenset[str]) -> dict[str, set[str]]:
    """The statuses of each operation that the service has without the example too."""
    return with_mixins(OPERATIONS, MIXIN_OPERATIONS, mixins)


@pytest.fixture
def example_operations(mixins: frozenset[str]) -> dict[str, set[str]]:
    """The statuses of each operation of the example."""
    found = with_mixins(EXAMPLE_OPERATIONS, MIXIN_EXAMPLE_OPERATIONS, mixins)
    if "optimistic_locking" not in mixins:
        return found
    found |= {name: found[name] | {"412"} for name in MATCHED & found.keys()}
    return found | {name: found[name] | {"304"} for name in READ_TAGGED}


@pytest.fixture
def contract_operations(
    variant: Variant, service_operations: dict[str, set[str]], example_operations: dict[str, set[str]]
) -> set[str]:
    """All operations that the service has."""
    return {*service_operations, *(example_operations if variant.example else ())}


def with_mixins(
    always: dict[str, set[str]], by_mixin: dict[str, dict[str, set[str]]], mixins: frozenset[str]
) -> dict[str, set[str]]:
    """Join the operations that are there `always` and those of `mixins`."""
    return always | {name: statuses for mixin in mixins for name, statuses in by_mixin.get(mixin, {}).items()}


def operations(description: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Find operations by method and path, with `{}` for each path parameter."""
    return {
        f"{method.upper()} {'/'.join('{}' if '{' in step else step for step in path.split('/'))}": operation
        for path, methods in description["paths"].items()
        for method, operation in methods.items()
    }


def references(value: object) -> Iterator[str]:
    """Find every `$ref` within `value`."""
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for part in value.values():
            yield from references(part)
    elif isinstance(value, list):
        for part in value:
            yield from references(part)


def resolve(description: dict[str, Any], value: dict[str, Any]) -> dict[str, Any]:
    """Give `value`, or what its `$ref` points to."""
    while "$ref" in value:
        target: Any = description
        for step in value["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        value = target
    return value


@pytest.mark.any_auth
def test_document_is_valid_openapi_3_1(description: dict[str, Any]) -> None:
    assert description["openapi"].startswith("3.1.")
    schemathesis.openapi.from_dict(description).validate()


@pytest.mark.any_auth
def test_references_resolve_and_schemas_are_used(
    description: dict[str, Any],
) -> None:
    used = set(references(description))
    for reference in used:
        resolve(description, {"$ref": reference})
    defined = {f"#/components/schemas/{name}" for name in description.get("components", {}).get("schemas", {})}
    assert defined == used


@pytest.mark.any_auth
def test_operation_ids_are_unique_names_without_the_path(description: dict[str, Any]) -> None:
    names = [operation["operationId"] for operation in operations(description).values()]
    assert len(names) == len(set(names))
    assert [name for name in names if not re.fullmatch(r"[a-z]+(_[a-z]+)+", name) or "api" in name] == []


def test_responses_of_health_routes_are_declared(
    description: dict[str, Any], service_operations: dict[str, set[str]]
) -> None:
    found = operations(description)
    assert service_operations.keys() <= found.keys()
    for name, statuses in service_operations.items():
        assert found[name]["responses"].keys() - {FAILED} == statuses - {FAILED}, name


@pytest.mark.any_auth
def test_errors_are_declared_as_problem_json(description: dict[str, Any]) -> None:
    members = {"type", "title", "status", "detail", "instance"}
    for name, operation in operations(description).items():
        for status, declared in operation["responses"].items():
            if status < "400":
                continue
            answer = resolve(description, declared)
            assert answer["content"].keys() == {"application/problem+json"}, f"{name} {status}"
            schema = resolve(description, answer["content"]["application/problem+json"]["schema"])
            assert schema["properties"].keys() >= members, f"{name} {status}"
            assert ("errors" in schema["properties"]) >= (status == INVALID), f"{name} {status}"


@pytest.mark.any_auth
def test_tags_are_described(description: dict[str, Any]) -> None:
    described = {tag["name"] for tag in description["tags"] if tag["description"]}
    assert described == {tag for operation in operations(description).values() for tag in operation["tags"]}
    assert description["info"]["description"] == "A FastAPI service on SQLAlchemy."


def test_fastapi_error_schemas_are_absent(description: dict[str, Any]) -> None:
    assert "ValidationError" not in str(description)


def test_operations_are_those_of_the_contract(description: dict[str, Any], contract_operations: set[str]) -> None:
    assert operations(description).keys() == contract_operations


def test_unsupported_method_is_405_and_names_those_of_the_path(api: Client, contract_operations: set[str]) -> None:
    methods: dict[str, set[str]] = defaultdict(set)
    for method, path in (name.split() for name in contract_operations):
        methods[path].add(method)
    for path, own in methods.items():
        # `GET /users/bulk` asks for the user with the id "bulk".
        fitting = set().union(*(methods[form] for form in methods if re.fullmatch(form.replace("{}", "[^/]+"), path)))
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - fitting:
            response = api.request(method, path.replace("{}", "1"), json={})
            check_problem(response, 405)
            allowed = set(response.headers["allow"].split(", "))
            assert allowed >= own, f"{method} {path}"
            assert fitting != own or allowed - {"HEAD"} == own, f"{method} {path}"
            assert ("HEAD" in allowed) >= ("GET" in own), f"{method} {path}"


@pytest.mark.example
def test_responses_are_declared(description: dict[str, Any], example_operations: dict[str, set[str]]) -> None:
    found = operations(description)
    declared = {name: set(found[name]["responses"]) for name in example_operations}
    assert declared == example_operations


@pytest.mark.example
def test_successful_responses_are_json_or_empty(description: dict[str, Any]) -> None:
    for name, operation in operations(description).items():
        for status, declared in operation["responses"].items():
            answer = resolve(description, declared)
            if status == "204":
                assert not answer.get("content"), name
            elif status < "300":
                assert answer["content"].keys() == {"application/json"}, name
                assert answer["content"]["application/json"]["schema"], name


@pytest.mark.example
def test_response_headers_are_declared(description: dict[str, Any], mixins: frozenset[str]) -> None:
    tagged = TAGGED if "optimistic_locking" in mixins else set()
    for name, operation in operations(description).items():
        expected = {header for header, names in (("location", LOCATED), ("etag", tagged)) if name in names}
        for status in operation["responses"].keys() & {"200", "201", "204"}:
            answer = resolve(description, operation["responses"][status])
            assert {header.lower() for header in answer.get("headers", ())} == expected, name


@pytest.mark.example
def test_conditions_are_declared(description: dict[str, Any], mixins: frozenset[str]) -> None:
    locks = "optimistic_locking" in mixins
    for name, operation in operations(description).items():
        taken = {(parameter["in"], parameter["name"].lower()) for parameter in operation.get("parameters", ())}
        assert (("header", "if-match") in taken) == (locks and name in MATCHED), name
        known = name == PROFILE or (locks and name in READ_TAGGED)
        assert (("header", "if-none-match") in taken) == known, name


@pytest.mark.example
def test_503_is_declared_with_retry_after(description: dict[str, Any], example_operations: dict[str, set[str]]) -> None:
    found = operations(description)
    for name in example_operations:
        busy = resolve(description, found[name]["responses"][BUSY])
        assert [header.lower() for header in busy.get("headers", ())] == ["retry-after"], name
