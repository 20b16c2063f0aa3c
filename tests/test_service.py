"""Every variant's service, the one without the example too, is healthy and documented."""

import httpx2
import pytest

pytestmark = pytest.mark.pairs


def test_it_lives_and_is_ready(api: httpx2.Client) -> None:
    for path in ("/health/live", "/health/ready"):
        response = api.get(path)
        assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_it_shows_its_documentation(api: httpx2.Client) -> None:
    assert "text/html" in api.get("/docs").headers["content-type"]
    assert api.get("/openapi.json").json()["openapi"].startswith("3.")
