"""No output of a service shows the password of its database, whatever goes wrong."""

import json
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from sqlalchemy import make_url

from tests.harness.servers import Server, free_port
from tests.harness.warm_process import WarmProcess

pytestmark = [pytest.mark.example, pytest.mark.each_base, pytest.mark.database("postgresql", "mysql")]

PASSWORD = 'hunter2 /:?#%&"\\é'
REQUESTS = """
from fastapi.testclient import TestClient
from app.main import create_app
from app.settings import load_settings
from app.web.logs import set_up_logs
settings = load_settings()
set_up_logs(settings)
print(settings, repr(settings), settings.model_dump(), settings.model_dump_json(), settings.database_url)
with TestClient(create_app(), raise_server_exceptions=False) as client:
    for path in ("/api/v1/users", "/health/ready", "/openapi.json", "/docs"):
        response = client.get(path)
        print(response.status_code, response.headers, response.text)
"""


def test_password_of_the_database_is_never_shown(warm_process: WarmProcess, project: Path, server: Server) -> None:
    real = make_url(server.url)
    urls = {
        "wrong password": real.set(username="ann", password=PASSWORD),
        "unreachable": real.set(username="ann", password=PASSWORD, host="127.0.0.1", port=free_port(), query={}),
    }
    texts = {name: url.render_as_string(hide_password=False) for name, url in urls.items()}
    texts["unquoted"] = f"{server.database}://ann:hunter2@hunter2/hunter2@127.0.0.1/app"
    texts["no URL"] = f"{server.database}:hunter2"
    written = ""
    for text in texts.values():
        environment = {"DATABASE_URL": text, "DATABASE_READ_URL": text, "DB_ECHO": "true", "LOG_LEVEL": "debug"}
        for command in (
            ["-m", "app", "check"],
            ["-m", "app", "migrate"],
            ["-m", "alembic", "current"],
            ["-c", REQUESTS],
        ):
            done = warm_process.run(command, project, environment, check=False)
            assert done.output
            written += done.output
    assert "The database can't serve a request" in written
    assert "write an @ in the password as %40" in written
    for form in ("hunter2", quote(PASSWORD), quote_plus(PASSWORD), json.dumps(PASSWORD)[1:-1]):
        assert form not in written
