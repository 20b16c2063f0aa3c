"""Middleware: limits to what a request may send and to how often a client may ask, and HEAD."""

from collections import OrderedDict
from time import monotonic_ns

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.problems import respond

SECOND = 10**9
MINUTE = 60 * SECOND
MAX_CLIENTS = 10_000


class LimitBody:
    """Refuses a body of more than `size` bytes with 413, as soon as Content-Length announces it."""

    def __init__(self, app: ASGIApp, size: int) -> None:
        self.app = app
        self.size = size

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        length = Headers(scope=scope).get("content-length", "")
        announced = int(length) if length.isdecimal() else 0
        received = 0

        async def receive_limited() -> Message:
            nonlocal received
            if announced > self.size:
                raise HTTPException(413, f"The body is larger than {self.size} bytes.")
            message = await receive()
            received += len(message.get("body", b""))
            if received > self.size:
                raise HTTPException(413, f"The body is larger than {self.size} bytes.")
            return message

        await self.app(scope, receive_limited, send)


class LimitRate:
    """Refuses with 429 what a client asks beyond `limit` requests a minute, health aside.

    A client may spend its minute at once, and earns a request back every 60 / `limit` seconds.
    Each process counts for itself, and forgets the clients that it hasn't heard of for longest.
    """

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app = app
        self.limit = limit
        self.spent_until: OrderedDict[str, int] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or is_health(scope):
            await self.app(scope, receive, send)
            return
        client = scope["client"]
        wait = self.take(client[0] if client else "")
        if wait == 0:
            await self.app(scope, receive, send)
            return
        detail = f"{self.limit} requests a minute are the most: try again in {wait} s."
        headers = {"Retry-After": str(wait)}
        response = respond(Request(scope), 429, detail, headers=headers)
        await response(scope, receive, send)

    def take(self, client: str) -> int:
        """Count a request and return 0, or return the seconds until the client may ask again."""
        now = monotonic_ns()
        cost = MINUTE // self.limit
        spent_until = max(self.spent_until.pop(client, now), now)
        wait = spent_until + cost - now - MINUTE
        self.spent_until[client] = spent_until + cost if wait <= 0 else spent_until
        if len(self.spent_until) > MAX_CLIENTS:
            self.spent_until.popitem(last=False)
        return max(-(-wait // SECOND), 0)


def is_health(scope: Scope) -> bool:
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", "")).startswith("/health/")


class AnswerHead:
    """Handles HEAD as GET (RFC 9110, section 9.3.2); the server leaves out the body."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "HEAD":
            scope = {**scope, "method": "GET"}
        await self.app(scope, receive, send)
