"""What an error looks like: RFC 9457, and silent about what is behind it."""

import json
import re
from typing import Any, NoReturn
from urllib.parse import quote, unquote

from httpx2 import Response

TITLES = {
    400: {"Bad Request"},
    404: {"Not Found"},
    405: {"Method Not Allowed"},
    409: {"Conflict"},
    412: {"Precondition Failed"},
    413: {"Content Too Large", "Request Entity Too Large"},
    422: {"Unprocessable Content", "Unprocessable Entity"},
    503: {"Service Unavailable"},
}
LEAK = re.compile(
    r"traceback|sqlalchemy|sqlite|psycopg|asyncpg|pymysql|asyncmy|aiomysql|mysql|mariadb|postgres|pydantic|starlette"
    r"|fastapi|(integrity|operational|data|programming)error|\bconstraint\b|duplicate (key|entry)|foreign key"
    r"|\bselect\b.+\bfrom\b|insert into|delete from|\bupdate\b.+\bset\b|\.py\b|\bline \d+, in\b",
    re.IGNORECASE,
)


def media_type(response: Response) -> str:
    """Read the content type without its parameters."""
    return response.headers.get("content-type", "").partition(";")[0]


def strict_json(text: str) -> dict[str, Any]:
    """Read `text`, which must be an object in JSON as RFC 8259 has it: without NaN and Infinity."""

    def refuse(constant: str) -> NoReturn:
        raise AssertionError(f"{constant} is no JSON")

    value: dict[str, Any] = json.loads(text, parse_constant=refuse)
    assert isinstance(value, dict)
    return value


def check_problem(response: Response, status: int) -> dict[str, Any]:
    """Read the body of `response`, which must be the problem that the contract describes for `status`."""
    assert response.status_code == status, response.text
    assert media_type(response) == "application/problem+json"
    problem = strict_json(response.text)
    members = {"type", "title", "status", "detail", "instance", "request_id"}
    assert problem.keys() == (members | {"errors"} if status == 422 else members)
    assert problem["type"] == "about:blank"
    assert problem["title"] in TITLES[status]
    assert problem["status"] == status
    assert isinstance(problem["detail"], str)
    assert problem["detail"]
    assert problem["request_id"] == response.headers["x-request-id"]
    path = response.request.url.raw_path.partition(b"?")[0]
    assert problem["instance"] == quote(unquote(path))
    assert response.headers["cache-control"] == "no-store"
    if status == 422:
        check_errors(problem["errors"])
    assert not LEAK.search(response.text), response.text
    return problem


def locations(problem: dict[str, Any], depth: int = 2) -> set[tuple[str | int, ...]]:
    """Collect where the values are that `problem` refuses, to that many steps of their locations."""
    return {tuple(error["location"][:depth]) for error in problem["errors"]}


def check_errors(errors: list[dict[str, Any]]) -> None:
    """Each of `errors` must say where and what."""
    assert errors
    for error in errors:
        assert error.keys() == {"location", "detail"}
        assert error["location"]
        assert all(type(step) in {str, int} for step in error["location"])
        assert isinstance(error["detail"], str)
        assert error["detail"]


def check_locations(problem: dict[str, Any], body: object) -> None:
    """Each location in the body must be the path of a value in `body`, or of a field that an object in it lacks."""
    for error in problem.get("errors", []):
        part, *steps = error["location"]
        value = body
        for step in steps if part == "body" else []:
            assert isinstance(value, dict | list), error
            value = value[step] if isinstance(value, list) else value.get(step)
