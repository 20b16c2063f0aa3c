"""A line in the log for each request, and an id that all its lines and its response have."""

import logging
import re
from http import HTTPStatus
from os import urandom
from time import perf_counter
from urllib.parse import quote

from fastapi.routing import iter_route_contexts
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.logs import current_fields
from app.web.middleware import is_health

REQUEST_ID = b"x-request-id"
SAFE_ID = re.compile(rb"[\w.:/+=-]{1,100}")
MAX_PATH = 200
LINE = "%(method)s %(route)s %(status)s in %(duration_ms)s ms"

logger = logging.getLogger(__name__)


class RequestLogMiddleware:
    """Logs each request at its end; requests for the service's health only with `debug`.

    Its id is the client's X-Request-ID where that is safe to log, and else a new one.
    """

    def __init__(self, app: ASGIApp, routes: list[BaseRoute]) -> None:
        self.app = app
        self.paths = {id(found.original_route): found.path for found in iter_route_contexts(routes)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start = end = perf_counter()
        status = None
        request_id = client_id(scope) or urandom(16).hex()
        current_fields.set({"request_id": request_id})

        async def send_with_id(message: Message) -> None:
            nonlocal status, end
            if message["type"] == "http.response.start":
                status = message["status"]
                header = (REQUEST_ID, request_id.encode())
                message["headers"] = [*message.get("headers", ()), header]
            await send(message)
            end = perf_counter()

        try:
            await self.app(scope, receive, send_with_id)
        finally:
            if status is None:  # nobody waits for a response any more
                end = perf_counter()
            self.log(scope, status, end - start)

    def log(self, scope: Scope, status: int | None, seconds: float) -> None:
        level = logging.INFO
        if is_health(scope):
            level = logging.DEBUG
        elif status is None or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            level = logging.WARNING
        if logger.isEnabledFor(level):
            fields = {
                "method": scope["method"],
                "route": self.path_of(scope),
                "status": status,
                "duration_ms": round(seconds * 1000, 1),
            }
            logger.log(level, LINE, fields)

    def path_of(self, scope: Scope) -> str:
        """Return the path as the route declares it; where there is no route, as it was sent."""
        route = scope.get("route")
        if route is None:
            return quote(scope["path"][:MAX_PATH], errors="replace")
        return self.paths.get(id(route)) or str(route.path)


def client_id(scope: Scope) -> str | None:
    """Return the id that the client gives the request, where it is short and of safe characters."""
    for name, value in scope["headers"]:
        if name == REQUEST_ID and SAFE_ID.fullmatch(value):
            return str(value, "ascii")
    return None
