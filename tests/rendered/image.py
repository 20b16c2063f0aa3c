"""Builds the image of a project's Dockerfile, and runs the services of its compose.yaml, without an engine.

A stage becomes a folder, and every stage is built at the same path: paths that a build writes into its files then stay
true after `COPY --from`, as they do in an image. Base images, owners and mounts are left to the linters.
"""

import json
import os
import re
import shlex
import shutil
import signal
import string
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml

from tests.harness.commands import Failed, machine, run
from tests.harness.servers import free_port

PORT = "8000"
SECONDS_TO_START = 60
SECONDS_TO_STOP = 20


@dataclass
class Image:
    """What a stage of a Dockerfile leaves: a folder that stands for /, and how to run it."""

    root: Path
    environment: dict[str, str]
    workdir: str = "/"
    user: str = ""
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)
    owned: set[str] = field(default_factory=set)

    def path(self, inside: str) -> Path:
        """Give the place of a path of the image, which counts from its working directory, on this machine."""
        return self.root / os.path.normpath(os.path.join(self.workdir, inside)).lstrip("/")  # noqa: PTH118

    @property
    def cwd(self) -> Path:
        """Give the working directory."""
        return self.path(".")

    def files(self) -> dict[str, int]:
        """Give every file of the image with the time of its last change."""
        paths = (path for path in self.root.rglob("*") if not path.is_dir())
        return {path.relative_to(self.root).as_posix(): path.lstat().st_mtime_ns for path in paths}

    def copy(self, origin: Path, sources: list[str], target: str) -> None:
        """Copy what `COPY` names, from another stage or from the build's context."""
        for source in sources:
            found = sorted(origin.glob(source.lstrip("/")))
            if not found and "*" not in source:
                raise Failed(f"COPY finds no {source}: it is missing, or .dockerignore keeps it out.")
            for path in found:
                place = self.path(target)
                if path.is_dir():
                    shutil.copytree(path, place, symlinks=True, dirs_exist_ok=True)
                else:
                    shutil.copy2(path, place / path.name if target.endswith("/") else place)


def build(project: Path, folder: Path) -> Image:  # noqa: C901, PLR0912 - a case for each instruction
    """Follow the Dockerfile of a project, in a new folder.

    Raises:
        Failed: an instruction fails, or is one that this doesn't know.

    """
    folder.mkdir(parents=True)
    context = copy_context(project, folder / "context")
    root = folder / "root"
    stages: dict[str, Image] = {}
    image, stage = Image(root, {}), ""
    for name, argument in instructions((project / "Dockerfile").read_text(encoding="utf-8")):
        words = [word for word in shlex.split(argument) if not word.startswith("--")]
        options = dict(re.findall(r"--(\w+)=(\S+)", argument))
        match name:
            case "FROM":
                if stage:
                    image.root = root.rename(folder / f"stage-{stage}")
                    stages[stage] = image
                root.mkdir()
                stage = words[-1]
                image = Image(root, machine(folder / f"tools-{len(stages)}"))
            case "ENV":
                for key, _, value in (word.partition("=") for word in words):
                    filled = string.Template(value).substitute(image.environment)
                    image.environment[key] = re.sub(r"(?<![\w./])/srv(?=[/:]|$)", str(root / "srv"), filled)
            case "WORKDIR":
                image.workdir = argument
                image.cwd.mkdir(parents=True, exist_ok=True)
            case "COPY" if options.get("from", "").startswith("astral/uv:"):
                machine(folder / f"tools-{len(stages)}", *words[:-1])
            case "COPY":
                origin = stages[options["from"]].root if "from" in options else context
                image.copy(origin, words[:-1], words[-1])
                if "chown" in options:
                    image.owned.add(f"{options['chown']} {image.path(words[-1]).relative_to(root)}")
            case "RUN":
                run(re.sub(r"^(--mount=\S+\s+)+", "", argument), image.cwd, image.environment)
            case "USER":
                image.user = argument
            case "HEALTHCHECK":
                image.health = json.loads(argument.partition("CMD ")[2])
            case "CMD":
                image.command = json.loads(argument)
            case "EXPOSE":
                assert argument == PORT
            case _:
                raise Failed(f"tests/rendered/image.py doesn't know the instruction {name}: teach it.")
    return image


def instructions(dockerfile: str) -> Iterator[tuple[str, str]]:
    """Give each instruction of a Dockerfile with its argument, continued lines joined."""
    lines = [line for line in dockerfile.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    for line in filter(None, map(str.strip, joined.splitlines())):
        name, _, argument = line.partition(" ")
        yield name, argument.strip()


def copy_context(project: Path, destination: Path) -> Path:
    """Copy what `.dockerignore` lets into a build: it excludes all but the names that it lists."""
    text = (project / ".dockerignore").read_text(encoding="utf-8")
    excluded, *rest = [line for line in text.splitlines() if line and not line.startswith("#")]
    kept = [line[1:] for line in rest if line.startswith("!")]
    anywhere = [line[3:] for line in rest if line.startswith("**/")]
    assert (excluded, len(kept) + len(anywhere)) == ("*", len(rest)), f"lines that this can't read: {rest}"
    destination.mkdir()
    for source in (project / name for name in kept):
        if source.is_dir():
            shutil.copytree(source, destination / source.name, ignore=shutil.ignore_patterns(*anywhere))
        elif source.exists():
            shutil.copy2(source, destination / source.name)
    return destination


def services_of(project: Path, variables: Mapping[str, str] | None = None) -> dict[str, dict[str, Any]]:
    """Read the services of a compose.yaml, in the order in which compose starts them, `${NAME:-default}` filled in."""
    values = variables or {}
    text = (project / "compose.yaml").read_text(encoding="utf-8")
    filled = re.sub(r"\$\{(\w+):-([^}]*)\}", lambda found: values.get(found[1]) or found[2], text)
    services: dict[str, dict[str, Any]] = yaml.safe_load(filled)["services"]
    order = TopologicalSorter({name: service.get("depends_on", {}) for name, service in services.items()})
    return {name: services[name] for name in order.static_order()}


def run_services(project: Path, image: Image, folder: Path, url: str, inside: list[str]) -> None:
    """Run the services of a project's compose.yaml that are of the image, with the database at `url` for its own.

    `inside` is a command to run in the container of the service, once that is healthy.

    Raises:
        Failed: one of them doesn't end well, or says that it is healthy when it isn't.

    """
    # Our copies of a container's files are in a temporary folder, and the service is told that they aren't.
    (folder / "temporary").mkdir()
    image.environment["TMPDIR"] = str(folder / "temporary")
    assert image.environment["SERVER_PORT"] == PORT
    port = image.environment["SERVER_PORT"] = str(free_port())
    command, health = image.command, image.health
    services = services_of(project)
    for name, service in services.items():
        if "build" not in service:
            continue
        environment = image.environment | on_server(service.get("environment", {}), services, url)
        if "command" in service:
            run(service["command"], image.cwd, environment)
            continue
        for extra in commands_in_comments(project):
            run(extra, image.cwd, environment)
        with pytest.raises(Failed):
            run(health, image.cwd, environment)
        with serving(command, image.cwd, environment, folder / f"{name}.log"):
            wait_until_healthy(health, image.cwd, environment)
            run([word.replace(PORT, port) for word in inside], image.cwd, environment)
            assert httpx2.get(f"http://127.0.0.1:{port}/health/ready").status_code == httpx2.codes.OK


def on_server(environment: Mapping[str, str], servers: Mapping[str, Any], url: str) -> dict[str, str]:
    """Give an environment with the URL of a real database for a server's, which must name what is set up there."""
    replaced = dict(environment)
    for key, value in environment.items():
        if "://" in value:
            address = value.rpartition("@")[2].partition("/")[0]
            assert value.partition("://")[2] == authority(servers[address]["environment"], address)
            replaced[key] = url
    return replaced


def authority(environment: Mapping[str, str], address: str) -> str:
    """Give the part of a URL that names the user, the password, the address and the database of a server's set-up."""
    values = {key.partition("_")[2]: value for key, value in environment.items()}
    name = values.get("DB") or values["DATABASE"]
    account = f"{values['USER']}:{values['PASSWORD']}" if "USER" in values else f"root:{values['ROOT_PASSWORD']}"
    return f"{account}@{address}/{name}"


def commands_in_comments(project: Path) -> list[list[str]]:
    """Give what the comments of a compose.yaml tell to run in a container of the service."""
    text = (project / "compose.yaml").read_text(encoding="utf-8")
    found = re.findall(r"^# `docker compose run --rm app ([^`]+)`", text, re.MULTILINE)
    return [shlex.split(command) for command in found]


@contextmanager
def serving(command: list[str], cwd: Path, environment: Mapping[str, str], log: Path) -> Iterator[None]:
    """Run a service until the block ends, then stop it as an engine does, which must end well."""
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(command, cwd=cwd, env=dict(environment), stdout=output, stderr=output)
    try:
        yield
        assert process.poll() is None, log.read_text(encoding="utf-8")
        process.send_signal(signal.SIGTERM)
        status = process.wait(SECONDS_TO_STOP)
        assert status in {0, -signal.SIGTERM}, log.read_text(encoding="utf-8")
    finally:
        process.kill()
        process.wait()


def wait_until_healthy(command: list[str], cwd: Path, environment: Mapping[str, str]) -> None:
    """Run a health command until it ends well; raises Failed where it doesn't in time."""
    end = time.monotonic() + SECONDS_TO_START
    while True:
        try:
            run(command, cwd, environment)
        except Failed:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)
        else:
            return
