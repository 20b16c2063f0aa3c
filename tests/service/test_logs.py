"""The log of a service and of its migrations: every line in one form, and once."""

import json
import re
import socket
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import make_url, text

from tests.harness import servers
from tests.harness.service import NO_CERTIFICATES, serving
from tests.harness.warm_process import WarmProcess

pytestmark = [pytest.mark.example, pytest.mark.each_base]

REQUESTS, STATEMENTS = "app.web.request_log", "sqlalchemy.engine.Engine"
ACTOR = "ann\x85INFO"
USER = {"email": "ada@example.com", "name": "Ada of the body"}
VALUES = ("ada@example.com", "Ada of the body", "needle")
LINE_OF_TEXT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (DEBUG|INFO|WARNING|ERROR) +[\w.]+ \S.*|    .*|")


@pytest.fixture
def given() -> dict[str, str]:
    """The settings of the service."""
    return {"LOG_FORMAT": "json", "DB_ECHO": "true", "DB_SLOW_STATEMENT": "0.000001"}


@pytest.fixture
def log(warm_process: WarmProcess, project: Path, database_url: str, tmp_path: Path, given: dict[str, str]) -> Path:
    """The log of a service that answered many a request, the migration of its database included."""
    environment = {"DATABASE_URL": database_url, **given}
    migration = warm_process.run(["-m", "alembic", "upgrade", "head"], project, environment)
    log = tmp_path / "log"
    with serving(warm_process, project, environment, tmp_path, log) as url:
        call(url)
        break_table(database_url)
        with httpx2.Client(base_url=url, timeout=30, verify=NO_CERTIFICATES) as client:
            failed = client.get("/api/v1/users/1", headers={"X-Request-ID": "failed"})
            assert (failed.status_code, failed.json()["request_id"]) == (500, "failed")
    log.write_text(migration.output + log.read_text(encoding="utf-8"), encoding="utf-8")
    return log


def call(url: str) -> None:
    """Send what is usual, and what is hostile; leave before one response."""
    with httpx2.Client(base_url=url, timeout=30, verify=NO_CERTIFICATES) as client:
        actor = {b"X-Request-ID": b"made", b"X-Actor": ACTOR.encode("latin-1")}
        client.post("/api/v1/users", json=USER, headers=actor)
        client.get("/api/v1/users/1", headers={"X-Request-ID": "read"})
        client.get("/api/v1/users?search=the+needle", headers={"X-Request-ID": "listed"})
        client.put("/api/v1/users", headers={"X-Request-ID": "refused"})
        client.get(f"/%0A%0D%1B%E2%80%A8{{'level': 'INFO'}}/{'x' * 20_000}", headers={"X-Request-ID": "hostile"})
        client.get("/health/live")
    address = httpx2.URL(url).host, httpx2.URL(url).port
    with socket.create_connection(address) as connection:
        connection.sendall(
            b"POST /api/v1/users HTTP/1.1\r\nHost: test\r\nX-Request-ID: gone\r\n"
            b"Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
        )
    with socket.create_connection(address) as connection:
        connection.sendall(b"GET /\x1b[2J HTTP/1.1\r\n\r\n")
        connection.recv(100)


def break_table(url: str) -> None:
    """Take a table away, so that requests fail."""
    quote = "`" if make_url(url).drivername == "mysql" else '"'
    with servers.engine(url).begin() as connection:
        connection.execute(text(f"ALTER TABLE users RENAME TO {quote}absent{quote}"))


def test_log_has_each_line_once_as_json(log: Path, project: Path) -> None:
    lines: list[dict[str, Any]] = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    messages = [line["message"] for line in lines]
    assert all({"time", "level", "logger", "message"} <= line.keys() for line in lines)
    assert sum(message.startswith("Running upgrade") for message in messages) == 1
    assert messages.count("Application startup complete.") == 1
    assert messages.count("Invalid HTTP request received.") == 1
    requests = {line["request_id"]: line for line in lines if line["logger"] == REQUESTS}
    assert {id_: (line["status"], line["route"]) for id_, line in requests.items() if id_ != "hostile"} == {
        "made": (201, "/api/v1/users"),
        "read": (200, "/api/v1/users/{user_id}"),
        "listed": (200, "/api/v1/users"),
        "refused": (405, "/api/v1/users"),
        "gone": (400, "/api/v1/users"),
        "failed": (500, "/api/v1/users/{user_id}"),
    }
    assert len(requests) == sum(line["logger"] == REQUESTS for line in lines)
    assert len(requests["hostile"]["route"]) < 1000
    # A statement is there as it is echoed, and as it is slow.
    for logger in (STATEMENTS, "app.db.slow_statements"):
        own = [line for line in lines if line["logger"] == logger and line.get("request_id") == "read"]
        assert sum("FROM users" in line["message"] for line in own) == 1
    assert not [value for value in VALUES if value in log.read_text(encoding="utf-8")]
    (failure,) = [line for line in lines if "trace" in line]
    assert failure["request_id"] == "failed"
    is_audited = (project / "app/audit").exists()
    assert requests["made"].get("actor") == (ACTOR if is_audited else None)


@pytest.mark.parametrize("given", [{"DB_ECHO": "true"}], ids=["text"])
def test_no_text_can_look_like_a_line(log: Path) -> None:
    written = log.read_text(encoding="utf-8")
    assert all(LINE_OF_TEXT.fullmatch(line) for line in written.splitlines())
    assert written.replace("\n", "").isprintable()
    assert " GET /api/v1/users/{user_id} 200 in " in written


@pytest.mark.parametrize("given", [{"LOG_LEVEL": "WARNING"}], ids=["warnings"])
def test_level_is_that_of_every_logger(log: Path) -> None:
    written = log.read_text(encoding="utf-8")
    assert " WARNING app.web.request_log GET /api/v1/users/{user_id} 500 in " in written
    assert " WARNING uvicorn.error " in written
    assert " INFO " not in written
