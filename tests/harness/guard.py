"""Kills the servers and services of the tests when the process that started them is gone.

A `finally` does it in most cases, but not where pytest itself is killed. A small process of its own waits for that: the
pipe from the tests' process closes however that ends.
"""

import atexit
import os
import subprocess
import sys
from functools import cache

# Each line on its standard input is the number of a process, which may lead a group; with a minus, it has ended.
SOURCE = """
import os, signal, sys
numbers = set()
for line in sys.stdin:
    number = int(line)
    numbers.add(number) if number > 0 else numbers.discard(-number)
for number in numbers:
    for target in (-number, number):
        try:
            os.kill(target, signal.SIGKILL)
        except OSError:
            pass
"""


@cache
def _guard() -> subprocess.Popen[bytes]:
    """Start the guard of this process, in a session that no signal of a terminal reaches."""
    command = [sys.executable, "-I", "-S", "-c", SOURCE]
    started = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
    atexit.register(started.communicate)  # its end is seen, where this process ends by itself
    return started


def watch(pid: int) -> None:
    """Kill a process, and the group that it leads, when this process ends."""
    _tell(pid)


def forget(pid: int) -> None:
    """Leave a process alone that has ended: its number may be another's by then."""
    _tell(-pid)


def _tell(number: int) -> None:
    pipe = _guard().stdin
    assert pipe is not None
    os.write(pipe.fileno(), f"{number}\n".encode())  # in one piece, whichever thread does it
