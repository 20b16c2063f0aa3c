"""HTTP for urllib whose responses end in time: its own timeout is for each piece that is read."""

from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from io import BufferedReader, RawIOBase
from socket import socket
from time import monotonic
from typing import Any
from urllib.request import HTTPHandler, HTTPSHandler, Request


class TimedReader(RawIOBase):
    """Reads a socket within its timeout, however slowly the bytes come."""

    def __init__(self, connected: socket, file: BufferedReader) -> None:
        self.socket, self.file = connected, file
        self.deadline = monotonic() + (connected.gettimeout() or 0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        seconds = self.deadline - monotonic()
        if seconds <= 0:
            raise TimeoutError("timed out")
        self.socket.settimeout(seconds)
        return self.file.readinto1(buffer)

    def close(self) -> None:
        self.file.close()
        super().close()


class TimedResponse(HTTPResponse):
    def __init__(self, connected: socket, *arguments: Any, **options: Any) -> None:
        super().__init__(connected, *arguments, **options)
        self.fp = BufferedReader(TimedReader(connected, self.fp))


class TimedConnection(HTTPConnection):
    response_class = TimedResponse


class TimedTLSConnection(HTTPSConnection):
    response_class = TimedResponse


class TimedHandler(HTTPHandler):
    def http_open(self, req: Request) -> HTTPResponse:
        return self.do_open(TimedConnection, req)


class TimedTLSHandler(HTTPSHandler):
    def https_open(self, req: Request) -> HTTPResponse:
        return self.do_open(TimedTLSConnection, req)
