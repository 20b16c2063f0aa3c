import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from app.web.protocol import MAX_HEAD_SIZE, Http

PATIENCE = 30
LARGE = b"x" * 2**25
LAST = b"GET /last HTTP/1.1\r\nHost: last\r\nConnection: close\r\n\r\n"
UPGRADE = b"Connection: Upgrade\r\nUpgrade: h2c\r\n"
BODY = b"Content-Length: 4\r\n\r\nbody"


async def respond(scope: Scope, receive: Receive, send: Send) -> None:
    """Respond with the request's body, or at once with something large."""
    assert scope["type"] == "http"
    content, is_read = (LARGE, True) if scope["path"] == "/large" else (b"", False)
    while not is_read:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        content += message["body"]
        is_read = not message["more_body"]
    headers = [(b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": content})


@contextmanager
def serving(sockets: ExitStack) -> Iterator[tuple[str, int]]:
    """Yield the address of a server of `respond`; close the sockets once it begins to end."""
    listener = sockets.enter_context(socket.create_server(("127.0.0.1", 0)))
    server = uvicorn.Server(uvicorn.Config(respond, http=Http, lifespan="off", log_config=None))
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield listener.getsockname()
    finally:
        server.should_exit = True
        while any(each.is_serving() for each in server.servers):
            time.sleep(0.01)
        sockets.close()
        thread.join(PATIENCE)
    assert not thread.is_alive()


@pytest.fixture(scope="module")
def address() -> Iterator[tuple[str, int]]:
    """The address of a server of `respond`."""
    with serving(ExitStack()) as address:
        yield address


@pytest.fixture(autouse=True)
def no_error_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    errors = [record for record in caplog.get_records("call") if record.levelno >= logging.ERROR]
    assert errors == []


def send(address: tuple[str, int], request: bytes) -> bytes:
    """Send bytes, and return what comes until the server hangs up."""
    received = b""
    with socket.create_connection(address, PATIENCE) as connection:
        connection.sendall(request)
        while data := connection.recv(2**20):
            received += data
    return received


def post(headers: bytes, *, path: bytes = b"/", version: bytes = b"1.1") -> bytes:
    return b"POST " + path + b" HTTP/" + version + b"\r\nHost: test\r\n" + headers


@pytest.mark.parametrize("offer", [UPGRADE, UPGRADE.replace(b"h2c", b"websocket")])
def test_body_of_a_request_that_offers_an_upgrade_is_read(
    address: tuple[str, int], offer: bytes
) -> None:
    received = send(address, post(offer + BODY) + LAST)
    assert received.count(b"HTTP/1.1 200 ") == 2
    assert b"\r\n\r\nbodyHTTP" in received


def test_url_is_taken_for_its_path(address: tuple[str, int]) -> None:
    received = send(address, post(BODY, path=b"http://test/path") + LAST)
    assert received.count(b"HTTP/1.1 200 ") == 2


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"POST / HTTP/1.1\r\n" + BODY, b"400"),
        (post(b"Transfer-Encoding: chunked\r\n" + BODY), b"400"),
        (post(b"X: a\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), b"400"),
        (post(b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n"), b"400"),
        (post(b"Transfer-Encoding: chunked\r\n\r\nnone\r\n"), b"400"),
        (post(b"Transfer-Encoding: chunked\r\n\r\nnone\r\n", path=b"/large"), b"400"),
        (post(b"X: " + b"x" * MAX_HEAD_SIZE), b"431"),
        (post(b"Transfer-Encoding: gzip\r\n" + BODY), b"501"),
        (post(BODY, version=b"2.0"), b"505"),
    ],
)
def test_what_is_no_request_is_refused(
    address: tuple[str, int], request_: bytes, status: bytes
) -> None:
    received = send(address, request_)
    assert received.startswith(b"HTTP/1.1 " + status)
    assert received.count(b"HTTP/1.1 ") == 1


def test_server_ends_while_a_client_does_not_read() -> None:
    sockets = ExitStack()
    with serving(sockets) as address:
        connection = sockets.enter_context(socket.create_connection(address, PATIENCE))
        connection.sendall(b"GET /large HTTP/1.1\r\nHost: test\r\n\r\nno request\r\n\r\n")
        assert connection.recv(1) == b"H"
