"""HTTP clients: one sends request after request, the other keeps a service busy over several connections."""

import asyncio
import json
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any

CONTENT_LENGTH = re.compile(rb"(?i)content-length: *(\d+)")


class RequestFailed(Exception):
    """A service answered with another status than 2xx."""


@dataclass(frozen=True)
class Request:
    """A request, with the body as it is before it becomes JSON."""

    method: str
    path: str
    body: Any = None

    def encode(self) -> bytes:
        """Return the request as HTTP/1.1 has it."""
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

    def send(self, request: Request) -> tuple[float, int]:
        """Send a request; return the seconds until its response, and the number of statements if that has it.

        Raises:
            RequestFailed: the response's status isn't 2xx.

        """
        body = None if request.body is None else json.dumps(request.body)
        headers = {} if body is None else {"Content-Type": "application/json"}
        start = time.perf_counter()
        self._connection.request(request.method, request.path, body, headers)
        response = self._connection.getresponse()
        content = response.read()
        seconds = time.perf_counter() - start
        if response.status // 100 != 2:  # noqa: PLR2004
            raise RequestFailed(f"{request.method} {request.path}: {response.status} {content!r}")
        return seconds, int(response.headers.get("Statements", 0))


def load(port: int, requests: Sequence[Request], connections: int = 4) -> None:
    """Send the requests over several connections, each of which sends its next one as soon as it has an answer.

    Raises:
        RequestFailed: a response's status isn't 2xx.

    """
    asyncio.run(_load(port, iter(requests), connections))


async def _load(port: int, requests: Iterator[Request], connections: int) -> None:
    await asyncio.gather(*(_send_all(port, requests) for _ in range(connections)))


async def _send_all(port: int, requests: Iterator[Request]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for request in requests:
        writer.write(request.encode())
        head = await reader.readuntil(b"\r\n\r\n")
        length = CONTENT_LENGTH.search(head)
        content = await reader.readexactly(int(length[1]) if length else 0)
        if head[9:10] != b"2":
            raise RequestFailed(f"{request.method} {request.path}: {(head + content)[:500]!r}")
    writer.close()
