"""Asks a service one thing after another, over a connection that stays open."""

import json
import time
from http.client import HTTPConnection, HTTPResponse
from typing import Any

SUCCESSES = range(200, 300)


class Client:
    """A connection to the service at `port`. Close it at the end."""

    def __init__(self, port: int) -> None:
        """Connect with the first request."""
        self._connection = HTTPConnection("127.0.0.1", port, timeout=120)
        self.close = self._connection.close

    def send(self, method: str, path: str, body: Any = None) -> tuple[float, HTTPResponse, bytes]:
        """Send a request; give the seconds that it took, the response and its content.

        Raises:
            RuntimeError: the service refused it.

        """
        text = None if body is None else json.dumps(body)
        headers = {} if body is None else {"Content-Type": "application/json"}
        start = time.perf_counter()
        self._connection.request(method, path, text, headers)
        response = self._connection.getresponse()
        content = response.read()
        seconds = time.perf_counter() - start
        if response.status not in SUCCESSES:
            raise RuntimeError(f"{method} {path} is answered with {response.status}: {content!r}")
        return seconds, response, content
