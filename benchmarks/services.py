"""Renders projects, migrates their databases, and runs services, each in a process of its own."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import make_url

from tests.harness.rendering import render
from tests.harness.servers import Server, free_port
from tests.harness.variants import ROOT, Variant, choices

# A service runs on one core; the client and the database servers share another.
SERVICE_CORE, *_, CLIENT_CORE = sorted(os.sched_getaffinity(0)) * 2
START_TIMEOUT = 60.0
DRIVERS = {
    ("postgresql", "async"): "postgresql+asyncpg",
    ("postgresql", "sync"): "postgresql+psycopg",
    ("mysql", "async"): "mysql+asyncmy",
    ("mysql", "sync"): "mysql+pymysql",
    ("sqlite", "async"): "sqlite+aiosqlite",
    ("sqlite", "sync"): "sqlite+pysqlite",
}


class ServiceFailed(Exception):
    """A service, or the migration of its database, failed."""


@dataclass(frozen=True)
class Bench:
    """What a section measures with: database servers, the template's source, and a folder for what is rendered."""

    servers: Sequence[Server]
    source: Path
    folder: Path
    quick: bool

    def rounds(self, number: int) -> int:
        """Return how many rounds or requests to measure: one in a quick run, `number` in others."""
        return 1 if self.quick else number

    def seconds(self, number: float) -> float:
        """Return how long to measure: a tenth of a second in a quick run, `number` seconds in others."""
        return 0.1 if self.quick else number

    def some(self, values: Sequence[str]) -> Sequence[str]:
        """Return what to measure of several: the first one in a quick run, all of them in others."""
        return values[:1] if self.quick else values

    def choices(self, key: str) -> Sequence[str]:
        """Return the answers to measure with: the first one in a quick run, all of them in others."""
        return self.some(choices(key))

    def is_main(self, server: Server) -> bool:
        """Tell whether all is measured on this server: PostgreSQL, or the first one in a quick run."""
        return server == self.servers[0] if self.quick else server.database == "postgresql"

    def render(self, variant: Variant, url: str, extras: Sequence[str] = ()) -> Path:
        """Render a variant and migrate the database at `url`; return the project's folder.

        Raises:
            ServiceFailed: the migration failed.

        """
        project = self.folder / "+".join([variant.id, *extras])
        if not project.exists():
            render(self.source, project, {**variant.answers, "extras": list(extras)})
        command = [sys.executable, "-m", "alembic", "upgrade", "head"]
        environment = {**os.environ, "DATABASE_URL": url}
        done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise ServiceFailed(done.stdout + done.stderr)
        return project


@dataclass(frozen=True)
class Service:
    """A running service."""

    name: str
    port: int
    pid: int
    log: Path

    def cpu_seconds(self) -> float:
        """Return the CPU time that the service has used so far, that of its workers included."""
        return cpu_seconds_of(self.pid)

    def memory_mb(self) -> float:
        """Return how many MB of the machine's memory the process holds."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def cpu_seconds_of(pid: int) -> float:
    """Return the CPU time that a process and its children have used so far, those included that have ended."""
    own = time.clock_gettime(~pid << 3 | 2)
    ended = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[13:15]
    seconds = own + sum(map(int, ended)) / os.sysconf("SC_CLK_TCK")
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split():
        with suppress(OSError):  # it has just ended
            seconds += cpu_seconds_of(int(child))
    return seconds


@contextmanager
def rendered(
    project: Path,
    url: str,
    *,
    count_statements: bool = False,
    variables: Mapping[str, str] | None = None,
    workers: int = 1,
) -> Iterator[Service]:
    """Run the service of a rendered project; with `count_statements`, its responses have a header with their number."""
    application = "benchmarks.counting:create_app" if count_statements else "app.main:create_app"
    options = ["--factory", application, "--http", "app.web.protocol:Http", "--workers", str(workers)]
    with _running(project.name, options, project, url, variables or {}) as service:
        yield service


@contextmanager
def baseline(name: str, url: str, folder: Path, io: str = "") -> Iterator[Service]:
    """Run one of benchmarks/baselines; with `io`, which the textbooks need, it connects by SQLAlchemy's driver."""
    module = "_".join(filter(None, [name, io]))
    if io:
        parsed = make_url(url)
        url = parsed.set(drivername=DRIVERS[parsed.drivername, io]).render_as_string(hide_password=False)
    with _running(name, [f"benchmarks.baselines.{module}:app", "--http", "httptools"], folder, url, {}) as service:
        yield service


@contextmanager
def _running(
    name: str, options: Sequence[str], folder: Path, url: str, variables: Mapping[str, str]
) -> Iterator[Service]:
    port = free_port()
    log = folder / f"{port}.log"
    command = [sys.executable, "-m", "uvicorn", *options, "--port", str(port), "--loop", "uvloop"]
    command += ["--no-access-log", "--log-level", "warning", "--timeout-keep-alive", "3600"]
    environment = {**os.environ, "DATABASE_URL": url, "PYTHONPATH": str(ROOT), "LOG_LEVEL": "warning", **variables}
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=output)
    try:
        os.sched_setaffinity(process.pid, {SERVICE_CORE})
        _wait_until_listening(name, process, port, log)
        yield Service(name, port, process.pid, log)
    finally:
        process.terminate()
        process.wait()


def _wait_until_listening(name: str, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise ServiceFailed(f"{name} doesn't listen: {log.read_text(encoding='utf-8')}") from error
            time.sleep(0.02)
        else:
            return
