"""The paths that watch the service."""

import re
import socket

import pytest
from httpx2 import Client

from .blog import Blog
from .problems import check_problem, media_type


@pytest.mark.pool
def test_pool_figures(api: Client) -> None:
    response = api.get("/health/pool")
    assert response.status_code == 200
    pools = response.json()
    assert pools.keys() == {"write", "read"}
    for figures in pools.values():
        assert isinstance(figures.pop("pool"), str)
        assert figures.keys() == {"size", "checked_in", "checked_out", "overflow"}
        assert all(type(figure) is int for figure in figures.values())
        assert min(figures["size"], figures["checked_in"], figures["checked_out"]) >= 0


@pytest.mark.example
@pytest.mark.pool
def test_requests_return_their_connections(blog: Blog, api: Client) -> None:
    user = blog.add_user()
    for _ in range(3):
        blog.get("/users")
        blog.get("/users/9223372036854775807", expect=404)
        blog.post("/users", {"email": user["email"], "name": "Ada"}, expect=409)
        blog.post("/users", {"name": "Ada"}, expect=422)
    assert [pool["checked_out"] for pool in api.get("/health/pool").json().values()] == [0, 0]


@pytest.mark.parametrize("path", ["/", "/docs", "/openapi.json", "/health/live", "/health/ready", "/health/pool"])
def test_head_is_get_without_body(api: Client, path: str) -> None:
    get = api.get(path)
    with socket.create_connection((api.base_url.host, api.base_url.port or 80)) as connection:
        connection.sendall(f"HEAD {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n".encode())
        start, _, body = connection.makefile("rb").read().partition(b"\r\n\r\n")
    assert start.split()[1] == str(get.status_code).encode()
    assert get.headers.get("content-type", "").encode() in start
    assert body == b""


def test_docs_page_loads_from_the_service_alone(api: Client) -> None:
    assert api.get("/").headers["location"] == "/docs"
    response = api.get("/docs")
    assert response.status_code == 200
    assert media_type(response) == "text/html"
    urls = re.findall(r'(?:src|href)="([^"]+)"', response.text)
    assert urls
    for url in urls:
        assert url.startswith("docs/")
        assert api.get(f"/{url}").status_code == 200
        refused = api.post(f"/{url}")
        check_problem(refused, 405)
        assert refused.headers["allow"] == "GET, HEAD"
