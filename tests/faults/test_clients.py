"""Clients are gone before they have their response, while others write."""

import json
import socket
from contextlib import ExitStack

import httpx2
import pytest
from sqlalchemy import make_url

from tests.contract.blog import PATIENT, Blog, new_user, unique_word
from tests.faults.conftest import Scene, Stage
from tests.faults.load import BULK
from tests.harness.service import NO_CERTIFICATES

pytestmark = [
    pytest.mark.example,
    pytest.mark.each_database,
    pytest.mark.slow,
    pytest.mark.mixin("timestamps", "soft_delete", "audit_log", "optimistic_locking", "full_text_search"),
]
GONE = 50
LONG = 2_000_000  # bytes
PART = "\N{HIGH VOLTAGE SIGN}" * 10_000  # of three bytes each


def send(scene: Scene, *, share: float) -> None:
    """Send a part of a request that writes several rows, and hang up."""
    name = unique_word()
    body = json.dumps([new_user(name=name) for _ in range(BULK)]).encode()
    head = (
        "POST /api/v1/users/bulk HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    url = make_url(scene.service.url)
    with socket.create_connection((url.host, url.port)) as connection:
        connection.sendall(head.encode() + body[: round(len(body) * share)])
    scene.load.clients[0].bulks.append((name, False))


def test_clients_are_gone_within_their_bodies(stage: Stage) -> None:
    """Fifty clients send half of a body, and are gone."""
    with stage() as scene:
        for _ in range(GONE):
            send(scene, share=0.5)
        scene.recover()


def test_clients_are_gone_before_the_response(stage: Stage) -> None:
    """Fifty clients send a request, and are gone before its response."""
    with stage() as scene:
        for _ in range(GONE):
            send(scene, share=1)
        scene.recover()


def test_clients_are_gone_within_a_response(stage: Stage) -> None:
    """Fifty clients read the start of a response of two megabytes, and are gone."""
    with stage() as scene, ExitStack() as stack:
        url = make_url(scene.service.url)
        api = stack.enter_context(httpx2.Client(base_url=scene.service.url, verify=NO_CERTIFICATES))
        blog = Blog(api, tries=PATIENT)
        author = blog.add_user()["id"]
        for _ in range(LONG // len(PART.encode())):
            blog.add_post(author, content=PART)
        head = "GET /api/v1/audit?table_name=posts&limit=100 HTTP/1.1\r\nHost: localhost\r\n\r\n"
        for _ in range(GONE):
            connection = stack.enter_context(socket.socket())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # else the rest would be on its way
            connection.connect((url.host, url.port))
            connection.sendall(head.encode())
            assert connection.recv(100).startswith(b"HTTP/1.1 200")
        stack.close()
        scene.recover()
