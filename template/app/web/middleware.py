"""Middleware: limits to bodies and to the rate of requests, HEAD, and headers for browsers."""

from collections import OrderedDict
from math import ceil
from time import monotonic_ns

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.problems import respond

SECOND = 10**9  # nanoseconds
MINUTE = 60 * SECOND
MAX_CLIENTS = 10_000
SECURITY_HEADERS = ((b"x-content-type-options", b"nosniff"), (b"referrer-policy", b"no-referrer"))
STAY_ON_TLS = (b"strict-transport-security", b"max-age=31536000")  # a year


class BodyLimitMiddleware:
    """Answers 413 to a body of more than `size` bytes, before it is read if its length is given.

    FastAPI's own `max_body_size` answers that in plain text.
    """

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


class RateLimitMiddleware:
    """Answers 429 to a client that sends more than `limit` requests a minute, health aside.

    A client may send them all at once, and is allowed another every 60 / `limit` seconds. Each
    process counts for itself, and forgets the clients that have been silent for longest.
    """

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app = app
        self.limit = limit
        # For each client, when all of its requests are allowed again.
        self.full_again: OrderedDict[str, int] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or is_health(scope):
            await self.app(scope, receive, send)
            return
        client = scope["client"]
        wait = self.hit(client[0] if client else "")
        if wait == 0:
            await self.app(scope, receive, send)
            return
        detail = f"More than {self.limit} requests a minute: try again in {wait} s."
        headers = {"Retry-After": str(wait)}
        response = respond(Request(scope), 429, detail, headers=headers)
        await response(scope, receive, send)

    def hit(self, client: str) -> int:
        """Count a request and return 0, or return the seconds until the client may try again."""
        now = monotonic_ns()
        cost = MINUTE // self.limit
        full_again = max(self.full_again.pop(client, now), now)
        wait = full_again + cost - now - MINUTE
        self.full_again[client] = full_again if wait > 0 else full_again + cost
        if len(self.full_again) > MAX_CLIENTS:
            self.full_again.popitem(last=False)
        return max(ceil(wait / SECOND), 0)


def is_health(scope: Scope) -> bool:
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", "")).startswith("/health/")


class HeadMiddleware:
    """Handles HEAD as GET (RFC 9110, section 9.3.2); the server leaves out the body."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "HEAD":
            as_get = {**scope, "method": "GET"}
            await self.app(as_get, receive, send)
            scope["route"] = as_get.get("route")
        else:
            await self.app(scope, receive, send)


class SecurityHeadersMiddleware:
    """Lets browsers guess no content type, send no referrer and, after TLS, use nothing else."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        is_tls = scope.get("scheme") == "https"
        ours = (*SECURITY_HEADERS, STAY_ON_TLS) if is_tls else SECURITY_HEADERS

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = [*message.get("headers", ())]
                names = {name for name, _ in given}
                message["headers"] = [*given, *(one for one in ours if one[0] not in names)]
            await send(message)

        await self.app(scope, receive, send_with_headers)
