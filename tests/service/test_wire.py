"""What a socket may send: each request gets one response, and bytes that aren't a request get a refusal.

A proxy in front of the service and the service have to agree where a request ends. Where they don't, one client can
put words into the mouth of another: request smuggling.
"""

import json
import re
import socket
from collections.abc import Iterator
from contextlib import suppress
from itertools import product

import httpx2
import pytest

from tests.contract.blog import new_user
from tests.harness.service import SERVICE_LOG

pytestmark = [pytest.mark.each_database, pytest.mark.example]

PATIENCE = 30
STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")
LAST = b"GET /health/live HTTP/1.1\r\nHost: last\r\nConnection: close\r\n\r\n"
HIDDEN = b"GET /hidden HTTP/1.1\r\nHost: hidden\r\n\r\n"
UPGRADE = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n"
WEBSOCKET = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: a\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"


@pytest.fixture(autouse=True)
def quiet_log(api: httpx2.Client, request: pytest.FixtureRequest) -> Iterator[None]:
    """Nothing that is sent makes the service log a traceback."""
    log = request.config.stash[SERVICE_LOG]
    before = log.stat().st_size
    yield
    api.get("/health/live").raise_for_status()
    assert "Traceback" not in log.read_bytes()[before:].decode()


def post(headers: bytes, body: bytes, path: bytes = b"/api/v1/users") -> bytes:
    """Write a request that adds a user."""
    head = b"POST " + path + b" HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
    return head + headers + b"\r\n" + body


def sized(headers: bytes, body: bytes) -> bytes:
    """Write a request that adds a user, with the length of its body."""
    return post(headers + b"Content-Length: %d\r\n" % len(body), body)


def chunked(headers: bytes, body: bytes, trailers: bytes = b"") -> bytes:
    """Write a request that adds a user, with its body in a chunk."""
    return post(headers + CHUNKED, chunks(body, trailers))


def get(headers: bytes = b"Host: test\r\n", line: bytes = b"GET /health/live HTTP/1.1") -> bytes:
    return line + b"\r\n" + headers + b"\r\n"


def chunks(body: bytes, trailers: bytes = b"") -> bytes:
    return b"%x\r\n%s\r\n0\r\n%s\r\n" % (len(body), body, trailers)


def user() -> bytes:
    return json.dumps(new_user()).encode()


def hidden_request() -> bytes:
    return HIDDEN


def responses(api: httpx2.Client, *parts: bytes) -> bytes:
    """Send the parts, each when the service has had the time to read the one before, and read until it hangs up."""
    received = b""
    with socket.create_connection((api.base_url.host, api.base_url.port), PATIENCE) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # What arrives after the service has hung up, it resets.
        with suppress(ConnectionResetError, BrokenPipeError):
            for part in parts:
                connection.sendall(part)
                # Another connection's response comes after what was sent before it has been read.
                api.get("/health/live").raise_for_status()
        with suppress(ConnectionResetError):
            while data := connection.recv(65536):
                received += data
    return received


def statuses(api: httpx2.Client, *parts: bytes) -> list[int]:
    return [int(status) for status in STATUS.findall(responses(api, *parts))]


@pytest.mark.parametrize("offer", [UPGRADE, WEBSOCKET], ids=["h2c", "websocket"])
def test_body_of_a_request_that_offers_an_upgrade_is_its_body(api: httpx2.Client, offer: bytes) -> None:
    for write, (make_body, status) in product((sized, chunked), ((user, 201), (hidden_request, 400))):
        head, end, body = write(offer, make_body()).partition(b"\r\n\r\n")
        assert statuses(api, head + end, body, LAST) == [status, 200]
        assert statuses(api, write(offer, make_body()) + LAST) == [status, 200]


def test_offer_of_an_upgrade_without_a_body_is_ignored(api: httpx2.Client) -> None:
    assert statuses(api, get(b"Host: test\r\n" + UPGRADE) + LAST) == [200, 200]
    assert statuses(api, get(b"Host: test\r\n", b"CONNECT test:80 HTTP/1.1") + LAST)[-1] == 200


def test_fields_after_a_body_are_no_headers(api: httpx2.Client) -> None:
    trailers = b"X-Request-ID: trailer\r\nContent-Length: 5\r\nAuthorization: Bearer trailer\r\n"
    received = responses(api, chunked(b"", user(), trailers) + LAST)
    assert [int(status) for status in STATUS.findall(received)] == [201, 200]
    assert b"trailer" not in received


# What a request's head says of its body's length, the body, and the status of the refusal.
AMBIGUOUS = {
    "length beside chunks": (CHUNKED + b"Content-Length: 5\r\n", chunks(b"{}"), 400),
    "chunked twice": (CHUNKED * 2, chunks(b"{}"), 501),
    "gzip and chunked": (b"Transfer-Encoding: gzip, chunked\r\n", chunks(b"{}"), 501),
    "identity at last": (b"Transfer-Encoding: chunked, identity\r\n", chunks(b"{}"), 501),
    "unknown encoding": (b"Transfer-Encoding: xchunked\r\n", chunks(b"{}"), 501),
    "space before the colon": (b"Transfer-Encoding : chunked\r\n", chunks(b"{}"), 400),
    "name over two lines": (b"Transfer-Encoding\r\n : chunked\r\n", chunks(b"{}"), 400),
    "value over two lines": (b"Transfer-Encoding:\r\n chunked\r\n", chunks(b"{}"), 400),
    "LF at the end of a line": (b"X: a\nTransfer-Encoding: chunked\r\n", chunks(b"{}"), 400),
    "LF twice": (b"X: a\n\nGET /hidden HTTP/1.1\r\nHost: a\r\n", b"", 400),
    "vertical tab": (b"Transfer-Encoding:\x0bchunked\r\n", chunks(b"{}"), 400),
    "two lengths": (b"Content-Length: 2\r\nContent-Length: 3\r\n", b"{}", 400),
    "two lengths in a line": (b"Content-Length: 2, 3\r\n", b"{}", 400),
    "length with a sign": (b"Content-Length: +2\r\n", b"{}", 400),
    "negative length": (b"Content-Length: -2\r\n", b"{}", 400),
    "hexadecimal length": (b"Content-Length: 0x2\r\n", b"{}", 400),
    "length with an exponent": (b"Content-Length: 1e1\r\n", b"{}", 400),
    "empty length": (b"Content-Length:\r\n", b"{}", 400),
    "huge length": (b"Content-Length: " + b"9" * 30 + b"\r\n", b"{}", 400),
    "chunk with a prefix": (CHUNKED, b"0x2\r\n{}\r\n0\r\n\r\n", 400),
    "negative chunk": (CHUNKED, b"-2\r\n{}\r\n0\r\n\r\n", 400),
    "huge chunk": (CHUNKED, b"1" * 30 + b"\r\n{}\r\n0\r\n\r\n", 400),
    "chunk without an end": (CHUNKED, b"2\r\n{}XX0\r\n\r\n", 400),
}


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_length_that_can_be_read_in_two_ways_is_refused(api: httpx2.Client, name: str) -> None:
    headers, body, status = AMBIGUOUS[name]
    # What came before has its response first, and what comes after gets none.
    assert statuses(api, get() + post(headers, body) + LAST) == [200, status]
    # This is responded to before the body is read.
    assert statuses(api, post(headers, body, b"/absent"), LAST) == [status]


def test_framing_of_a_body_has_a_limit(api: httpx2.Client) -> None:
    # What goes beyond the limit, and nothing more: a reset would lose the response.
    assert statuses(api, post(CHUNKED, b"2;" + b"x" * 65_500), b"x" * 100) == [431]
    assert statuses(api, post(CHUNKED, b"2\r\n{}\r\n0\r\nX: " + b"x" * 65_500), b"x" * 100) == [431]


NO_REQUEST = {
    "no host": b"GET /health/live HTTP/1.1\r\n\r\n",
    "two hosts": get(b"Host: a\r\nHost: b\r\n"),
    "carriage return in a value": get(b"Host: a\r\nX: a\rb\r\n"),
    "NUL in a value": get(b"Host: a\r\nX: a\0b\r\n"),
    "brackets in a name": get(b"Host: a\r\nX(y): 1\r\n"),
    "no name": get(b"Host: a\r\n: 1\r\n"),
    "no colon": get(b"Host: a\r\nabc\r\n"),
    "HTTP/0.9": get(line=b"GET /health/live"),
    "two spaces": get(line=b"GET  /health/live HTTP/1.1"),
    "space in the path": get(line=b"GET /health/live x HTTP/1.1"),
    "path that isn't ASCII": get(line="GET /é HTTP/1.1".encode()),
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
}


def test_other_versions_are_refused(api: httpx2.Client) -> None:
    for line in (b"GET /health/live HTTP/2.0", b"PRI * HTTP/2.0", b"GET /health/live HTTP/1.2"):
        assert statuses(api, get() + get(line=line) + LAST) == [200, 505]
    assert statuses(api, get(b"", b"GET /health/live HTTP/1.0")) == [200]


@pytest.mark.parametrize("name", NO_REQUEST)
def test_what_is_no_request_is_refused(api: httpx2.Client, name: str) -> None:
    assert statuses(api, get() + NO_REQUEST[name] + LAST) == [200, 400]
    assert statuses(api, NO_REQUEST[name], LAST) == [400]


def test_requests_at_once_get_their_responses_in_turn(api: httpx2.Client) -> None:
    requests = get(line=b"GET /absent HTTP/1.1") + get() + sized(b"", user()) + get(line=b"FOO /health/live HTTP/1.1")
    assert statuses(api, requests + LAST + HIDDEN) == [404, 200, 201, 405, 200]


def test_url_in_place_of_a_path_is_its_path(api: httpx2.Client) -> None:
    for url in (b"http://test/health/live", b"HTTPS://[::1]:80/health/live?x=1"):
        assert statuses(api, get(line=b"GET " + url + b" HTTP/1.1") + LAST) == [200, 200]
    assert statuses(api, get(line=b"GET http://test?x=/health/live HTTP/1.1") + LAST) == [307, 200]


def test_body_that_breaks_after_its_response_gets_no_second_one(api: httpx2.Client) -> None:
    too_large = b"".join(b"%x\r\n%s\r\n" % (size, b"x" * size) for size in (2**20, 32))
    with socket.create_connection((api.base_url.host, api.base_url.port), PATIENCE) as connection:
        connection.sendall(post(CHUNKED, too_large))
        received = connection.recv(65536)  # once it is there, the body breaks
        connection.sendall(b"no chunk\r\n")
        with suppress(ConnectionResetError):
            while data := connection.recv(65536):
                received += data
    assert STATUS.findall(received) == [b"413"]
