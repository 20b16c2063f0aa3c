"""Runs Python commands in forks of a warm process that has imported the libraries, so that none pays for imports."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self


class CommandFailed(Exception):
    """A command ended with another status than 0, or not in time."""


@dataclass
class Child:
    """A command under way in a fork; `log` holds what it printed."""

    pid: int
    command: Sequence[str]
    log: Path
    status: int | None = field(default=None)

    @property
    def output(self) -> str:
        """Give what the command has printed so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")


class WarmProcess:
    """The warm process, as its parent sees it. Use it as a context manager."""

    def __init__(self, folder: Path) -> None:
        """Start it; logs of commands go to `folder`."""
        self._folder = folder
        self._count = 0
        self._received = b""
        self._children: dict[int, Child] = {}
        folder.mkdir(parents=True, exist_ok=True)
        self._process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("warm_process_main.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )

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
        request = {
            "command": [str(part) for part in command],
            "folder": str(folder),
            "environment": dict(environment or {}),
            "log": str(log),
        }
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        self._process.stdin.flush()
        while (message := self._receive(None)) and "forked" not in message:
            self._note(message)
        assert message is not None
        child = Child(message["forked"], command, log)
        self._children[child.pid] = child
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
        child = self.start(command, folder, environment)
        self.wait(child, timeout)
        if check and child.status != 0:
            message = f"`python {' '.join(map(str, command))}` ended with {child.status}:\n{child.output}"
            raise CommandFailed(message)
        return child

    def wait(self, child: Child, timeout: float = 300) -> Child:
        """Wait until `child` has ended.

        Raises:
            CommandFailed: it didn't within `timeout` seconds; it is killed.

        """
        deadline = time.monotonic() + timeout
        while child.status is None:
            message = self._receive(max(0, deadline - time.monotonic()))
            if message is None:
                os.kill(child.pid, signal.SIGKILL)
                text = f"`python {' '.join(map(str, child.command))}` ran longer than {timeout} s:\n{child.output}"
                raise CommandFailed(text)
            self._note(message)
        return child

    def ended(self, child: Child) -> bool:
        """Tell whether `child` has ended."""
        while child.status is None and (message := self._receive(0)):
            self._note(message)
        return child.status is not None

    def stop(self, child: Child) -> None:
        """Ask `child` to end and wait for it."""
        if not self.ended(child):
            os.kill(child.pid, signal.SIGTERM)
            self.wait(child, 30)

    def close(self) -> None:
        """End the warm process and the commands under way."""
        for child in list(self._children.values()):
            if not self.ended(child):
                os.kill(child.pid, signal.SIGKILL)
        with self._process:
            assert self._process.stdin is not None
            self._process.stdin.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _receive(self, timeout: float | None) -> dict[str, Any] | None:
        """Give the next message, or None when `timeout` seconds have passed without one."""
        assert self._process.stdout is not None
        while b"\n" not in self._received:
            ready, _, _ = select.select([self._process.stdout], [], [], timeout)
            if not ready:
                return None
            chunk = os.read(self._process.stdout.fileno(), 65536)
            if not chunk:
                raise CommandFailed(f"the warm process ended with {self._process.wait()}")
            self._received += chunk
        line, self._received = self._received.split(b"\n", 1)
        decoded: dict[str, Any] = json.loads(line)
        return decoded

    def _note(self, message: dict[str, Any]) -> None:
        child = self._children.pop(message["ended"])
        child.status = message["status"]
