"""Runs the services of a compose.yaml in their order, outside containers, with a real server for their database."""

import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.harness.dockerfile import Failed, Image, compose, machine, run
from tests.harness.servers import free_port

PORT = "8000"
SECONDS_TO_START = 60
SECONDS_TO_STOP = 20

# Programs that this machine may lack, in Python: the same verdict by other means.
STAND_INS = {
    "curl": """
import sys, time, urllib.request
*options, url = sys.argv[1:]
for attempt in range(int(options[options.index("--retry") + 1])):
    try:
        raise SystemExit(not urllib.request.urlopen(url, timeout=5).read())
    except OSError:
        time.sleep(int(options[options.index("--retry-delay") + 1]))
raise SystemExit(22)
""",
    "mysqladmin": """
import os, sys, pymysql
command, *options = sys.argv[1:]
host = next(option.removeprefix("--host=") for option in options if option.startswith("--host="))
assert command == "ping", command
try:
    pymysql.connect(host=host, port=int(os.environ["MYSQL_TCP_PORT"]), user="root")
except pymysql.err.OperationalError as error:
    raise SystemExit(error.args[0] >= 2000)
""",
    "pg_isready": """
import os, sys, psycopg
host = next(option.removeprefix("--host=") for option in sys.argv if option.startswith("--host="))
try:
    psycopg.connect(host=host, port=os.environ["PGPORT"], user="postgres", dbname="postgres")
except psycopg.OperationalError as error:
    raise SystemExit("refused" in str(error))
""",
}


def provide(folder: Path, *names: str) -> dict[str, str]:
    """Give the environment of a machine with these programs, or with what stands in for them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        try:
            machine(folder, name)
        except Failed:
            if name not in STAND_INS:
                raise
            (folder / name).write_text(f"#!{sys.executable}{STAND_INS[name]}", encoding="utf-8")
            (folder / name).chmod(0o755)
    return machine(folder)


def authority(environment: Mapping[str, str], address: str) -> str:
    """Give the part of a URL that names the user, the password, the address and the database of a server's set-up."""
    values = {key.partition("_")[2]: value for key, value in environment.items()}
    name = values.get("DB") or values["DATABASE"]
    account = f"{values['USER']}:{values['PASSWORD']}" if "USER" in values else f"root:{values['ROOT_PASSWORD']}"
    return f"{account}@{address}/{name}"


def on_server(environment: Mapping[str, str], expected: str, url: str) -> dict[str, str]:
    """Replace the URLs of an environment with that of a real database.

    Raises:
        Failed: one of them doesn't name the `expected` user, password, address and database.

    """
    urls = {key: value for key, value in environment.items() if "://" in value}
    for key, value in urls.items():
        if value.partition("://")[2] != expected:
            message = f"{key} is {value}, which isn't at {expected}."
            raise Failed(message)
    return {**environment, **dict.fromkeys(urls, url)}


def check_health(command: list[str], url: str, folder: Path) -> None:
    """Run the health command of a database's container against the real server, and against none.

    Raises:
        Failed: it says the wrong thing.

    """
    server = urlsplit(url)
    arguments = [word.replace("127.0.0.1", server.hostname or "") for word in command]
    environment = provide(folder, command[0])
    run(arguments, folder, environment | dict.fromkeys(("PGPORT", "MYSQL_TCP_PORT"), str(server.port)))
    nowhere = environment | dict.fromkeys(("PGPORT", "MYSQL_TCP_PORT"), str(free_port()))
    check_fails(arguments, folder, nowhere)


def check_fails(command: list[str], cwd: Path, environment: Mapping[str, str]) -> None:
    """Run a command that must fail.

    Raises:
        Failed: it ended well.

    """
    try:
        run(command, cwd, environment)
    except Failed:
        return
    message = f"`{shlex.join(command)}` ended well where it must fail."
    raise Failed(message)


@contextmanager
def serving(image: Image, command: list[str], environment: Mapping[str, str], log: Path) -> Iterator[None]:
    """Run an image's service until the block ends, then stop it as an engine does.

    Raises:
        Failed: it ended before, or badly.

    """
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(
            command, cwd=image.cwd, env=dict(environment), stdout=output, stderr=subprocess.STDOUT
        )
    try:
        yield
        ended = process.poll()
        process.send_signal(signal.SIGTERM)
        status = process.wait(SECONDS_TO_STOP)
        if ended is not None or status not in {0, -signal.SIGTERM}:
            message = f"`{shlex.join(command)}` ended with {status}:\n{log.read_text(encoding='utf-8')}"
            raise Failed(message)
    finally:
        process.kill()
        process.wait()


def wait_until_healthy(command: list[str], cwd: Path, environment: Mapping[str, str], log: Path) -> None:
    """Run a health command until it ends well.

    Raises:
        Failed: it doesn't in time.

    """
    end = time.monotonic() + SECONDS_TO_START
    while True:
        try:
            run(command, cwd, environment)
        except Failed as error:
            if time.monotonic() > end:
                message = f"{error}\n{log.read_text(encoding='utf-8')}"
                raise Failed(message) from None
            time.sleep(0.2)
        else:
            return


def commands_in_comments(project: Path) -> list[list[str]]:
    """Give what the comments of a compose.yaml tell to run in a container of the service."""
    text = (project / "compose.yaml").read_text(encoding="utf-8")
    found = re.findall(r"^# `docker compose run --rm app ([^`]+)`", text, re.MULTILINE)
    return [shlex.split(command) for command in found]


def run_services(project: Path, image: Image, folder: Path, url: str, questions: list[str]) -> None:
    """Run the services of a project's compose.yaml, and the commands `questions` while its service is up.

    Raises:
        Failed: one of them doesn't end well.

    """
    services = compose(project)
    port = str(free_port())
    servers = {name: service for name, service in services.items() if "build" not in service}
    for name, server in servers.items():
        check_health(server["healthcheck"]["test"][1:], url, folder / name)
    health = [word.replace(PORT, port) for word in image.health]
    for name, service in services.items():
        if name in servers:
            continue
        environment = image.environment | environment_of(service, servers, url)
        command = [word.replace(PORT, port) for word in service.get("command", image.command)]
        if "command" in service:
            run(command, image.cwd, environment)
            continue
        for extra in commands_in_comments(project):
            run(extra, image.cwd, environment)
        check_fails(health, image.cwd, environment)
        log = folder / f"{name}.log"
        with serving(image, command, environment, log):
            wait_until_healthy(health, image.cwd, environment, log)
            for question in questions:
                run(question.replace(PORT, port), folder, provide(folder / "runner", "curl"))


def environment_of(service: Mapping[str, Any], servers: Mapping[str, Any], url: str) -> dict[str, str]:
    """Give the environment of a service, with the real server's URL for that of a server of compose."""
    environment: dict[str, str] = service.get("environment", {})
    for name, server in servers.items():
        environment = on_server(environment, authority(server["environment"], name), url)
    return environment
