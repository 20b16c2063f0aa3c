"""The service as a process: it limits the head of a request, and is 503 where its database is out of reach."""

import socket
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import make_url

from tests.harness.servers import Server, free_port
from tests.harness.warm_process import WarmProcess

# Nobody is at either address of a host; and at a port all are cut off, as by a proxy that has no server behind it:
# with PostgreSQL every other one later, after the word for no TLS.
UNREACHABLE = """
import itertools, os, socket, socketserver, struct, sys, threading
from fastapi.testclient import TestClient
resolve = socket.getaddrinfo
addresses = ("127.0.0.1", "127.0.0.2")
socket.getaddrinfo = lambda _, *options, **more: [one for name in addresses for one in resolve(name, *options, **more)]
late = itertools.cycle([False, os.environ["DATABASE_URL"].startswith("postgresql")])
class CutOff(socketserver.BaseRequestHandler):
    def handle(self):
        if next(late):
            self.request.recv(8)
            self.request.sendall(b"N")
            self.request.recv(1024)
            self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.request.close()
proxy = socketserver.TCPServer(("127.0.0.1", int(sys.argv[1])), CutOff)
threading.Thread(target=proxy.serve_forever, daemon=True).start()
from app.main import create_app
app = create_app()
with TestClient(app, raise_server_exceptions=False, backend_options={"use_uvloop": True}) as client:
    statuses = [client.get(path).status_code for path in sys.argv[2:]]
print(*statuses)
"""


def test_head_of_a_request_has_a_limit(api: httpx2.Client) -> None:
    address = api.base_url.host, api.base_url.port
    with socket.create_connection(address, 30) as connection:
        connection.sendall(b"GET /health/live HTTP/1.1\r\nX-Long: ")
        with pytest.raises(OSError, match=r"(?i)reset|broken pipe"):  # the service hangs up
            connection.sendall(b"x" * 2**25)
    with socket.create_connection(address, 30) as connection:
        connection.sendall(b"GET /health/live HTTP/1.1\r\nX-Long: " + b"x" * 65_480)
        connection.sendall(b"x" * 100)  # what goes beyond the limit, and nothing more: a reset would lose the answer
        assert connection.recv(64).startswith(b"HTTP/1.1 431 ")
    assert api.get("/health/live", headers={"X-Long": "x" * 30_000}).status_code == 200


@pytest.mark.example
def test_unreachable_database_is_503(warm_process: WarmProcess, project: Path, server: Server, tmp_path: Path) -> None:
    absent, proxy = free_port(), free_port()
    urls = [f"sqlite:///{tmp_path}/absent/app.db"]
    if server.database != "sqlite":
        real = make_url(server.url)
        wrong = [real.set(database="absent"), real.set(username="absent", password="secret")]
        urls = [url.render_as_string(hide_password=False) for url in wrong]
        urls += [f"{server.database}://app@localhost:{port}/app" for port in (absent, proxy)]
    for url in urls:
        paths = ["/api/v1/users"] * 8 + ["/health/ready"] * 8
        done = warm_process.run(["-c", UNREACHABLE, str(proxy), *paths], project, {"DATABASE_URL": url})
        assert done.output.split()[-len(paths) :] == ["503"] * len(paths)
