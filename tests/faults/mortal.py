"""Database servers that can be killed: each on a port and with data that outlive its process."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from tests.harness import servers
from tests.harness.servers import call, find, free_port

PATIENCE = 60.0


class Mortal:
    """A server whose process can be killed, stopped for a while, and started again.

    Its data survive SIGKILL: unlike the servers of the other tests, it syncs what it commits.
    """

    def __init__(self, command: list[str | Path], log: Path, user: str | None, url: str) -> None:
        """Start it, and wait until it answers at `url`."""
        self.url = url
        self._command, self._log, self._user = command, log, user
        self.start()

    def start(self) -> None:
        """Start the process and wait until the server answers.

        Raises:
            NoServer: it ended, or doesn't answer in time; the text holds its log.

        """
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                self._command,
                user=self._user,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                servers.identify(self.url)
            except SQLAlchemyError as error:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise servers.NoServer(self._log.read_text(errors="replace")[-4000:]) from error
                time.sleep(0.02)
            else:
                return

    def kill(self) -> None:
        """Kill the server and its children at once, as a machine that loses its power does."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        """Stop the server as an administrator does, without waiting for its clients."""
        self._process.send_signal(signal.SIGINT if "postgres" in str(self._command[0]) else signal.SIGTERM)
        self._process.wait(PATIENCE)

    def close(self) -> None:
        """End it for good."""
        if self._process.poll() is None:
            self.kill()


@contextmanager
def mortal(database: str, folder: Path) -> Iterator[Mortal]:
    """Run a server of one's own in `folder`."""
    start = {"postgresql": _postgresql, "mysql": _mysql}[database]
    with servers.unprivileged(folder) as user:
        made = start(folder, user)
        try:
            yield made
        finally:
            made.close()


def _postgresql(folder: Path, user: str | None) -> Mortal:
    binaries = servers.executable(servers.postgresql_binaries(), folder, user)
    data, port = folder / "data", free_port()
    call([binaries / "initdb", "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8"], user)
    settings = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": ""}
    flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
    return Mortal([binaries / "postgres", "-D", data, *flags], folder / "log", user, url)


def _mysql(folder: Path, user: str | None) -> Mortal:
    server = find("mysqld", "mariadbd")
    assert server is not None, "the servers of the other tests install it"
    data, port = folder / "data", free_port()
    start = folder / "start.sql"
    start.write_text("CREATE USER IF NOT EXISTS 'app'@'%' IDENTIFIED BY 'app';\nGRANT ALL ON *.* TO 'app'@'%';\n")
    start.chmod(0o644)
    common = ["--no-defaults", f"--datadir={data}"]
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
    return Mortal([server, *common, *options], folder / "log", user, f"mysql://app:app@127.0.0.1:{port}")
