"""Database servers and services that can be killed: each on a port and with data that outlive its process."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from tests.harness import guard, servers
from tests.harness.clusters import CAUSAL, galera_nodes, standby_node
from tests.harness.commands import clean_environment
from tests.harness.servers import call, find, free_port
from tests.harness.service import NO_CERTIFICATES

PATIENCE = 60.0


class Mortal:
    """A process that can be killed and started again, and serves at `url` while it lives."""

    def __init__(
        self,
        command: Sequence[str | Path],
        log: Path,
        url: str,
        *,
        user: str | None = None,
        folder: Path | str = "/",
        environment: Mapping[str, str] | None = None,
        gentle: signal.Signals = signal.SIGTERM,
        restart: Sequence[str | Path] = (),
    ) -> None:
        """Start it, and wait until it answers; `gentle` is the signal that lets it end as it should.

        After that it is started by `restart`, if that is another command.
        """
        self.url = url
        self._command, self._log, self._gentle = command, log, gentle
        self.environment = {**(environment or os.environ)}
        self._options: dict[str, Any] = {"user": user, "cwd": folder}
        self.start()
        self._command = restart or command

    def start(self, asked: str = "ready") -> None:
        """Start the process and wait until it answers; a service is asked whether it is `ready` or `live`."""
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                env=self.environment,
                **self._options,
            )
        self._lives = True
        guard.watch(self._process.pid)
        deadline = time.monotonic() + PATIENCE
        while not self.answers(asked):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.close()
                pytest.fail(f"It doesn't answer; its log:\n{self.log()[-4000:]}")
            time.sleep(0.02)

    def answers(self, asked: str) -> bool:
        """Tell whether the database answers, or the service is `ready` or `live`."""
        try:
            if self.url.startswith("http"):
                return httpx2.get(f"{self.url}/health/{asked}", timeout=5, verify=NO_CERTIFICATES).is_success
            servers.identify(self.url)
        except (SQLAlchemyError, httpx2.TransportError):
            return False
        return True

    def log(self) -> str:
        """Give what it has logged."""
        return self._log.read_text(errors="replace")

    @property
    def pid(self) -> int:
        """Give the number of the process."""
        return self._process.pid

    def workers(self) -> list[int]:
        """Give the numbers of the processes that a service has started to serve."""
        found = []
        for child in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split():
            with suppress(OSError):  # it has just ended
                found += [int(child)] if "spawn_main" in Path(f"/proc/{child}/cmdline").read_text() else []
        return found

    def obey_permissions(self) -> None:
        """From the next start on, let files that root may not write to be read-only for root too."""
        if os.geteuid() == 0:
            capabilities = "-dac_override,-dac_read_search"
            options = [f"--bounding-set={capabilities}", f"--inh-caps={capabilities}"]
            self._command = ["setpriv", *options, *self._command]

    def kill(self) -> None:
        """Kill the process and its children at once, as when the machine loses its power."""
        if self._lives:
            with suppress(ProcessLookupError):  # it has ended on its own
                os.killpg(self._process.pid, signal.SIGKILL)
            self._end()

    def kill_alone(self) -> None:
        """Kill the process, and leave its children alone."""
        self._process.kill()
        self._end()

    def stop(self) -> int:
        """Let it end as an administrator does, and give its status."""
        self._process.send_signal(self._gentle)
        return self._end()

    def close(self) -> None:
        """End it for good."""
        self.kill()

    def _end(self) -> int:
        """Wait for the end of the process."""
        status = self._process.wait(PATIENCE)
        self._lives = False
        guard.forget(self._process.pid)
        return status


def mortal_service(
    project: Path, environment: Mapping[str, str], log: Path, workers: int, wrapper: Sequence[str] = ()
) -> Mortal:
    """Serve a project with the command that its image has, which `wrapper` is to become."""
    port = free_port()
    own = {"SERVER_PORT": str(port), "SERVER_WORKERS": str(workers), "LOG_LEVEL": "warning"}
    command = [*wrapper, sys.executable, "-m", "app", "serve"]
    url = f"http://127.0.0.1:{port}"
    return Mortal(command, log, url, folder=project, environment=clean_environment(**environment, **own))


@contextmanager
def mortal(database: str, folder: Path) -> Iterator[Mortal]:
    """Run a database server of one's own in `folder`.

    Its data survive SIGKILL: unlike the servers of the other tests, it syncs what it commits.
    """
    start = {"postgresql": _postgresql, "mysql": _mysql}[database]
    with servers.unprivileged(folder) as user:
        made = start(folder, user)
        try:
            yield made
        finally:
            made.close()


@contextmanager
def galera(folder: Path) -> Iterator[list[Mortal]]:
    """Run the nodes of a Galera cluster in `folder`."""
    with servers.unprivileged(folder) as user, ExitStack() as stack:
        made = []
        for node in galera_nodes(folder, user, CAUSAL):
            made.append(Mortal(node.command, node.log, node.url, user=user, restart=node.restart))
            stack.callback(made[-1].close)
        yield made


@contextmanager
def standby(primary: Mortal, folder: Path, *, has_all: bool = True) -> Iterator[Mortal]:
    """Run a standby of a PostgreSQL server in `folder`.

    If it `has_all`, the primary commits nothing from now on that it hasn't got, or else it is a moment behind.
    """
    with servers.unprivileged(folder) as user:
        node = standby_node(primary.url, folder, user)
        made = Mortal(node.command, node.log, node.url, user=user, gentle=signal.SIGINT)
        try:
            if has_all:
                execute(primary.url, "ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()")
            yield made
        finally:
            made.close()


def execute(url: str, *statements: str) -> None:
    """Execute each statement on its own, outside of a transaction."""
    with servers.engine(url).execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        for statement in statements:
            connection.execute(text(statement))


def _postgresql(folder: Path, user: str | None) -> Mortal:
    binaries = servers.executable(servers.postgresql_binaries(), folder, user)
    data, port = folder / "data", free_port()
    call([binaries / "initdb", "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8"], user)
    access = data / "pg_hba.conf"  # accounts of such names need their passwords
    access.write_text(f"host all /^keyed_ 127.0.0.1/32 scram-sha-256\n{access.read_text()}")
    where = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": ""}
    settings = {**where, **servers.POSTGRESQL_MEMORY}
    flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
    command: list[str | Path] = [binaries / "postgres", "-D", data, *flags]
    return Mortal(command, folder / "log", url, user=user, gentle=signal.SIGINT)  # it doesn't wait for its clients


def _mysql(folder: Path, user: str | None) -> Mortal:
    server = find("mysqld", "mariadbd")
    assert server is not None, "the servers of the other tests install it"
    data, port = folder / "data", free_port()
    start = folder / "start.sql"
    start.write_text(
        "CREATE USER IF NOT EXISTS 'app'@'%' IDENTIFIED BY 'app';\nGRANT ALL ON *.* TO 'app'@'%' WITH GRANT OPTION;\n"
    )
    start.chmod(0o644)
    common = ["--no-defaults", f"--datadir={data}", f"--tmpdir={folder}"]
    if "mariadb" in server.resolve().name:
        install = find("mariadb-install-db", "mysql_install_db")
        assert install is not None, "mariadb-install-db comes with mariadbd"
        call([install, *common, "--skip-test-db", "--auth-root-authentication-method=normal"], user)
        options = []
    else:
        call([server, *common, "--initialize-insecure"], user)
        options = ["--mysqlx=OFF"]
    options += [f"--port={port}", "--bind-address=127.0.0.1", f"--socket={folder / 'socket'}", f"--init-file={start}"]
    options += [f"--pid-file={folder / 'pid'}", "--skip-name-resolve"]
    url = f"mysql://app:app@127.0.0.1:{port}"
    return Mortal([server, *common, *options], folder / "log", url, user=user)
