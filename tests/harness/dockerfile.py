"""Runs what a Dockerfile and a compose.yaml hold, outside a container.

A stage becomes a folder, and every stage is built at the same path: paths that a build writes into its files then stay
true after `COPY --from`, as they do in an image. What would need an engine (a base image, an owner, a mount) is checked
by its form alone.
"""

import json
import os
import re
import shlex
import shutil
import string
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import yaml

TOOLS = Path(sys.executable).parent
SECONDS = 600
TAG = re.compile(r"[\w./-]+:[\w.-]*\d[\w.-]*")


class Failed(Exception):
    """A command that a file holds didn't end well."""


def tool(name: str) -> str:
    """Give the path of a program that the tests need.

    Raises:
        Failed: neither the tests' environment nor PATH has it.

    """
    found = shutil.which(name, path=f"{TOOLS}{os.pathsep}{os.environ.get('PATH', '')}")
    if found is None:
        message = f"{name} is missing: install the development dependencies, then try again."
        raise Failed(message)
    return found


def machine(folder: Path, *programs: str) -> dict[str, str]:
    """Give the environment of a plain machine that has `programs` too, by links in `folder`.

    What this machine happens to set or to have is left out: a command finds nothing that its file doesn't provide.
    """
    dropped = ("COPIER_", "DATABASE_", "DB_", "MYSQL_", "PG", "PYTEST_", "PYTHON", "TEST_", "VIRTUAL_ENV")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(dropped)}
    folder.mkdir(parents=True, exist_ok=True)
    for program in programs:
        link = folder / Path(program).name
        if not link.exists():
            link.symlink_to(tool(link.name))
    return kept | {"PATH": f"{folder}{os.pathsep}{os.defpath}", "UV_PYTHON": sys.executable}


def run(command: str | list[str], cwd: Path, environment: Mapping[str, str]) -> str:
    """Run a command as a shell that stops at the first failure does, or as it stands; give what it printed.

    Raises:
        Failed: it ended with another status than 0.

    """
    argv = ["bash", "-e", "-c", command] if isinstance(command, str) else command
    done = subprocess.run(
        argv,
        cwd=cwd,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    if done.returncode:
        shown = command if isinstance(command, str) else shlex.join(command)
        message = f"`{shown}` ended with {done.returncode} in {cwd}:\n{done.stdout}"
        raise Failed(message)
    return done.stdout


@dataclass
class Image:
    """What the last stage of a Dockerfile leaves: a folder that stands for /, and how to run it."""

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

    def outside(self, text: str) -> str:
        """Replace the image's own absolute paths in a text with their place on this machine."""
        return re.sub(r"(?<![\w./])/srv(?=[/:]|$)", str(self.root / "srv"), text)

    @property
    def cwd(self) -> Path:
        """Give the working directory."""
        return self.path(".")

    def files(self) -> dict[str, int]:
        """Give every file of the image with the time of its last change."""
        return {
            path.relative_to(self.root).as_posix(): path.lstat().st_mtime_ns
            for path in self.root.rglob("*")
            if not path.is_dir()
        }


def instructions(dockerfile: str) -> Iterator[tuple[str, str]]:
    """Give each instruction of a Dockerfile with its argument, continued lines joined."""
    lines = [line for line in dockerfile.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    for line in filter(None, map(str.strip, joined.splitlines())):
        name, _, argument = line.partition(" ")
        yield name, argument.strip()


def context(project: Path, destination: Path) -> Path:
    """Copy what `.dockerignore` lets into a build, where it excludes all but the names it lists.

    Raises:
        Failed: a line is of a form that this doesn't know.

    """
    lines = (project / ".dockerignore").read_text(encoding="utf-8").splitlines()
    excluded, *rest = [line for line in lines if line and not line.startswith("#")]
    kept = [line[1:] for line in rest if line.startswith("!")]
    anywhere = [line[3:] for line in rest if line.startswith("**/")]
    if excluded != "*" or len(kept) + len(anywhere) != len(rest):
        message = f".dockerignore has lines that tests/harness/dockerfile.py can't read: {lines}"
        raise Failed(message)
    destination.mkdir()
    for name in kept:
        source = project / name
        if source.is_dir():
            shutil.copytree(source, destination / name, ignore=shutil.ignore_patterns(*anywhere))
        elif source.exists():
            shutil.copy2(source, destination / name)
    return destination


class Builder:
    """Builds the image of a project's Dockerfile in a folder of its own."""

    def __init__(self, project: Path, folder: Path) -> None:
        """Get ready to build `project` in `folder`, which must not exist."""
        folder.mkdir(parents=True)
        self.folder = folder
        self.dockerfile = (project / "Dockerfile").read_text(encoding="utf-8")
        self.context = context(project, folder / "context")
        self.stages: dict[str, Image] = {}
        self.image: Image | None = None
        self.name = ""
        self.ran: list[str] = []

    def build(self) -> Image:
        """Follow the Dockerfile to its end.

        Raises:
            Failed: an instruction fails, or is one that this doesn't know.

        """
        for name, argument in instructions(self.dockerfile):
            step = getattr(self, f"_{name.lower()}", None)
            if step is None:
                message = f"tests/harness/dockerfile.py doesn't know the instruction {name}: teach it."
                raise Failed(message)
            step(argument)
        return self._current()

    def _current(self) -> Image:
        if self.image is None:
            message = "The Dockerfile begins with something else than FROM."
            raise Failed(message)
        return self.image

    def _from(self, argument: str) -> None:
        base, _, name = argument.partition(" AS ")
        if not TAG.fullmatch(base):
            message = f"FROM {base} names no version."
            raise Failed(message)
        root = self.folder / "root"
        if self.image is not None:
            finished = self.folder / f"stage-{self.name}"
            root.rename(finished)
            self.image.root = finished
            self.stages[self.name] = self.image
        root.mkdir()
        self.name = name
        self.image = Image(root, machine(self.folder / f"tools-{name}"))

    def _env(self, argument: str) -> None:
        image = self._current()
        for pair in shlex.split(argument):
            key, _, value = pair.partition("=")
            value = string.Template(value).substitute(image.environment)
            image.environment[key] = image.outside(value)

    def _workdir(self, argument: str) -> None:
        image = self._current()
        image.workdir = argument
        image.cwd.mkdir(parents=True, exist_ok=True)

    def _copy(self, argument: str) -> None:
        image = self._current()
        words = shlex.split(argument)
        options = dict(word[2:].split("=", 1) for word in words if word.startswith("--"))
        *sources, target = [word for word in words if not word.startswith("--")]
        origin = options.get("from", "")
        if origin and origin not in self.stages:
            if not TAG.fullmatch(origin):
                message = f"COPY --from={origin} names neither a stage nor a version."
                raise Failed(message)
            machine(self.folder / f"tools-{self.name}", *sources)
            return
        root = self.stages[origin].root if origin else self.context
        for source in sources:
            self._copy_one(root, source, image.path(target), into_folder=target.endswith("/"))
        if "chown" in options:
            image.owned.add(f"{options['chown']} {image.path(target).relative_to(image.root)}")

    def _copy_one(self, root: Path, source: str, target: Path, *, into_folder: bool) -> None:
        pattern = source.lstrip("/")
        found = sorted(root.glob(pattern))
        if not found and "*" not in pattern:
            message = f"COPY finds no {source}: it is missing, or .dockerignore keeps it out."
            raise Failed(message)
        for path in found:
            if path.is_dir():
                shutil.copytree(path, target, symlinks=True, dirs_exist_ok=True)
            else:
                shutil.copy2(path, target / path.name if into_folder else target)

    def _run(self, argument: str) -> None:
        image = self._current()
        command = re.sub(r"^(--mount=\S+\s+)+", "", argument)
        self.ran.append(command)
        run(command, image.cwd, image.environment)

    def _user(self, argument: str) -> None:
        self._current().user = argument

    def _expose(self, argument: str) -> None:
        if not argument.isdecimal():
            message = f"EXPOSE {argument} is no port."
            raise Failed(message)

    def _healthcheck(self, argument: str) -> None:
        self._current().health = json.loads(argument.partition("CMD ")[2])

    def _cmd(self, argument: str) -> None:
        self._current().command = json.loads(argument)


def interpolate(text: str, variables: Mapping[str, str]) -> str:
    """Fill in `${NAME:-default}` as compose does."""

    def value(found: re.Match[str]) -> str:
        return variables.get(found["name"]) or found["default"]

    filled = re.sub(r"\$\{(?P<name>\w+):-(?P<default>[^}]*)\}", value, text)
    if "$" in filled:
        message = f"{text} has a variable without a default."
        raise Failed(message)
    return filled


def compose(project: Path, variables: Mapping[str, str] | None = None) -> dict[str, dict[str, Any]]:
    """Read the services of a compose.yaml, in the order in which compose starts them."""
    text = (project / "compose.yaml").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    document = yaml.safe_load(interpolate("\n".join(lines), variables or {}))
    services: dict[str, dict[str, Any]] = document["services"]
    order = TopologicalSorter({name: service.get("depends_on", {}) for name, service in services.items()})
    return {name: services[name] for name in order.static_order()}
