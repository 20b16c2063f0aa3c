"""Keeps a service busy over a few connections, each of which sends its next request once the last is answered."""

import asyncio
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import cast

Request = Callable[[int], bytes]

END_OF_HEAD = b"\r\n\r\n"


@dataclass(frozen=True)
class Load:
    """What a service answered in a while: requests per second, and the milliseconds that the median one took."""

    rate: float
    median: float


def get(path: str) -> Request:
    """Give a request that is always the same."""
    request = f"GET {path} HTTP/1.1\r\nHost: benchmark\r\n\r\n".encode()
    return lambda _number: request


def post(path: str, body: Callable[[int], str]) -> Request:
    """Give a request whose body is another each time."""

    def request(number: int) -> bytes:
        content = body(number).encode()
        head = f"POST {path} HTTP/1.1\r\nHost: benchmark\r\nContent-Type: application/json\r\n"
        return f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content

    return request


class Client(asyncio.Protocol):
    """A connection that sends requests as long as there are numbers."""

    def __init__(self, request: Request, numbers: Iterator[int]) -> None:
        """Send `request` with each of the numbers, which connections share."""
        self._request, self._numbers = request, numbers
        self._buffer = b""
        self._sent = 0.0
        self.times: list[float] = []
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        """Take a part of an answer; once it is whole, send the next request."""
        self._buffer += data
        head, found, body = self._buffer.partition(END_OF_HEAD)
        if not found or len(body) < int(head.lower().partition(b"content-length:")[2].partition(b"\r")[0]):
            return
        if head[9:10] != b"2":
            self.done.set_exception(RuntimeError(f"the service answered {self._buffer[:500]!r}"))
            self._transport.close()
            return
        now = time.perf_counter()
        self.times.append(now - self._sent)
        self._buffer = b""
        self._send()

    def connection_lost(self, error: Exception | None) -> None:
        """Fail, unless it was the end."""
        if not self.done.done():
            self.done.set_exception(error or ConnectionError("the service closed the connection"))

    def _send(self) -> None:
        number = next(self._numbers, None)
        if number is None:
            self.done.set_result(None)
            self._transport.close()
            return
        self._sent = time.perf_counter()
        self._transport.write(self._request(number))


async def _load(port: int, request: Request, first: int, count: int, connections: int) -> Load:
    numbers = iter(range(first, first + count))
    loop = asyncio.get_running_loop()
    start = time.perf_counter()
    clients = []
    for _ in range(connections):
        _, client = await loop.create_connection(lambda: Client(request, numbers), "127.0.0.1", port)
        clients.append(client)
    await asyncio.gather(*(client.done for client in clients))
    taken = time.perf_counter() - start
    times = [value for client in clients for value in client.times]
    return Load(len(times) / taken, statistics.median(times) * 1000)


def load(port: int, request: Request, count: int, first: int = 0, connections: int = 4) -> Load:
    """Send `count` requests to the service at `port`, with the numbers from `first`, and say how it coped.

    Raises:
        RuntimeError: it answered one with another status than 2xx.
        OSError: it can't be reached.

    """
    return asyncio.run(_load(port, request, first, count, connections))
