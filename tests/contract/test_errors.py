"""Paths that don't exist."""

import pytest
from httpx2 import Client

from .problems import check_problem


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
        "/a%20%C3%A4%3F%23",
        "/health/live/",
        "/api/v1/users/",
        "//",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_unknown_path_is_404(api: Client, method: str, path: str) -> None:
    url = str(api.base_url).rstrip("/") + path
    check_problem(api.request(method, url), 404)


def test_error_is_problem_json_for_any_accept_header(api: Client) -> None:
    for accept in ("text/html", "application/xml", "*/*", ""):
        check_problem(api.get("/nothing", headers={"accept": accept}), 404)
