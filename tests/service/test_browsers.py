"""What a service tells browsers: which origins may call it, and headers that make pages safer."""

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.harness.service import calling
from tests.harness.variants import Variant
from tests.harness.warm_process import WarmProcess

pytestmark = [pytest.mark.example, pytest.mark.each_base]

ORIGIN = "https://app.example.com"
RATE_LIMIT = 40


@pytest.fixture
def client(warm_process: WarmProcess, project: Path, migrated_url: str, tmp_path: Path) -> Iterator[httpx2.Client]:
    """A page of the origin that the settings name."""
    settings = {"CORS_ORIGINS": ORIGIN, "CORS_CREDENTIALS": "true", "RATE_LIMIT": str(RATE_LIMIT)}
    environment = {"DATABASE_URL": migrated_url, **settings}
    headers = {"Origin": ORIGIN}
    with calling(warm_process, project, environment, tmp_path, path="", headers=headers) as client:
        yield client


def responses(client: httpx2.Client) -> Iterator[httpx2.Response]:
    """Yield responses of routes, of error handlers and of middleware."""
    yield client.get("/health/live")
    yield client.get("/docs")
    yield client.get("/api/v1/users")
    yield client.get("/absent")
    yield client.put("/api/v1/users")
    yield client.post("/api/v1/users", json={})
    yield client.post("/api/v1/users", json={"name": "x" * 2**20})
    yield client.get("/api/v1/users/")
    limited = client.get("/absent")
    while limited.status_code != 429:
        limited = client.get("/absent")
    yield limited


def test_each_response_has_what_browsers_need(client: httpx2.Client, variant: Variant) -> None:
    tags = {"ETag"} if "optimistic_locking" in variant.mixins else set()
    found = list(responses(client))
    assert [response.status_code for response in found] == [200, 200, 200, 404, 405, 422, 413, 404, 429]
    for response in found:
        headers = response.headers
        assert headers["access-control-allow-origin"] == ORIGIN
        assert headers["access-control-allow-credentials"] == "true"
        exposed = set(headers["access-control-expose-headers"].split(", "))
        assert exposed == {"Location", "Retry-After", "X-Request-ID"} | tags
        assert "Origin" in headers["vary"]
        assert headers["x-request-id"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "strict-transport-security" not in headers


def test_preflight_allows_what_the_contract_has(client: httpx2.Client) -> None:
    for method in ("GET", "POST", "PATCH", "PUT", "DELETE"):
        headers = {
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": "content-type,if-match,x-actor,x-request-id",
        }
        response = client.options("/api/v1/users/1", headers=headers)
        assert response.status_code == 200
        assert response.headers["access-control-allow-origin"] == ORIGIN
        assert method in response.headers["access-control-allow-methods"].split(", ")
        assert set(response.headers["access-control-allow-headers"].split(",")) >= {"if-match", "x-actor"}
    other = {"Origin": "https://other.example.com", "Access-Control-Request-Method": "GET"}
    refused = client.options("/api/v1/users", headers=other)
    assert (refused.status_code, refused.headers.get("access-control-allow-origin")) == (400, None)


def test_other_origins_are_not_allowed(client: httpx2.Client, api: httpx2.Client) -> None:
    response = client.get("/api/v1/users", headers={"Origin": "https://other.example.com"})
    assert "access-control-allow-origin" not in response.headers
    by_default = api.get("/api/v1/users", headers={"Origin": ORIGIN})
    assert not [name for name in by_default.headers if name.startswith("access-control-")]


def test_browsers_stay_on_tls_behind_a_proxy_that_has_it(api: httpx2.Client) -> None:
    for path in ("/health/live", "/absent"):
        response = api.get(path, headers={"X-Forwarded-Proto": "https"})
        assert response.headers["strict-transport-security"].startswith("max-age=")


def test_docs_are_off_where_the_setting_says_so(
    warm_process: WarmProcess, project: Path, migrated_url: str, tmp_path: Path
) -> None:
    environment = {"DATABASE_URL": migrated_url, "DOCS": "false"}
    with calling(warm_process, project, environment, tmp_path, path="") as client:
        paths = ["/", "/docs", "/docs/start.js", "/docs/static/swagger-ui.css", "/openapi.json", "/health/live"]
        assert [client.get(path).status_code for path in paths] == [404] * 5 + [200]


def test_production_does_not_start_with_settings_for_development(
    warm_process: WarmProcess, project: Path, migrated_url: str
) -> None:
    risky = {"DB_ECHO": "true", "CORS_ORIGINS": "*"}
    environment = {"DATABASE_URL": migrated_url, "ENVIRONMENT": "production", **risky}
    done = warm_process.run(["-c", "from app.main import create_app; create_app()"], project, environment, check=False)
    lines = done.output.splitlines()
    assert done.status == 1
    assert set(risky) <= {line.partition(":")[0] for line in lines} <= {*risky, "DATABASE_URL"}
