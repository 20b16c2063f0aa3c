"""What a request meets when the pool has no free connection, or another process has locked the database."""

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import Engine, text

from tests.contract.blog import Blog, concurrently, new_user
from tests.contract.problems import check_problem
from tests.harness.service import calling
from tests.harness.warm_process import WarmProcess

pytestmark = [pytest.mark.example, pytest.mark.each_base]

ONE_CONNECTION = {"DB_POOL_SIZE": "1", "DB_MAX_OVERFLOW": "0", "DB_POOL_TIMEOUT": "0.2"}
TWO_CONNECTIONS = {"DB_POOL_SIZE": "2", "DB_MAX_OVERFLOW": "0", "DB_POOL_TIMEOUT": "60"}
PATIENCE = 30.0
CLIENTS = 100


@contextmanager
def served(
    warm_process: WarmProcess, project: Path, url: str, scratch: Path, settings: dict[str, str]
) -> Iterator[Blog]:
    """Serve the project with these settings, and give a client."""
    options: dict[str, Any] = {"path": "", "timeout": 60, "limits": httpx2.Limits(max_connections=CLIENTS)}
    with calling(warm_process, project, {"DATABASE_URL": url, **settings}, scratch, **options) as client:
        yield Blog(client)


@pytest.fixture
def one_connection(warm_process: WarmProcess, project: Path, migrated_url: str, tmp_path: Path) -> Iterator[Blog]:
    """A client of a service whose pool has one connection."""
    with served(warm_process, project, migrated_url, tmp_path, ONE_CONNECTION) as client:
        yield client


@contextmanager
def locked(db: Engine, user_id: int) -> Iterator[None]:
    """Lock a user against writers; SQLite's lock is one of the whole database."""
    with db.connect() as connection, connection.begin():
        connection.execute(text("UPDATE users SET name = 'Locked' WHERE id = :id"), {"id": user_id})
        yield


@contextmanager
def full_pool(blog: Blog, db: Engine) -> Iterator[None]:
    """Let a request that waits for a lock hold the only connection, until the end of the block."""
    user_id = blog.add_user()["id"]
    with ThreadPoolExecutor(1) as threads:
        with locked(db, user_id):
            waiting = threads.submit(blog.patch, f"/users/{user_id}", {"name": "Grace"})
            wait_until_in_use(blog)
            yield
        assert waiting.result().json()["name"] == "Grace"


def wait_until_in_use(blog: Blog) -> None:
    """Wait until a request has the connection."""
    deadline = time.monotonic() + PATIENCE
    while blog.api.get("/health/pool").raise_for_status().json()["write"]["checked_out"] == 0:
        assert time.monotonic() < deadline, "no request took the connection"
        time.sleep(0.01)


def check_invalid_requests(blog: Blog) -> None:
    """Send an invalid request to every route of the API, each of which must be a 422."""
    for path, operations in blog.api.get("/openapi.json").json()["paths"].items():
        if not path.startswith("/api/"):
            continue
        url = re.sub(r"{\w+}", "0", path)
        for method, operation in operations.items():
            query = {"size": 0, "limit": 0} if method == "get" else {}
            body = {"absent": 1} if "requestBody" in operation else None
            response = blog.api.request(method, url, params=query, json=body)
            check_problem(response, 422)


def test_full_pool_is_503_and_reads_have_their_own(one_connection: Blog, db: Engine) -> None:
    with full_pool(one_connection, db):
        for response in (
            one_connection.post("/users", new_user(), expect=503),
            one_connection.delete("/users/1", expect=503),
        ):
            assert int(response.headers["retry-after"]) > 0
        one_connection.get("/users")
        one_connection.get("/posts")
    one_connection.post("/users", new_user())


def test_invalid_request_is_422_with_a_full_pool(one_connection: Blog, db: Engine) -> None:
    with full_pool(one_connection, db):
        check_invalid_requests(one_connection)


def test_invalid_request_is_422_with_a_locked_database(one_connection: Blog, db: Engine) -> None:
    with locked(db, one_connection.add_user()["id"]):
        check_invalid_requests(one_connection)


def test_many_clients_share_two_connections(
    warm_process: WarmProcess, project: Path, migrated_url: str, tmp_path: Path
) -> None:
    with served(warm_process, project, migrated_url, tmp_path, TWO_CONNECTIONS) as blog:
        user = blog.add_user()["id"]
        reads = [partial(blog.get, f"/users/{user}")] * (CLIENTS // 2)
        writes = [partial(blog.post, "/users", new_user()) for _ in range(CLIENTS // 2)]
        concurrently([*reads, *writes])
        assert [pool["checked_out"] for pool in blog.api.get("/health/pool").json().values()] == [0, 0]
