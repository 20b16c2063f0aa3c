"""Runs Python commands in forks of a warm process that has imported the libraries, so that none pays for imports."""

import gc
import multiprocessing
import os
import runpy
import signal
import sys
import traceback
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self

from _pytest.config import default_plugins

from tests.harness import guard

LIBRARIES = [
    *(f"_pytest.{name}" for name in default_plugins),
    "aiosqlite",
    "alembic.autogenerate",
    "alembic.command",
    "alembic.config",
    "anyio._backends._asyncio",
    "asyncmy",
    "asyncpg",
    "email_validator",
    "fastapi",
    "fastapi.middleware.cors",
    "fastapi.openapi.utils",
    "fastapi.staticfiles",
    "fastapi.testclient",
    "fastapi_offline",
    "httptools",
    "httpx2",
    "mypy.api",
    "mypy.main",
    "psycopg",
    "pydantic.v1",
    "pydantic_settings",
    "pymysql",
    "pytest",
    "schemathesis.cli",
    "sqlalchemy.dialects.mysql",
    "sqlalchemy.dialects.postgresql",
    "sqlalchemy.dialects.sqlite",
    "sqlalchemy.ext.asyncio",
    "sqlalchemy.ext.hybrid",
    "sqlalchemy.orm",
    __name__,
    "uvicorn.main",
    "uvloop",
    "websockets",
]


class CommandFailed(Exception):
    """A command ended with another status than 0, or not in time."""


@dataclass(frozen=True)
class Child:
    """A command under way in a fork; `log` holds what it printed."""

    process: ForkServerProcess
    command: Sequence[str]
    log: Path

    @property
    def pid(self) -> int:
        """Give the number of the fork."""
        assert self.process.pid is not None
        return self.process.pid

    @property
    def status(self) -> int | None:
        """Give what the command ended with, None while it runs."""
        return self.process.exitcode

    @property
    def output(self) -> str:
        """Give what the command has printed so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")


class WarmProcess:
    """Starts commands, and ends those under way when its context ends."""

    def __init__(self, folder: Path) -> None:
        """Write the logs of commands to `folder`."""
        self._folder = folder
        self._children: list[Child] = []
        self._count = 0
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(LIBRARIES)
        folder.mkdir(parents=True, exist_ok=True)

    def start(
        self,
        command: Sequence[str],
        folder: Path,
        environment: Mapping[str, str] | None = None,
        log: Path | None = None,
    ) -> Child:
        """Fork and run `command`, the arguments of a Python interpreter, in `folder` with `environment` added."""
        self._count += 1
        log = log or self._folder / f"{self._count}.log"
        words = [str(word) for word in command]
        process = self._context.Process(target=become, args=(words, folder, dict(environment or {}), log), daemon=True)
        process.start()
        assert process.pid is not None
        guard.watch(process.pid)
        child = Child(process, command, log)
        for other in self._children:
            if other.status is not None:
                guard.forget(other.pid)
        self._children = [*(other for other in self._children if other.status is None), child]
        return child

    def run(
        self,
        command: Sequence[str],
        folder: Path,
        environment: Mapping[str, str] | None = None,
        *,
        timeout: float = 300,
        check: bool = True,
    ) -> Child:
        """Run `command` as `start` does and wait for its end.

        Raises:
            CommandFailed: it didn't end in `timeout` seconds or, where `check` is set, not with status 0.

        """
        child = self.wait(self.start(command, folder, environment), timeout)
        if check and child.status != 0:
            message = f"`python {' '.join(map(str, command))}` ended with {child.status}:\n{child.output}"
            raise CommandFailed(message)
        return child

    def wait(self, child: Child, timeout: float = 300) -> Child:
        """Wait until `child` has ended.

        Raises:
            CommandFailed: it didn't within `timeout` seconds; it is killed.

        """
        child.process.join(timeout)
        if child.status is None:
            child.process.kill()
            text = f"`python {' '.join(map(str, child.command))}` ran longer than {timeout} s:\n{child.output}"
            raise CommandFailed(text)
        return child

    def stop(self, child: Child) -> None:
        """Ask `child` to end and wait for it."""
        child.process.terminate()
        self.wait(child, 30)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for child in self._children:
            child.process.kill()


def become(command: list[str], folder: Path, environment: dict[str, str], log: Path) -> NoReturn:
    """Become the Python interpreter that runs `command`, and end with its status."""
    gc.freeze()
    sys.dont_write_bytecode = False  # an option of the warm process, if PYTHONDONTWRITEBYTECODE was set for pytest
    status = 1
    try:
        os.setsid()  # the guard kills the whole group
        signal.signal(signal.SIGINT, signal.default_int_handler)
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.chdir(folder)
        os.environ.update(environment)
        interpret(command)
        status = 0
    except SystemExit as end:
        if isinstance(end.code, str):
            sys.stderr.write(end.code + "\n")
        else:
            status = end.code or 0
    except BaseException:  # noqa: BLE001 - the fork must end here whatever happens
        traceback.print_exc()
    finally:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(status)


def interpret(command: list[str]) -> None:
    """Run `[-W FILTER] -m MODULE …`, `[-W FILTER] -c CODE …` or `[-W FILTER] SCRIPT …` as the interpreter would."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "tests"]:
        del sys.modules[name]  # the project's own are imported
    sys.path = [str(Path.cwd()), *(path for path in sys.path if not (Path(path) / "tests/harness").exists())]
    if command[0] == "-W":
        warnings.simplefilter(command[1])  # type: ignore[arg-type]
        command = command[2:]
    kind, *rest = command
    if kind == "-m":
        sys.argv = rest
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    elif kind == "-c":
        sys.argv = ["-c", *rest[1:]]
        exec(compile(rest[0], "<string>", "exec"), {"__name__": "__main__"})  # noqa: S102
    else:
        sys.argv = command
        runpy.run_path(kind, run_name="__main__")
