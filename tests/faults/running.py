"""Runs programs beside the servers of the tests."""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.harness import guard


@contextmanager
def running(
    command: Sequence[str | Path], log: Path, *, environment: Mapping[str, str] | None = None, user: str | None = None
) -> Iterator[None]:
    """Run a program and what it starts until the end, as `user` if that is given."""
    with log.open("wb") as output:
        started = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment,
            user=user,
            cwd="/",
            start_new_session=True,
        )
    guard.watch(started.pid)
    try:
        yield
    finally:
        os.killpg(started.pid, signal.SIGKILL)
        started.wait()
        guard.forget(started.pid)
