"""HAProxy in front of a cluster, with the configuration and the check that docs/production.md has."""

import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
from sqlalchemy import make_url

from tests.faults.mortal import Mortal
from tests.faults.running import running
from tests.harness.clusters import address
from tests.harness.pages import blocks_of
from tests.harness.servers import NoServer, find, free_port, process
from tests.harness.service import NO_CERTIFICATES

PAGE = "docs/production.md"
PATIENCE = 20.0


@dataclass(frozen=True)
class Balancer:
    """The ports at which HAProxy takes connections to write and to read, and those where the nodes' checks answer."""

    write: int
    read: int
    checks: list[int]

    def says_ready(self, number: int) -> bool:
        """Tell what the check of a node answers, counted from 0."""
        try:
            url = f"http://127.0.0.1:{self.checks[number]}"
            return httpx2.options(url, timeout=PATIENCE, verify=NO_CERTIFICATES).is_success
        except httpx2.TransportError:
            return False

    def reach(self, url: str) -> dict[str, str]:
        """Give the settings by which a service reaches its database through it."""
        ports = {"DATABASE_URL": self.write, "DATABASE_READ_URL": self.read}
        return {
            name: make_url(url).set(port=port).render_as_string(hide_password=False) for name, port in ports.items()
        }


def swap(text: str, old: str, new: str) -> str:
    """Replace what the page has by what is here."""
    assert old in text, f"{PAGE} has no {old}"
    return text.replace(old, new)


def block(language: str, part: str) -> str:
    """Give the block of the page that has a part."""
    (found,) = [code for code in blocks_of(PAGE, language) if part in code]
    return found


@contextmanager
def in_front_of_galera(nodes: Sequence[Mortal], folder: Path) -> Iterator[Balancer]:
    """Run HAProxy in front of the nodes of a Galera cluster, and the check of each node.

    Raises:
        NoServer: HAProxy is missing, or leads to no node.

    """
    program = find("haproxy")
    if program is None:
        raise NoServer("HAProxy: install haproxy.")
    balancer = Balancer(free_port(), free_port(), [free_port() for _ in nodes])
    configuration = block("text", "listen write")
    for port, own in ((3306, balancer.write), (3307, balancer.read)):
        configuration = swap(configuration, f"bind :{port}", f"bind 127.0.0.1:{own}")
    with ExitStack() as stack:
        for number, (node, check) in enumerate(zip(nodes, balancer.checks, strict=True)):
            host, port = address(node.url)
            home = folder / f"node{number}"
            home.mkdir(parents=True)
            (home / ".my.cnf").write_text(f"[client]\nhost={host}\nport={port}\nuser=app\npassword=app\n")
            script = home / "check.py"
            script.write_text(swap(block("python", "wsrep_ready"), '"10.0.0.1", 9200', f'"127.0.0.1", {check}'))
            environment = {**os.environ, "HOME": str(home)}
            stack.enter_context(running([sys.executable, script], home / "log", environment=environment))
            there = f"10.0.0.{number + 1}:3306"
            configuration = swap(configuration, f"{there} check port 9200", f"{host}:{port} check port {check}")
            configuration = swap(configuration, there, f"{host}:{port}")
        deadline = time.monotonic() + PATIENCE
        while not all(balancer.says_ready(number) for number in range(len(nodes))):
            assert time.monotonic() < deadline, "a node isn't ready"
            time.sleep(0.05)
        written = folder / "haproxy.cfg"
        written.write_text(configuration)
        reached = make_url(nodes[0].url).set(port=balancer.write).render_as_string(hide_password=False)
        stack.enter_context(process([program, "-db", "-f", written], folder / "log", None, reached))
        yield balancer
