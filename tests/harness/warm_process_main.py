"""The program of `warm_process.py`: it forks for each command that a JSON line on its standard input asks for.

It writes a line to its standard output when it has forked, and one when the fork has ended.
"""

import gc
import importlib
import json
import os
import runpy
import select
import signal
import sys
import traceback
import warnings
from pathlib import Path
from typing import Any, NoReturn

WARM = (
    "aiosqlite",
    "alembic.autogenerate",
    "alembic.command",
    "alembic.config",
    "asyncmy",
    "asyncpg",
    "email_validator",
    "fastapi",
    "fastapi.openapi.utils",
    "fastapi.testclient",
    "httptools",
    "httpx2",
    "mypy.api",
    "mypy.main",
    "psycopg",
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
    "uvicorn.main",
    "uvloop",
    "websockets",
)


def main() -> None:
    """Import the libraries, then serve commands until standard input ends."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in WARM:
            importlib.import_module(name)
    gc.collect()
    gc.freeze()
    waker, wakened = os.pipe()
    os.set_blocking(wakened, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wakened)
    received = b""
    while True:
        ready, _, _ = select.select([0, waker], [], [])
        if waker in ready:
            os.read(waker, 65536)
            report_ended()
        if 0 in ready:
            chunk = os.read(0, 65536)
            if not chunk:
                return
            *lines, received = (received + chunk).split(b"\n")
            for line in lines:
                request = json.loads(line)
                pid = os.fork()
                if pid == 0:
                    obey(request)
                answer(forked=pid)


def answer(**message: int) -> None:
    """Write a message to the parent."""
    os.write(1, json.dumps(message).encode() + b"\n")


def report_ended() -> None:
    """Tell the parent of each fork that has ended."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        answer(ended=pid, status=os.waitstatus_to_exitcode(status))


def obey(request: dict[str, Any]) -> NoReturn:
    """Become the Python interpreter that `request` asks for, and end with its status."""
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.chdir(request["folder"])
        os.environ.update(request["environment"])
        run(request["command"])
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


def run(command: list[str]) -> None:
    """Run `[-W FILTER] -m MODULE …`, `[-W FILTER] -c CODE …` or `[-W FILTER] SCRIPT …` as the interpreter would."""
    if command[0] == "-W":
        warnings.simplefilter(command[1])  # type: ignore[arg-type]
        command = command[2:]
    sys.path[0] = str(Path.cwd())
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


if __name__ == "__main__":
    main()
