"""HAProxy in front of a cluster, with the configuration and the check that docs/production.md has."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import make_url

from tests.faults.mortal import Mortal
from tests.faults.running import running
from tests.harness.clusters import address
from tests.harness.pages import blocks_of
from tests.harness.servers import NoServer, find, free_port, process

PAGE = "docs/production.md"


@dataclass(frozen=True)
class Balancer:
    """The ports at which HAProxy takes connections to write and to read."""

    write: int
    read: int

    def reach(self, url: str) -> dict[str, str]:
        """Give the settings by which a service reaches its database through it."""
        ports = {"DATABASE_URL": self.write, "DATABASE_READ_URL": self.read}
        return {
            name: make_url(url).set(port=port).render_as_string(hide_password=False) for name, port in ports.items()
        }


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
    balancer = Balancer(free_port(), free_port())
    configuration = block("text", "listen write")
    for port, own in ((3306, balancer.write), (3307, balancer.read)):
        configuration = configuration.replace(f"bind :{port}", f"bind 127.0.0.1:{own}")
    with ExitStack() as stack:
        for number, node in enumerate(nodes, 1):
            host, port = address(node.url)
            check, home = free_port(), folder / f"node{number}"
            home.mkdir(parents=True)
            (home / ".my.cnf").write_text(f"[client]\nhost={host}\nport={port}\nuser=app\npassword=app\n")
            script = home / "check.py"
            script.write_text(block("python", "wsrep_ready").replace("9200", str(check)))
            environment = {**os.environ, "HOME": str(home)}
            stack.enter_context(running([sys.executable, script], home / "log", environment=environment))
            configuration = configuration.replace(f"10.0.0.{number}:3306", f"{host}:{port} port {check}")
        written = folder / "haproxy.cfg"
        written.write_text(configuration)
        reached = make_url(nodes[0].url).set(port=balancer.write).render_as_string(hide_password=False)
        stack.enter_context(process([program, "-db", "-f", written], folder / "log", None, reached))
        yield balancer
