"""A rendered project's service that says with each response, in the header `Statements`, how many it executed.

It counts for one request at a time.
"""

from importlib import import_module
from typing import Any

from sqlalchemy import Engine, event


class CountStatements:
    """ASGI middleware that counts the statements of all engines, those that begin a transaction left out."""

    def __init__(self, app: Any) -> None:
        """Wrap `app`."""
        self._app = app
        self._count = 0
        event.listen(Engine, "before_cursor_execute", self._before_cursor_execute)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request."""
        self._count = 0

        async def send_with_count(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"statements", str(self._count).encode())]
            await send(message)

        await self._app(scope, receive, send_with_count)

    def _before_cursor_execute(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        self._count += not statement.startswith(("BEGIN", "PRAGMA"))


def create_app() -> CountStatements:
    """Create the service of the project in the working folder."""
    return CountStatements(import_module("app.main").create_app())
