"""Every variant's service, the one without the example too, is healthy and documented."""

from pathlib import Path

import httpx2
import pytest

from tests.servers import Server, free_port
from tests.zygote import Zygote

pytestmark = pytest.mark.pairs
# A host has two addresses, and no server at either.
UNREACHABLE = """
import socket, sys
from fastapi.testclient import TestClient
resolve = socket.getaddrinfo
addresses = ("127.0.0.1", "127.0.0.2")
socket.getaddrinfo = lambda _, *options, **more: [one for name in addresses for one in resolve(name, *options, **more)]
from app.main import app
with TestClient(app, raise_server_exceptions=False) as client:
    for path in sys.argv[1:]:
        print(client.get(path).status_code, flush=True)
"""


def test_it_lives_and_is_ready(api: httpx2.Client) -> None:
    for path in ("/health/live", "/health/ready"):
        response = api.get(path)
        assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_it_shows_its_documentation(api: httpx2.Client) -> None:
    assert "text/html" in api.get("/docs").headers["content-type"]
    assert api.get("/openapi.json").json()["openapi"].startswith("3.")


@pytest.mark.example
@pytest.mark.ends
def test_a_database_out_of_reach_is_a_503(zygote: Zygote, project: Path, server: Server, tmp_path: Path) -> None:
    url = f"{server.database}://app@localhost:{free_port()}/app"
    if server.database == "sqlite":
        url = f"sqlite:///{tmp_path}/absent/app.db"
    done = zygote.run(["-c", UNREACHABLE, "/api/v1/users", "/health/ready"], project, {"DATABASE_URL": url})
    assert done.output.split()[-2:] == ["503", "503"]
