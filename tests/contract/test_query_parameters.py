"""Query parameters that a call doesn't have, on every call."""

from typing import Any

import pytest
from httpx2 import Client

from .blog import Blog
from .problems import check_problem, locations


def operations(api: Client) -> list[tuple[str, str, set[str]]]:
    """List the method, the path and the query parameters of each operation under `/api/v1`."""
    paths: dict[str, dict[str, Any]] = api.get("/openapi.json").json()["paths"]
    return [
        (
            method,
            "/".join("1" if "{" in step else step for step in path.split("/")),
            {taken["name"] for taken in operation.get("parameters", ()) if taken["in"] == "query"},
        )
        for path, methods in paths.items()
        for method, operation in methods.items()
        if path.startswith("/api/v1")
    ]


def test_every_operation_refuses_unknown_query_parameter(api: Client) -> None:
    for method, path, taken in operations(api):
        response = api.request(method, path, params={"unknown": "1", **dict.fromkeys(taken, "1")})
        problem = check_problem(response, 422)
        assert locations(problem) == {("query", "unknown")}, f"{method} {path}"


@pytest.mark.example
def test_unknown_parameters_are_refused_by_name(blog: Blog) -> None:
    for query in ("q=plan", "Page=1", "page%20=1", "page[]=1", "=1", "%F0%9F%8D%A3=", "q", "page=1&q=plan&page=2"):
        problem = check_problem(blog.api.get(f"/api/v1/users?{query}"), 422)
        assert len(problem["errors"]) == 1, query
    problem = blog.call("GET", "/users", 422, params={"q": "plan", "size": 101, "a": 1}).json()
    assert locations(problem) == {("query", "q"), ("query", "a")}
    assert "is_active, " in problem["errors"][0]["detail"]


@pytest.mark.example
def test_empty_query_is_accepted(blog: Blog) -> None:
    for query in ("", "?", "?&", "?page=1", "?page=1&"):
        assert blog.api.get(f"/api/v1/users{query}").status_code == 200


@pytest.mark.example
def test_last_of_repeated_parameters_counts(blog: Blog) -> None:
    assert blog.api.get("/api/v1/users?size=2&size=1").json()["size"] == 1
    check_problem(blog.api.get("/api/v1/users?size=1&size=x"), 422)


@pytest.mark.example
def test_unknown_method_is_405_with_any_query(blog: Blog) -> None:
    check_problem(blog.api.put("/api/v1/users?q=plan", json={}), 405)
    check_problem(blog.api.get("/api/v1/nothing?q=plan"), 404)


def test_health_and_docs_take_any_query(api: Client) -> None:
    for path in ("/health/live", "/health/ready", "/docs", "/openapi.json"):
        assert api.get(path, params={"now": "1"}).status_code == 200
