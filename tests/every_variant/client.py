"""Calls an ASGI application in this thread: no socket and no server between a check and what it calls."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

import httpx2
from fastapi import FastAPI

Message = MutableMapping[str, Any]


class InProcess(httpx2.BaseTransport):
    """Hands each request to the application and waits for the end of its answer.

    An error that the application doesn't answer is raised here, with its traceback.
    """

    def __init__(self, app: Callable[..., Awaitable[None]], loop: asyncio.AbstractEventLoop) -> None:
        """Run `app` in `loop`."""
        self._app = app
        self._loop = loop

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Give the application's answer."""
        return self._loop.run_until_complete(self._answer(request))

    async def _answer(self, request: httpx2.Request) -> httpx2.Response:
        sent: list[Message] = []
        waiting = [{"type": "http.request", "body": request.read(), "more_body": False}]

        async def receive() -> Message:
            if not waiting:
                await asyncio.Event().wait()  # the client stays until the answer is whole
            return waiting.pop()

        async def send(message: Message) -> None:
            sent.append(message)

        await self._app(scope_of(request), receive, send)
        start, *rest = sent
        content = b"".join(message.get("body", b"") for message in rest)
        return httpx2.Response(start["status"], headers=start["headers"], content=content)


def scope_of(request: httpx2.Request) -> Message:
    """Describe a request as ASGI does."""
    path, _, query = request.url.raw_path.partition(b"?")
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": request.url.scheme,
        "path": request.url.path,
        "raw_path": path,
        "query_string": query,
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "client": ("127.0.0.1", 1),
        "server": (request.url.host, 80),
        "state": {},
    }


@contextmanager
def client_of(app: FastAPI) -> Iterator[httpx2.Client]:
    """Start the application, give a client of it, and stop it at the end."""
    with asyncio.Runner() as runner:
        lifespan = app.router.lifespan_context(app)
        runner.run(lifespan.__aenter__())
        try:
            transport = InProcess(app, runner.get_loop())
            with httpx2.Client(transport=transport, base_url="http://service") as client:
                yield client
        finally:
            runner.run(lifespan.__aexit__(None, None, None))
