"""Three PostgreSQL servers that Patroni looks after: it lets a standby take over when their primary is gone."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from sqlalchemy import make_url

from tests.faults.mortal import Mortal
from tests.faults.running import running
from tests.harness import servers
from tests.harness.clusters import NODES, address
from tests.harness.servers import NoServer, find, free_port
from tests.harness.service import NO_CERTIFICATES

PATIENCE = 60.0
# Seconds until a primary that is silent is given up, between two looks at it, and for an answer of etcd: the least that
# Patroni's documentation allows.
TIMES = {"ttl": 20, "loop_wait": 1, "retry_timeout": 3}
# When this process is killed, all that runs below it is: PostgreSQL too, which Patroni starts in a session of its own.
ONE_MACHINE = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")


@dataclass(frozen=True)
class Member:
    """A server of the cluster, and where its Patroni answers."""

    server: Mortal
    api: str

    def plays(self, role: str) -> bool:
        """Tell whether it is the `primary`, a `replica`, or one that is `synchronous`."""
        try:
            return httpx2.get(f"{self.api}/{role}", timeout=5, verify=NO_CERTIFICATES).is_success
        except httpx2.TransportError:
            return False


@dataclass(frozen=True)
class Cluster:
    """The servers of a cluster."""

    members: list[Member]

    def primary(self) -> Member:
        """Give the primary, once there is one and a standby has all that it acknowledges."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            found = [member for member in self.members if member.plays("primary")]
            if found and any(member.plays("synchronous") for member in self.members):
                return found[0]
            time.sleep(0.1)
        raise NoServer("Patroni: no server is the primary, or no standby has all that it has.")

    def hand_over(self) -> None:
        """Let the synchronous standby take over from the primary."""
        primary = self.primary()
        body = {"leader": f"node{self.members.index(primary)}"}
        url = f"{primary.api}/switchover"
        httpx2.post(url, json=body, timeout=PATIENCE, verify=NO_CERTIFICATES).raise_for_status()

    def reach(self, url: str) -> dict[str, str]:
        """Give the settings by which a service finds the primary, and a standby, on its own."""
        places = [("host", "{}:{}".format(*address(member.server.url))) for member in self.members]
        parsed = make_url(url).set(host=None, port=None).update_query_pairs(places)
        kinds = {"DATABASE_URL": "read-write", "DATABASE_READ_URL": "prefer-standby"}
        return {
            name: parsed.update_query_dict({"target_session_attrs": kind}).render_as_string(hide_password=False)
            for name, kind in kinds.items()
        }


@contextmanager
def patroni(folder: Path) -> Iterator[Cluster]:
    """Run a primary and two standbys in `folder`, each with its Patroni, and etcd, by which they agree.

    Raises:
        NoServer: a program is missing, or no primary with a standby is there in time.

    """
    etcd, program = find("etcd"), find("patroni")
    if not (etcd and program):
        raise NoServer("Patroni: install patroni, etcd-server, python3-etcd and python3-dnspython.")
    with servers.unprivileged(folder) as user, ExitStack() as stack:
        clients, peers = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
        places = [f"--data-dir={folder / 'etcd'}", f"--listen-peer-urls={peers}"]
        places += [f"--listen-client-urls={clients}", f"--advertise-client-urls={clients}"]
        stack.enter_context(running([etcd, *places], folder / "etcd.log", user=user))
        binaries = servers.executable(servers.postgresql_binaries(), folder, user)
        own = ["setpriv", f"--reuid={user}", "--regid=nogroup", "--clear-groups"]
        own = own if user else ["--user", "--map-current-user"]  # who isn't root needs such a namespace
        members = []
        for number in range(NODES):
            port, api = free_port(), f"127.0.0.1:{free_port()}"
            written = folder / f"node{number}.yml"
            written.write_text(json.dumps(configuration(folder, binaries, clients, number, port, api)))
            command: list[str | Path] = [*ONE_MACHINE, *own, program, written]
            url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
            members.append(Member(Mortal(command, folder / f"log{number}", url), f"http://{api}"))
            stack.callback(members[-1].server.close)
        cluster = Cluster(members)
        cluster.primary()
        yield cluster


def configuration(folder: Path, binaries: Path, etcd: str, number: int, port: int, api: str) -> dict[str, Any]:
    """Give what Patroni reads: commits wait for a standby, and a primary that comes back follows the new one."""
    account = {"username": "postgres"}
    everyone = ["host all all 127.0.0.1/32 trust", "host replication all 127.0.0.1/32 trust"]
    return {
        "scope": "tests",
        "name": f"node{number}",
        "restapi": {"listen": api, "connect_address": api},
        "etcd3": {"url": etcd},
        "bootstrap": {
            "dcs": {**TIMES, "synchronous_mode": True, "postgresql": {"use_pg_rewind": True}},
            "initdb": [{"encoding": "UTF8"}, {"locale": "C.UTF-8"}, {"auth": "trust"}],
        },
        "postgresql": {
            "listen": f"127.0.0.1:{port}",
            "connect_address": f"127.0.0.1:{port}",
            "data_dir": str(folder / f"data{number}"),
            "bin_dir": str(binaries),
            "pgpass": str(folder / f"pgpass{number}"),
            "authentication": {"superuser": account, "replication": account, "rewind": account},
            "pg_hba": everyone,
            "parameters": {"unix_socket_directories": "", **servers.POSTGRESQL_MEMORY},
        },
    }
