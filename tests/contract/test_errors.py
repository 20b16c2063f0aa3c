"""Errors that need no row: paths and methods that don't exist."""

import pytest
from httpx2 import Client

from .problems import check_problem

TAKES = {
    "/health/live": {"GET"},
    "/health/ready": {"GET"},
    "/health/pool": {"GET"},
}
EXAMPLE_TAKES = {
    "/api/v1/users": {"GET", "POST"},
    "/api/v1/users/1": {"GET", "PATCH", "DELETE"},
    "/api/v1/users/1/profile": {"PUT"},
    "/api/v1/users/1/posts": {"GET"},
    "/api/v1/posts": {"GET", "POST"},
    "/api/v1/posts/1": {"GET", "PATCH", "DELETE"},
    "/api/v1/posts/1/comments": {"GET", "POST"},
    "/api/v1/comments/1": {"DELETE"},
    "/api/v1/tags": {"GET"},
}
SHARED_TAKES = {
    "/api/v1/users/bulk": {"POST", "PATCH"},
    "/api/v1/users/bulk-delete": {"POST"},
    "/api/v1/users/post-counts": {"GET"},
}


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/api",
        "/api/v1",
        "/api/v1/nothing",
        "/api/v2/users",
        "/health",
        "/health/live/x",
        "/%00",
        "/%F0%9F%8D%A3?a=b",
        "//",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_unknown_path_is_404(api: Client, method: str, path: str) -> None:
    url = str(api.base_url).rstrip("/") + path
    check_problem(api.request(method, url), 404)


@pytest.mark.parametrize("path", TAKES)
def test_unsupported_method_is_405(api: Client, path: str) -> None:
    check_refused(api, path, TAKES[path])


@pytest.mark.example
@pytest.mark.parametrize("path", EXAMPLE_TAKES)
def test_unsupported_method_on_resource_is_405(api: Client, path: str) -> None:
    check_refused(api, path, EXAMPLE_TAKES[path])


@pytest.mark.mixin("audit_log")
def test_unsupported_method_on_audit_is_405(api: Client) -> None:
    check_refused(api, "/api/v1/audit", {"GET"})


@pytest.mark.example
@pytest.mark.mixin("soft_delete")
@pytest.mark.parametrize("path", ["/api/v1/users/1/restore", "/api/v1/posts/1/restore"])
def test_unsupported_method_on_restore_is_405(api: Client, path: str) -> None:
    check_refused(api, path, {"POST"})


@pytest.mark.example
@pytest.mark.parametrize("path", SHARED_TAKES)
def test_unsupported_method_on_bulk_is_405(api: Client, path: str) -> None:
    response = api.put(path, json={})
    check_problem(response, 405)
    assert allowed(response.headers["allow"]) >= SHARED_TAKES[path]


@pytest.mark.example
@pytest.mark.mixin("full_text_search")
def test_unsupported_method_on_search_is_405(api: Client) -> None:
    response = api.put("/api/v1/posts/search", json={})
    check_problem(response, 405)
    assert "GET" in allowed(response.headers["allow"])


def test_error_is_problem_json_for_any_accept_header(api: Client) -> None:
    for accept in ("text/html", "application/xml", "*/*", ""):
        check_problem(api.get("/nothing", headers={"accept": accept}), 404)


def check_refused(api: Client, path: str, takes: set[str]) -> None:
    """Assert that `path` refuses every method but those it `takes`, and names these."""
    for method in sorted({"GET", "POST", "PUT", "DELETE"} - takes):
        response = api.request(method, path)
        check_problem(response, 405)
        assert allowed(response.headers["allow"]) == takes | ({"HEAD"} if "GET" in takes else set())


def allowed(header: str) -> set[str]:
    """Read the methods that an `Allow` header names."""
    return {method.strip() for method in header.split(",")}
