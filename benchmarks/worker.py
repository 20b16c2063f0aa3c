"""Serves an application on one core, as a single worker.

Run as `python worker.py FILE CORE APPLICATION [OPTION]`; the port is written to FILE once connections queue up on it.
APPLICATION is `MODULE:NAME`, and a function that makes one where NAME is `create_app`.
OPTION is `log` for a log of the accesses, `asyncio` for the loop of Python's own, `h11` for the parser that is written
in Python, or `granian` for that server in place of uvicorn.
"""

import asyncio
import os
import socket
import sys
from pathlib import Path

import uvicorn
import uvloop
from granian.constants import Interfaces
from granian.server.embed import Server as Granian
from uvicorn.importer import import_from_string

FACTORY = ":create_app"


def announce(file: Path, port: int) -> None:
    """Write the port, whole or not at all."""
    draft = file.with_suffix(".draft")
    draft.write_text(str(port))
    draft.rename(file)


def serve(file: Path, application: str, option: str) -> None:
    """Serve with uvicorn, until a signal ends it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        announce(file, listener.getsockname()[1])
        logged = option == "log"
        config = uvicorn.Config(
            application,
            factory=application.endswith(FACTORY),
            access_log=logged,
            log_level="info" if logged else "warning",
            timeout_keep_alive=3600,
            loop="asyncio" if option == "asyncio" else "uvloop",
            http="h11" if option == "h11" else "httptools",
        )
        uvicorn.Server(config).run(sockets=[listener])


async def serve_granian(file: Path, application: str) -> None:
    """Serve with granian, until a signal ends the process."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    target = import_from_string(application)
    target = target() if application.endswith(FACTORY) else target
    server = Granian(target, port=port, interface=Interfaces.ASGI, log_enabled=False)
    serving = asyncio.create_task(server.serve())
    while not serving.done():
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            announce(file, port)
            break
    await serving


def main(file: str, core: str, application: str, option: str = "") -> None:
    """Serve the application of the working folder."""
    os.sched_setaffinity(0, {int(core)})
    sys.path.insert(0, str(Path.cwd()))
    if option == "granian":
        uvloop.run(serve_granian(Path(file), application))
    else:
        serve(Path(file), application, option)


if __name__ == "__main__":
    main(*sys.argv[1:])
