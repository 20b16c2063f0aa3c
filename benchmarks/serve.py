"""Serves `app.main:create_app` of the folder it runs in, and says with each response how many statements it took.

Run as `python serve.py FILE`; the port is written to FILE once connections queue up on it. One request is served at a
time, so that a single count will do.
"""

import socket
import sys
from pathlib import Path
from typing import Any

import uvicorn
from sqlalchemy import Engine, event
from uvicorn.importer import import_from_string


class Counting:
    """The application, with a header `Statements` in its responses."""

    def __init__(self, app: Any) -> None:
        """Count what every engine of this process executes from now on."""
        self._app = app
        self._count = 0
        event.listen(Engine, "before_cursor_execute", self._note)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request."""
        self._count = 0

        async def send_with_count(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"statements", str(self._count).encode())]
            await send(message)

        await self._app(scope, receive, send_with_count)

    def _note(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        self._count += not statement.startswith(("BEGIN", "PRAGMA"))


with socket.create_server(("127.0.0.1", 0)) as listener:
    target = Path(sys.argv[1])
    draft = target.with_suffix(".draft")
    draft.write_text(str(listener.getsockname()[1]))
    draft.rename(target)
    service = Counting(import_from_string("app.main:create_app")())
    config = uvicorn.Config(service, access_log=False, log_level="warning", timeout_keep_alive=3600)
    uvicorn.Server(config).run(sockets=[listener])
