"""`python -m app`: the commands of a service, and exit codes that scripts can use."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import make_url

from tests.contract.blog import new_user
from tests.harness.commands import clean_environment
from tests.harness.servers import free_port
from tests.harness.service import NO_CERTIFICATES
from tests.harness.warm_process import WarmProcess

pytestmark = [pytest.mark.example, pytest.mark.each_base]

PATIENCE = 60.0
HEAD = (
    "POST /api/v1/users HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    "Expect: 100-continue\r\nContent-Length: {}\r\n\r\n"
)


def test_help_lists_commands_and_exit_codes(warm_process: WarmProcess, project: Path) -> None:
    shown = warm_process.run(["-m", "app", "--help"], project).output
    assert shown.startswith("usage: python -m app [-h] COMMAND ...\n")
    assert re.findall(r"(?m)^    (\w+) ", shown) == ["serve", "migrate", "check", "openapi"]
    assert re.findall(r"(?m)^  (\d)  ", shown) == ["0", "1", "2", "3", "4"]
    assert re.findall(r"(?m)^  3  (.*)$", shown) == ["check: the database doesn't answer; serve: it can't start"]
    assert max(map(len, shown.splitlines())) <= 100
    options = warm_process.run(["-m", "app", "serve", "--help"], project).output
    assert all(name in options for name in ("--host", "--port", "--workers", "--reload", "--root-path"))


def test_check_tells_an_empty_database_from_an_unreachable_one(
    warm_process: WarmProcess, project: Path, database_url: str
) -> None:
    def run(*arguments: str, **settings: str) -> tuple[int | None, str]:
        environment = {"DATABASE_URL": database_url, **settings}
        done = warm_process.run(["-m", "app", *arguments], project, environment, check=False)
        return done.status, done.output

    assert run("check") == (4, "The database isn't migrated.\n")
    status, output = run("migrate")
    assert (status, output.count("Running upgrade")) == (0, 1)
    assert run("check") == (0, "")
    assert run("check", DB_POOL_SIZE="many")[0] == 1
    assert run("frobnicate")[0] == 2
    if not database_url.startswith("sqlite"):
        absent = make_url(database_url).set(database="absent").render_as_string(hide_password=False)
        status, output = run("check", DATABASE_URL=absent)
        assert status == 3
        assert output.startswith("The database doesn't answer: ")
        assert output.count("\n") == 1
    else:
        absent = f"sqlite:///{project}/absent/app.db"
    status, output = run("migrate", DATABASE_URL=absent)
    assert (status, output.count("\n")) == (1, 1)
    assert output.startswith("DATABASE_URL: ")


def test_check_needs_a_migrated_database_where_it_finds_no_migrations(
    warm_process: WarmProcess, project: Path, database_url: str, tmp_path: Path
) -> None:
    environment = {"DATABASE_URL": database_url}
    if database_url.startswith("sqlite"):
        Path(str(make_url(database_url).database)).touch()
    shutil.copytree(project / "app", tmp_path / "app")
    check = partial(warm_process.run, ["-m", "app", "check"], tmp_path, environment, check=False)
    assert (check().status, check().output) == (4, "The database isn't migrated.\n")
    warm_process.run(["-m", "app", "migrate"], project, environment)
    assert check().status == 0


def test_openapi_is_the_same_whatever_the_settings(warm_process: WarmProcess, project: Path) -> None:
    printed = {
        warm_process.run(["-m", "app", "openapi"], project, environment).output
        for environment in ({}, {"RATE_LIMIT": "5", "DOCS": "false", "PYTHONHASHSEED": "1"})
    }
    (document,) = map(json.loads, printed)
    assert "/api/v1/users" in document["paths"]


@pytest.mark.each_database
@pytest.mark.parametrize("workers", [1, 2])
def test_serve_takes_settings_and_ends_well(project: Path, migrated_url: str, tmp_path: Path, workers: int) -> None:
    port = free_port()
    environment = clean_environment(
        DATABASE_URL=migrated_url,
        SERVER_PORT=str(port),
        SERVER_WORKERS=str(workers),
        WEB_CONCURRENCY="3",  # uvicorn's own, for a command without workers
        LOG_FORMAT="json",
        FORWARDED_ALLOW_IPS="10.0.0.0/8",
    )
    url = f"http://127.0.0.1:{port}"
    log = tmp_path / "log"
    with log.open("wb") as output:
        command = [sys.executable, "-m", "app", "serve"]
        service = subprocess.Popen(command, cwd=project, env=environment, stdout=output, stderr=output)
    try:
        wait_until_ready(service, url, log)
        headers = {"X-Forwarded-Proto": "https"}  # of one who isn't believed
        response = httpx2.get(f"{url}/api/v1/users", headers=headers, timeout=PATIENCE, verify=NO_CERTIFICATES)
        assert "strict-transport-security" not in response.headers
        long = {"X-Long": "x" * 300_000}
        too_large = httpx2.get(f"{url}/health/live", headers=long, timeout=PATIENCE, verify=NO_CERTIFICATES)
        assert too_large.status_code == 431
        body = json.dumps(new_user()).encode()
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
            connection.sendall(HEAD.format(len(body)).encode())
            assert connection.recv(1024).startswith(b"HTTP/1.1 100 ")  # it waits for the body
            connection.sendall(body[:9])
            service.send_signal(signal.SIGTERM)
            wait_until_refused(port)
            connection.sendall(body[9:])
            assert connection.recv(1024).startswith(b"HTTP/1.1 201 ")
        assert service.wait(PATIENCE) in {0, -signal.SIGTERM}
    finally:
        service.kill()
        service.wait()
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    messages = [line["message"] for line in lines]
    assert (
        messages.count("Application startup complete.") == messages.count("Application shutdown complete.") == workers
    )
    assert sum(line.get("route") == "/api/v1/users" for line in lines) == 2  # the GET and the POST


@pytest.mark.each_database
@pytest.mark.parametrize("workers", [1, 2])
def test_application_that_cant_be_built_ends_the_service(
    project: Path, database_url: str, tmp_path: Path, workers: int
) -> None:
    broken = shutil.copytree(project, tmp_path / "broken")
    with (broken / "app/main.py").open("a", encoding="utf-8") as main:
        main.write("\n\ndef create_app():\n    1 / 0\n")
    environment = clean_environment(
        DATABASE_URL=database_url, SERVER_PORT=str(free_port()), SERVER_WORKERS=str(workers)
    )
    command = [sys.executable, "-m", "app", "serve"]
    done = subprocess.run(
        command, cwd=broken, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE
    )
    assert done.returncode == 3
    assert 1 <= (done.stdout + done.stderr).count("ZeroDivisionError: division by zero") <= workers


@pytest.mark.each_database
def test_workers_end_with_the_process_that_started_them(project: Path, migrated_url: str, tmp_path: Path) -> None:
    port = free_port()
    environment = clean_environment(DATABASE_URL=migrated_url, SERVER_PORT=str(port), SERVER_WORKERS="2")
    log = tmp_path / "log"
    with log.open("wb") as output:
        command = [sys.executable, "-m", "app", "serve"]
        service = subprocess.Popen(
            command, cwd=project, env=environment, stdout=output, stderr=output, start_new_session=True
        )
    try:
        wait_until_ready(service, f"http://127.0.0.1:{port}", log)
        service.kill()
        service.wait()
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_server(("127.0.0.1", port)).close()
            except OSError:
                assert time.monotonic() < deadline, "the workers keep the port"
                time.sleep(0.05)
            else:
                break
    finally:
        with suppress(ProcessLookupError):
            os.killpg(service.pid, signal.SIGKILL)


def wait_until_refused(port: int) -> None:
    """Wait until nobody listens; fail where somebody still does."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            with suppress(ConnectionResetError):  # the listening socket was closed while this connected
                socket.create_connection(("127.0.0.1", port), 5).close()
        except ConnectionRefusedError:
            return
        time.sleep(0.05)
    pytest.fail("new requests wait for processes that are about to end")


def wait_until_ready(service: subprocess.Popen[bytes], url: str, log: Path) -> None:
    """Wait until a service answers; fail where it ends before."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and service.poll() is None:
        try:
            if httpx2.get(f"{url}/health/live", timeout=5, verify=NO_CERTIFICATES).is_success:
                return
        except httpx2.TransportError:
            time.sleep(0.05)
    pytest.fail(log.read_text(encoding="utf-8"), pytrace=False)
