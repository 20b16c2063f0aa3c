"""A DNS server of one's own, for a service that asks no other."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NAME = "database.faults.test"
ADDRESS = 1  # the type of a question
ANSWER = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x00\x00\x04\x7f\x00\x00\x01"  # its name, 127.0.0.1, not to be kept
# Sees the files of one's own instead of the machine's, and becomes a command.
IN_ITS_PLACE = 'mount --bind "$1" /etc/resolv.conf && mount --bind "$2" /etc/nsswitch.conf && shift 2 && exec "$@"'


class Resolver:
    """Answers that a name is at 127.0.0.1, that there is no such name, or nothing at all."""

    def __init__(self) -> None:
        """Listen on an address of this machine that no one else uses."""
        high, low = divmod(os.getpid() % 62_500, 250)
        self.address = f"127.53.{high + 1}.{low + 1}"
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((self.address, 53))
        self.knows, self.is_silent = True, False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def wrapper(self, folder: Path) -> list[str]:
        """Give the command that becomes another one, which asks no other server."""
        answers, order = folder / "resolv.conf", folder / "nsswitch.conf"
        answers.write_text(f"nameserver {self.address}\n", encoding="utf-8")
        order.write_text("hosts: files dns\n", encoding="utf-8")
        return ["unshare", "--mount", "sh", "-c", IN_ITS_PLACE, "sh", str(answers), str(order)]

    def close(self) -> None:
        """Answer no more."""
        self._socket.sendto(b"", (self.address, 53))
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            query, client = self._socket.recvfrom(512)
            if not query:
                return
            if self.is_silent:
                continue
            end = query.index(b"\0", 12) + 5
            found = self.knows and query[end - 3] == ADDRESS
            flags, count = b"\x81\x80" if self.knows else b"\x81\x83", bytes([0, found])
            head = query[:2] + flags + b"\0\x01" + count + b"\0" * 4
            self._socket.sendto(head + query[12:end] + ANSWER * found, client)


@contextmanager
def resolving() -> Iterator[Resolver]:
    """Run a DNS server."""
    made = Resolver()
    try:
        yield made
    finally:
        made.close()
