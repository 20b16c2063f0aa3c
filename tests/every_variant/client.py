"""Calls an ASGI application in this thread: no socket and no server between a check and what it calls."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
from fastapi import FastAPI


class InProcess(httpx2.BaseTransport):
    """Hands each request to the application and waits for the end of its answer.

    An error that the application doesn't answer is raised here, with its traceback.
    """

    def __init__(self, app: FastAPI, loop: asyncio.AbstractEventLoop) -> None:
        """Run `app` in `loop`."""
        self._transport = httpx2.ASGITransport(app)
        self._loop = loop

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Give the application's answer."""
        request.read()
        return self._loop.run_until_complete(self._answer(request))

    async def _answer(self, request: httpx2.Request) -> httpx2.Response:
        response = await self._transport.handle_async_request(request)
        return httpx2.Response(response.status_code, headers=response.headers, content=await response.aread())


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
