"""HTTP clients: one sends request after request, the others keep a service busy over many connections."""

import asyncio
import json
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from http.client import HTTPConnection
from typing import Any

import uvloop

CONTENT_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")


class RequestFailed(Exception):
    """A service answered with another status than 2xx, or not at all."""


@dataclass(frozen=True)
class Request:
    """A request, with the body as it is before it becomes JSON."""

    method: str
    path: str
    body: Any = None

    @cached_property
    def encoded(self) -> bytes:
        """The request as HTTP/1.1 has it."""
        head = f"{self.method} {self.path} HTTP/1.1\r\nHost: localhost\r\n"
        if self.body is None:
            return f"{head}\r\n".encode()
        content = json.dumps(self.body).encode()
        return f"{head}Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content


class Client:
    """A connection that sends one request after another."""

    def __init__(self, port: int) -> None:
        """Connect to the service at `port` with the first request."""
        self._connection = HTTPConnection("127.0.0.1", port, timeout=120)
        self.close = self._connection.close
        self.content = b""

    def send(self, request: Request) -> tuple[float, int]:
        """Send a request; return the seconds until its response, and the number of statements if that has it.

        The response's body is in `content`.

        Raises:
            RequestFailed: the response's status isn't 2xx.

        """
        body = None if request.body is None else json.dumps(request.body)
        headers = {} if body is None else {"Content-Type": "application/json"}
        start = time.perf_counter()
        self._connection.request(request.method, request.path, body, headers)
        response = self._connection.getresponse()
        self.content = response.read()
        seconds = time.perf_counter() - start
        if response.status // 100 != 2:  # noqa: PLR2004
            raise RequestFailed(f"{request.method} {request.path}: {response.status} {self.content!r}")
        return seconds, int(response.headers.get("Statements", 0))


@dataclass(frozen=True)
class Answer:
    """When a response was complete, and how many seconds after its request."""

    at: float
    seconds: float


def load(port: int, requests: Iterable[Request], clients: int) -> list[Answer]:
    """Send the requests over a connection for each client; each sends its next one as soon as it has an answer.

    Raises:
        RequestFailed: a response's status isn't 2xx, or the service closed a connection.

    """
    return uvloop.run(_load(port, iter(requests), clients))


async def _load(port: int, requests: Iterator[Request], clients: int) -> list[Answer]:
    loop = asyncio.get_running_loop()
    connections = []
    for _ in range(clients):
        made = await loop.create_connection(lambda: _Connection(requests, loop.create_future()), "127.0.0.1", port)
        connections.append(made[1])
    for connection in connections:
        connection.send()
    await asyncio.gather(*(connection.done for connection in connections))
    return [answer for connection in connections for answer in connection.answers]


class _Connection(asyncio.Protocol):
    """Sends request after request, and notes when their answers came."""

    def __init__(self, requests: Iterator[Request], done: asyncio.Future[None]) -> None:
        self.done = done
        self.answers: list[Answer] = []
        self._requests = requests
        self._received = b""

    def connection_made(self, transport: Any) -> None:
        self._transport: asyncio.Transport = transport

    def send(self) -> None:
        """Send the next request, or close the connection if there is none."""
        request = next(self._requests, None)
        if request is None:
            self.done.set_result(None)
            self._transport.close()
            return
        self._request = request
        self._start = time.perf_counter()
        self._transport.write(request.encoded)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head = self._received.find(b"\r\n\r\n")
        if head < 0:
            return
        length = CONTENT_LENGTH.search(self._received, 0, head)
        if len(self._received) < head + 4 + (int(length[1]) if length else 0):
            return
        if self._received[9:10] != b"2":
            self._fail(repr(self._received[:500]))
            return
        self._received = b""
        now = time.perf_counter()
        self.answers.append(Answer(now, now - self._start))
        self.send()

    def connection_lost(self, _error: Exception | None) -> None:
        self._fail("the service closed the connection")

    def _fail(self, reason: str) -> None:
        if not self.done.done():
            self.done.set_exception(RequestFailed(f"{self._request.method} {self._request.path}: {reason}"))
