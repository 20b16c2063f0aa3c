"""Nothing that a run of the tests has started outlives it."""

import os
import select
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from tests.harness.variants import ROOT

PATIENCE = 60.0
SERVER = """
import subprocess, sys, time
pipe = open(sys.argv[1], "w")
print(end="x", file=pipe, flush=True)
if len(sys.argv) > 2:
    subprocess.Popen([sys.executable, "-c", sys.argv[2], sys.argv[1]])
time.sleep(600)
"""
RUN = """
import sys, time
from pathlib import Path
from tests.harness import servers
from tests.harness.warm_process import WarmProcess

servers.identify = lambda _: None  # the server is no database
folder, *arguments = sys.argv[1:]
folder, command = Path(folder), ["-c", arguments[1], *arguments]
with WarmProcess(folder) as warm, servers.process([sys.executable, *command], folder / "log", None, ""):
    warm.start(command, folder)
    time.sleep(600)
"""


def test_killed_run_leaves_no_process(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    run = subprocess.Popen([sys.executable, "-c", RUN, tmp_path, pipe, SERVER], cwd=ROOT)
    deadline, started = time.monotonic() + PATIENCE, b""
    while len(started) < 4:  # a server, a command of the warm process, and a child of each
        assert time.monotonic() < deadline
        assert run.poll() is None
        select.select([reader], [], [], 1)
        with suppress(BlockingIOError):
            started += os.read(reader, 4)
    run.kill()
    run.wait()
    readable, _, _ = select.select([reader], [], [], PATIENCE)
    assert readable, "some of them still have the pipe open"
    assert os.read(reader, 1) == b""
    os.close(reader)
