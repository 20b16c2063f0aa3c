"""Runs a command of Python in this process, such as `python -m app serve`, whose clock SIGUSR1 sets back by an hour."""

import datetime as dt
import runpy
import signal
import sys

import time_machine

BACK = dt.timedelta(hours=1)


def set_back(*_signal: object) -> None:
    """Let the clock that Python's code reads be an hour behind from now on; the monotonic clock goes on."""
    time_machine.travel(dt.datetime.now(dt.UTC) - BACK, tick=True).start()


if __name__ == "__main__":
    _, _python, _m, module, *arguments = sys.argv
    sys.argv = [module, *arguments]
    sys.path.insert(0, "")
    signal.signal(signal.SIGUSR1, set_back)
    runpy.run_module(module, run_name="__main__", alter_sys=True)
