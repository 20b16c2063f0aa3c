"""Serves an application on one core, as a single worker, with a log of its accesses where `log` is asked for.

Run as `python worker.py FILE CORE APPLICATION [log]`; the port is written to FILE once connections queue up on it.
"""

import os
import socket
import sys
from pathlib import Path

import uvicorn

os.sched_setaffinity(0, {int(sys.argv[2])})
sys.path.insert(0, str(Path.cwd()))
with socket.create_server(("127.0.0.1", 0)) as listener:
    target = Path(sys.argv[1])
    draft = target.with_suffix(".draft")
    draft.write_text(str(listener.getsockname()[1]))
    draft.rename(target)
    logged = sys.argv[4:] == ["log"]
    level = "info" if logged else "warning"
    config = uvicorn.Config(sys.argv[3], access_log=logged, log_level=level, timeout_keep_alive=3600)
    uvicorn.Server(config).run(sockets=[listener])
