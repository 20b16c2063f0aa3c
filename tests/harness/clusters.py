"""Clusters of three servers: MariaDB with Galera, and PostgreSQL with two standbys."""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import URL, make_url, text

from tests.harness import servers
from tests.harness.servers import NoServer, Say, Server, call, find, free_port, process
from tests.service.proxy import Proxy

NODES = 3
# How services use a cluster.
ONE, ALL = "one", "all"
PROVIDERS = ("/usr/lib/libgalera_smm.so", "/usr/lib/galera/libgalera_smm.so", "/usr/lib64/galera-4/libgalera_smm.so")
ACCOUNT = """\
FLUSH PRIVILEGES;
CREATE USER 'app'@'%' IDENTIFIED BY 'app';
GRANT ALL ON *.* TO 'app'@'%' WITH GRANT OPTION;
"""
# Starts a node at the position where it was killed, as the service of a package does.
# The server that finds this position does not always end.
RESTART = """
data=$1
shift
rm -f "$data/recovery.log"
"$@" --wsrep-recover --log-error="$data/recovery.log" &
until position=$(sed -n 's/.*Recovered position: *//p' "$data/recovery.log" 2>/dev/null) && [ "$position" ]; do
    sleep 0.05
done
kill -KILL $! 2>/dev/null
wait $!
exec "$@" --wsrep-start-position="$position"
"""
FOUND = "--wsrep-new-cluster"
# What a node runs to get the data of another: all begin alike, so that it lacks only what the others can send it.
TRANSFER = """\
#!/bin/sh
while [ $# -gt 0 ]; do
    case $1 in
        --role) role=$2 ;;
        --gtid) position=$2 ;;
        --address) place=$2 ;;
        --datadir) data=${2%/} ;;
    esac
    shift
done
if [ "$role" = donor ]; then
    echo "$position" > "/${place#*/}.part"
    mv "/${place#*/}.part" "/${place#*/}"
    echo "done $position"
else
    rm -f "$data/position"
    echo "ready 127.0.0.1:1$data/position"
    until [ -e "$data/position" ]; do sleep 0.05; done
    cat "$data/position"
fi
"""
GALERA = (
    "--wsrep-on=ON",
    "--wsrep-cluster-name=tests",
    "--wsrep-node-address=127.0.0.1",
    "--wsrep-sst-method=alike",
    "--binlog-format=ROW",
    "--innodb-autoinc-lock-mode=2",
    "--bind-address=127.0.0.1",
    "--skip-name-resolve",
)
# A statement waits until its node has all that was committed before, wherever that was.
CAUSAL = "--wsrep-sync-wait=15"
FAST = ("--innodb-flush-log-at-trx-commit=0", "--performance-schema=OFF", "--max-connections=400")
# A commit waits until the standbys that are named show it.
REPLICATED = {"wal_level": "replica", "max_wal_senders": "10", "synchronous_commit": "remote_apply"}
NAMED = "ALTER SYSTEM SET synchronous_standby_names = '{} (*)'"


@dataclass(frozen=True)
class Node:
    """How to start a server of a cluster, and start it again, and where it answers then."""

    command: Sequence[str | Path]
    restart: Sequence[str | Path]
    log: Path
    url: str
    user: str | None


@contextmanager
def running(databases: Sequence[str], folder: Path, say: Say, nodes: int = NODES) -> Iterator[list[Server]]:
    """Give the first server of a cluster of `nodes` for each of `databases`, which knows the others; SQLite has none.

    Raises:
        NoServer: a program is missing, or a server doesn't start.

    """
    with ExitStack() as stack:
        found = []
        for database in databases:
            if database == "sqlite":
                found.append(servers.sqlite())
                continue
            start = {"postgresql": _postgresql, "mysql": _galera}[database]
            first, *others = stack.enter_context(start(folder / database, nodes))
            found.append(replace(servers.identify(first), others=tuple(others)))
            say(f"{database}: a cluster of {nodes} servers, {found[-1]}")
        yield found


@contextmanager
def reached(server: Server, url: str, use: str) -> Iterator[dict[str, str]]:
    """Give the settings by which a service uses the servers of a cluster: `url` is its database on the first.

    It writes there, and reads from the others; with `ALL` it writes through all nodes of Galera in turn.
    """
    if server.database == "postgresql":
        yield {"DATABASE_URL": url, "DATABASE_READ_URL": read_url(url, server.others)}
        return
    places = [*map(address, server.others)]
    proxy = Proxy(address(url), *places) if use == ALL else Proxy(*places)
    balanced = make_url(url).set(port=proxy.port).render_as_string(hide_password=False)
    try:
        yield {"DATABASE_URL": balanced} if use == ALL else {"DATABASE_URL": url, "DATABASE_READ_URL": balanced}
    finally:
        proxy.close()


def address(url: str | URL) -> tuple[str, int]:
    """Give the host and the port of a URL."""
    parsed = make_url(url)
    assert parsed.host
    assert parsed.port
    return parsed.host, parsed.port


def read_url(url: str, standbys: Sequence[str]) -> str:
    """Give the URL of a database on the first of some standbys that can be reached."""
    places = tuple(f"{host}:{port}" for host, port in map(address, standbys))
    parsed = make_url(url).set(host=None, port=None)
    return parsed.update_query_pairs([("host", place) for place in places]).render_as_string(hide_password=False)


@contextmanager
def _galera(folder: Path, nodes: int) -> Iterator[list[str]]:
    with servers.unprivileged(folder) as user, ExitStack() as stack:
        found = galera_nodes(folder, user, *FAST, CAUSAL, nodes=nodes)
        for node in found:
            stack.enter_context(process(node.command, node.log, node.user, node.url))
        yield [node.url for node in found]


def provider() -> Path | None:
    """Find Galera's library."""
    return next((path for path in map(Path, PROVIDERS) if path.exists()), None)


def galera_nodes(folder: Path, user: str | None, *options: str, nodes: int = NODES) -> list[Node]:
    """Give the nodes of a new cluster; the first has to be started first.

    Raises:
        NoServer: MariaDB or Galera is missing.

    """
    program, install, library = find("mariadbd"), find("mariadb-install-db"), provider()
    if not (program and install and library):
        raise NoServer("Galera: install mariadb-server-core, mariadb-client-core and galera-4.")
    ports = [(free_port(), free_port(), free_port()) for _ in range(nodes)]
    cluster = ",".join(f"127.0.0.1:{group}" for _, group, _ in ports)
    account = folder / "account.sql"
    account.write_text(ACCOUNT)
    account.chmod(0o644)
    data = [folder / f"data{number}" for number in range(nodes)]
    temporary = [folder / f"tmp{number}" for number in range(nodes)]
    call(["mkdir", *temporary], user)
    first = ["--no-defaults", f"--datadir={data[0]}", f"--tmpdir={temporary[0]}", f"--extra-file={account}"]
    call([install, *first, "--skip-test-db", "--auth-root-authentication-method=normal"], user)
    script = folder / "wsrep_sst_alike"
    script.write_text(TRANSFER)
    script.chmod(0o755)
    found = []
    for number, (port, group, transfer) in enumerate(ports):
        path = f"PATH={folder}{os.pathsep}{os.defpath}"
        command: list[str | Path] = ["env", path, program, "--no-defaults", *GALERA, *options]
        command += [f"--datadir={data[number]}", f"--tmpdir={temporary[number]}", f"--port={port}"]
        command += [f"--socket={folder / f'socket{number}'}", f"--pid-file={folder / f'pid{number}'}"]
        command += [f"--wsrep-provider={library}", f"--wsrep-cluster-address=gcomm://{cluster}"]
        places = f"gmcast.listen_addr=tcp://127.0.0.1:{group};ist.recv_addr=127.0.0.1:{transfer}"
        command.append(f"--wsrep-provider-options=base_port={group};{places};gcache.size=32M")
        url = f"mysql://app:app@127.0.0.1:{port}"
        start = command if number else [*command, FOUND]
        again = ["sh", "-c", RESTART, "sh", data[number], *command]
        found.append(Node(start, again, folder / f"log{number}", url, user))
    with process(found[0].command, found[0].log, user, found[0].url):
        pass  # from now on its data have a position in the cluster's history
    for other in data[1:]:
        call(["cp", "-r", data[0], other], user)
    return found


@contextmanager
def _postgresql(folder: Path, nodes: int) -> Iterator[list[str]]:
    with ExitStack() as stack:
        primary = stack.enter_context(servers.postgresql(folder / "primary", lambda _: None, REPLICATED))
        urls = [primary]
        for number in range(1, nodes):
            user = stack.enter_context(servers.unprivileged(folder / f"standby{number}"))
            node = standby_node(primary, folder / f"standby{number}", user)
            stack.enter_context(process(node.command, node.log, node.user, node.url))
            urls.append(node.url)
        if nodes > 1:
            with servers.engine(primary).execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
                connection.execute(text(NAMED.format(nodes - 1)))
                connection.execute(text("SELECT pg_reload_conf()"))
        yield urls


def standby_node(primary: str, folder: Path, user: str | None) -> Node:
    """Copy a PostgreSQL server that runs, and give the standby that follows it."""
    binaries = servers.executable(servers.postgresql_binaries(), folder, user)
    data, port = folder / "data", free_port()
    call([binaries / "pg_basebackup", "-D", data, "-d", primary, "-R", "-c", "fast"], user)
    where = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": ""}
    settings = {**where, "max_connections": 400, **servers.POSTGRESQL_MEMORY}  # it needs as many as its primary
    flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    url = make_url(primary).set(port=port).render_as_string(hide_password=False)
    command: list[str | Path] = [binaries / "postgres", "-D", data, *flags]
    return Node(command, command, folder / "log", url, user)
