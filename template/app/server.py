"""Runs uvicorn: in one process, or in several that end together."""

import gc
import logging
import os
import signal
import sys
from multiprocessing import parent_process
from multiprocessing.process import BaseProcess
from threading import Thread
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from app.main import create_app


class Workers(Multiprocess):
    """Processes that serve at one address."""

    def terminate_all(self) -> None:
        """End the processes; the address first, where a new request would wait for none of them."""
        for listener in self.sockets:
            listener.close()
        super().terminate_all()


def run(workers: int, *, reload: bool, **options: Any) -> None:
    """Serve until a signal ends it. The options are uvicorn's; raise SystemExit without a start."""
    arguments = {
        "app": "app.server:create_served_app",
        "factory": True,
        "http": "app.web.protocol:Http",
        "log_config": None,
        "access_log": False,
        "workers": workers,
        "reload": reload,
        **options,
    }
    if workers == 1 or reload:
        uvicorn.run(**arguments)
        return
    config = uvicorn.Config(**arguments)
    supervisor = Workers(config, [config.bind_socket()])
    supervisor.run()
    if any(process.exitcode == STARTUP_FAILURE for process in supervisor.processes):
        sys.exit(STARTUP_FAILURE)


def create_served_app() -> FastAPI:
    """Return the application of a process that serves.

    A worker gets SIGTERM when the process that started it is gone: after SIGKILL it would serve on,
    and keep the port.
    """
    supervisor = parent_process()

    def follow(process: BaseProcess) -> None:
        process.join()
        os.kill(os.getpid(), signal.SIGTERM)

    if supervisor is not None:
        Thread(target=follow, args=(supervisor,), daemon=True).start()
    try:
        app = create_app()
    except Exception:
        logging.getLogger("uvicorn.error").exception("The application can't be built.")
        # After another code, uvicorn would start workers again and again.
        sys.exit(STARTUP_FAILURE)
    tune_gc()
    return app


def tune_gc() -> None:
    """Leave what the process has at its start out of garbage collection: it stays to the end.

    Else each full collection walks all of it, and the JSON of a large body makes many of them:
    340,000 empty lists held the event loop for 0.4 s, in place of 0.1.
    """
    gc.collect()
    gc.freeze()
