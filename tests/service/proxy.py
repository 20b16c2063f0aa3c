"""A service with short timeouts, and a proxy that can take its database away."""

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import httpx2
from sqlalchemy import make_url

from tests.harness.service import calling
from tests.harness.warm_process import WarmProcess

CHUNK = 65536
PATIENCE = 30.0  # for an answer; the timeouts below are far shorter
SHORT = {
    "DB_CONNECT_TIMEOUT": "1",
    "DB_STATEMENT_TIMEOUT": "0.5",
    "DB_LOCK_TIMEOUT": "0.2",
    "DB_POOL_TIMEOUT": "0.5",
    "DB_POOL_SIZE": "2",
}
_numbers = count()
Address = tuple[str, int]


class Proxy:
    """Passes bytes on between clients and a server, or several in turn, unless it is told to keep them."""

    def __init__(self, *servers: Address) -> None:
        """Listen on a free port of the loopback address; `keeps` is set once bytes are held."""
        self._servers = servers
        self._turns = count()
        self._open = threading.Event()
        self._open.set()
        self.keeps = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = [self._listener]
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def lead_to(self, *servers: Address) -> None:
        """Cut all connections, and lead new ones to another server, or to several in turn."""
        self._servers = servers
        self.cut()

    def hold(self) -> None:
        """Accept connections and take in bytes as before, but pass none on: a server that is stopped does the same."""
        self._open.clear()

    def release(self) -> None:
        """Pass on what was held, and all that comes."""
        self._open.set()

    def cut(self, connections: int | None = None) -> None:
        """Cut the oldest connections, or all, and accept new ones."""
        listener, *pairs = self._sockets
        chosen = pairs[: 2 * connections] if connections else pairs
        self._sockets = [listener, *pairs[len(chosen) :]]
        close(chosen)

    def close(self) -> None:
        """Close every connection, and accept no more."""
        self._open.set()
        close(self._sockets)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = self._connect()
                if server is None:  # as a client sees who connects to the server itself
                    client.close()
                    continue
                self._sockets += [client, server]
                for source, target in ((client, server), (server, client)):
                    threading.Thread(target=self._pass_on, args=(source, target), daemon=True).start()

    def _connect(self) -> socket.socket | None:
        """Connect to the server whose turn it is, or to the next that can be reached."""
        turn = next(self._turns)
        for number in range(len(self._servers)):
            with suppress(OSError):
                return socket.create_connection(self._servers[(turn + number) % len(self._servers)])
        return None

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(CHUNK):
                if not self._open.is_set():
                    self.keeps.set()
                self._open.wait()
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)


def close(sockets: list[socket.socket]) -> None:
    """Close connections under way."""
    for each in sockets:
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()


@dataclass(frozen=True)
class Service:
    """A service with short timeouts, the URL of its database, and the proxy between them, where that is a server."""

    client: httpx2.Client
    database: str
    proxy: Proxy | None

    def write(self) -> httpx2.Response:
        """Add a user."""
        return self.client.post("/users", json={"email": f"{next(_numbers)}@example.com", "name": "Ada"})

    def read(self) -> httpx2.Response:
        """Read a page of users, with a statement that its connection may have prepared."""
        return self.client.get("/users")

    def ready(self) -> httpx2.Response:
        """Ask whether the service is ready."""
        return self.client.get("../../health/ready")


@contextmanager
def served(
    warm_process: WarmProcess,
    project: Path,
    url: str,
    scratch: Path,
    admin_url: str = "",
    settings: Mapping[str, str] = SHORT,
) -> Iterator[Service]:
    """Migrate a database and serve the project on it, through a proxy where it is a server."""
    admin_url = admin_url or url
    warm_process.run(["-m", "alembic", "upgrade", "head"], project, {"DATABASE_URL": admin_url})
    parsed = make_url(url)
    proxy = Proxy((parsed.host, parsed.port)) if parsed.host and parsed.port else None
    if proxy is not None:
        parsed = parsed.set(host="127.0.0.1", port=proxy.port)
    environment = {**settings, "DATABASE_URL": parsed.render_as_string(hide_password=False)}
    try:
        with calling(warm_process, project, environment, scratch, timeout=PATIENCE) as client:
            yield Service(client, admin_url, proxy)
    finally:
        if proxy is not None:
            proxy.close()
