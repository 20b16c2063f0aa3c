"""What stands between a service and its database, so that a test can take the database away."""

import socket
import threading
from contextlib import suppress

CHUNK = 65536


class Proxy:
    """Passes bytes on between clients and a server, unless it is told to keep them."""

    def __init__(self, host: str, port: int) -> None:
        """Listen on a free port of the loopback address; `keeps` is set once bytes are held."""
        self._server = (host, port)
        self._open = threading.Event()
        self._open.set()
        self.keeps = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = [self._listener]
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def hold(self) -> None:
        """Accept connections and take in bytes as before, but pass none on: a server that is stopped does the same."""
        self._open.clear()

    def release(self) -> None:
        """Pass on what was held, and all that comes."""
        self._open.set()

    def close(self) -> None:
        """Close every connection."""
        self._open.set()
        for each in self._sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._server)
                self._sockets += [client, server]
                for source, target in ((client, server), (server, client)):
                    threading.Thread(target=self._pass_on, args=(source, target), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(CHUNK):
                if not self._open.is_set():
                    self.keeps.set()
                self._open.wait()
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
