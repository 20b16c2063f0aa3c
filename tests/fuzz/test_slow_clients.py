"""Clients that send a part of a request and then nothing, and many of them: others are served meanwhile."""

import json
import socket
from collections.abc import Callable
from contextlib import ExitStack, closing
from urllib.parse import urlsplit

import pytest
from httpx2 import Client

from tests.contract.blog import new_user
from tests.fuzz.calls import JSON, Caller, Request
from tests.fuzz.conftest import Tally

pytestmark = [
    pytest.mark.example,
    pytest.mark.each_database,
    pytest.mark.mixin("timestamps", "soft_delete", "audit_log", "optimistic_locking", "full_text_search"),
]
HELD = 50  # connections of each kind, many more than the pool has
USERS = "/api/v1/users"


def parts(body: bytes) -> tuple[bytes, bytes]:
    """Give the head and half of the body of a request, and the rest."""
    head = f"POST {USERS} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    half = len(body) // 2
    return head.encode() + b"\r\n\r\n" + body[:half], body[half:]


def test_others_are_served_while_clients_are_slow(
    service: str, api: Client, examples: int, keep_tally: Callable[[Tally], None]
) -> None:
    """150 connections that stay open with half of a head, half of a body, or half of a body and no way to send more."""
    address = (urlsplit(service).hostname, urlsplit(service).port)
    with ExitStack() as stack, closing(Caller(service)) as caller:
        unfinished = []
        for number in range(3 * HELD):
            connection = stack.enter_context(socket.create_connection(address, timeout=30))
            sent, rest = parts(json.dumps(new_user()).encode())
            connection.sendall(sent[:40] if number % 3 == 0 else sent)
            if number % 3 == 1:
                connection.shutdown(socket.SHUT_WR)
            if number % 3 == 2:
                unfinished.append((connection, rest))
        for _ in range(examples):
            caller.send(Request(f"POST {USERS}", "POST", USERS, JSON, json.dumps(new_user()).encode()), {201})
            caller.send(Request(f"GET {USERS}", "GET", USERS), {200})
        caller.check_health()
        for connection, rest in unfinished:
            connection.sendall(rest)
            assert connection.recv(1024).startswith(b"HTTP/1.1 201 ")
            caller.tally[f"POST {USERS}", 201] += 1
    assert api.get("/health/ready").status_code == 200
    keep_tally(caller.tally)
