"""What `dev.py` says and does, in a project that is installed already."""

import ast
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import threading
import venv
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.harness.commands import clean_environment
from tests.harness.rendering import render
from tests.harness.servers import free_port
from tests.rendered.test_install import PATIENCE, wait_until_ready

OLDEST = """
import runpy, sys
sys.version_info = (3, 8, 10)
sys.argv = ["dev.py", "serve"]
runpy.run_path("dev.py", run_name="__main__")
"""


def install(project: Path, folder: Path) -> Path:
    """Copy the project to `folder`, with an environment that has the packages of the tests'."""
    copy = Path(shutil.copytree(project, folder))
    venv.create(copy / ".venv", with_pip=False)
    (packages,) = copy.glob(".venv/lib/*/site-packages")
    for package in Path(sysconfig.get_path("purelib")).iterdir():
        (packages / package.name).symlink_to(package)
    shutil.copy(copy / "pyproject.toml", copy / ".venv" / "installed")
    return copy


@pytest.fixture
def installed(source: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A project on SQLite, or on another database, in a folder that only its owner can enter, as pytest's are."""
    answers = {"database": getattr(request, "param", "sqlite")}
    return install(render(source, tmp_path / "rendered", answers), tmp_path / "project")


on_postgresql = pytest.mark.parametrize("installed", ["postgresql"], indirect=True)
on_mysql = pytest.mark.parametrize("installed", ["mysql"], indirect=True)


def dev(project: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command of dev.py."""
    command = [sys.executable, "dev.py", *arguments]
    return subprocess.run(
        command, cwd=project, env=clean_environment(**environment), capture_output=True, text=True, check=False
    )


def test_help_lists_the_commands_and_each_command_its_options(installed: Path) -> None:
    assert all(
        re.search(rf"^ +{name} ", dev(installed, "--help").stdout, re.MULTILINE) for name in ("serve", "test", "run")
    )
    serve = dev(installed, "serve", "--help").stdout
    assert all(option in serve for option in ("--host", "--port", "--no-reload"))
    assert "pytest" in dev(installed, "test", "--help").stdout
    assert "alembic" in dev(installed, "run", "--help").stdout


@pytest.mark.parametrize("arguments", [["frobnicate"], ["serve", "--frobnicate"], []])
def test_unknown_command_or_option_is_named(installed: Path, arguments: list[str]) -> None:
    done = dev(installed, *arguments)
    assert done.returncode == 2
    assert (arguments[-1] if arguments else "COMMAND") in done.stderr.splitlines()[-1]


def test_old_python_is_told_in_one_line(installed: Path) -> None:
    tree = ast.parse((installed / "dev.py").read_text(encoding="utf-8"), feature_version=(3, 6))
    arguments = [
        one for node in ast.walk(tree) if isinstance(node, ast.arguments) for one in (*node.args, *node.kwonlyargs)
    ]
    assert all(isinstance(one.annotation, ast.Name) for one in arguments)  # Python evaluates them as it reads the file
    done = subprocess.run([sys.executable, "-c", OLDEST], cwd=installed, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "Python 3.11 or later is needed, and this is 3.8.10.\n"


def test_taken_port_is_told_before_anything_is_done(installed: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = dev(installed, "serve", "--port", str(port))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"Port {port} is taken: try --port {port + 1}.\n"
    assert "can't listen on 127.0.0.1, port 99999" in dev(installed, "serve", "--port", "99999").stderr


@pytest.mark.parametrize("options", [[], ["--host", "127.0.0.2"]])
def test_settings_say_where_to_listen_where_no_option_does(installed: Path, options: list[str]) -> None:
    host = options[-1] if options else "127.0.0.3"
    with socket.create_server((host, 0)) as taken:
        port = taken.getsockname()[1]
        (installed / ".env").write_text(f"SERVER_HOST=127.0.0.3\nSERVER_PORT={port}\n", encoding="utf-8")
        done = dev(installed, "serve", *options)
    assert done.stderr == f"Port {port} is taken: try --port {port + 1}.\n"


def test_uv_installs_where_it_is_there(installed: Path, tmp_path: Path) -> None:
    shutil.rmtree(installed / ".venv")
    uv = tmp_path / "bin" / "uv"
    uv.parent.mkdir()
    uv.write_text(f'#!/bin/sh\necho "uv $*"\nexec {Path(sys.executable).with_name("uv")} venv --help >/dev/null\n')
    uv.chmod(0o755)
    path = os.pathsep.join([str(uv.parent), os.environ["PATH"]])
    done = dev(installed, "test", "--version", PATH=path)
    lines = done.stderr.splitlines()
    assert lines[0] == "Installing into .venv with uv …"
    assert lines[1].startswith("uv pip install --python ")
    assert lines[1].endswith("--editable . --group dev")


def test_arguments_are_passed_on(installed: Path) -> None:
    assert dev(installed, "test", "--version").stdout.startswith("pytest ")
    assert "usage: alembic heads" in dev(installed, "run", "alembic", "heads", "--help").stdout


def test_mypy_says_that_a_module_of_the_project_does_not_exist(installed: Path) -> None:
    (packages,) = installed.glob(".venv/lib/*/site-packages")
    (packages / "editable.pth").write_text(f"{installed}\n", encoding="utf-8")
    (installed / "app" / "wrong.py").write_text("import app.absent\n", encoding="utf-8")
    done = dev(installed, "run", "mypy", "app/wrong.py")
    assert 'Cannot find implementation or library stub for module named "app.absent"' in done.stdout, done.stdout


@pytest.mark.each_database
@pytest.mark.base
def test_two_runs_at_once_with_workers_take_nothing_from_the_settings(
    project: Path, tmp_path: Path, database_url: str
) -> None:
    installed = install(project, tmp_path / "project")
    (installed / ".env").write_text("DB_POOL_SIZE=many\nDATABASE_URL=nowhere\nRATE_LIMIT=1\n", encoding="utf-8")

    def run(number: int) -> subprocess.CompletedProcess[str]:
        options = ["-q", *(["-n", "2"] if number else []), "tests/test_migrations.py", "tests/test_settings.py"]
        settings = {"TEST_DATABASE_URL": database_url, "DB_POOL_SIZE": str(1 - number), "db_max_overflow": "none"}
        return dev(installed, "test", *options, **settings)

    with ThreadPoolExecutor() as pool:
        for done in pool.map(run, range(2)):
            assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def data_outside(output: str) -> Iterator[Path | None]:
    """Give the folder outside the project that the server says its data is in, if there is one, and remove it."""
    found = re.search(r"its data is in (\S+)\.$", output, re.MULTILINE)
    folder = Path(found[1]) if found else None
    try:
        yield folder
    finally:
        if folder:
            shutil.rmtree(folder)


@on_postgresql
def test_postgresql_runs_in_a_closed_folder_and_leaves_it_closed(installed: Path) -> None:
    folders = [installed, *installed.parents]
    before = [folder.stat().st_mode for folder in folders]
    assert any(not mode & 0o005 for mode in before)
    done = dev(installed, "run", "alembic", "upgrade", "head")
    assert done.returncode == 0, done.stderr
    with data_outside(done.stderr) as folder:
        assert (folder is not None) == (os.geteuid() == 0)
    assert [folder.stat().st_mode for folder in folders] == before


@on_postgresql
def test_postgresql_runs_where_the_path_has_a_space(installed: Path, tmp_path: Path) -> None:
    with TemporaryDirectory(prefix="a project ", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        copy = install(installed.with_name("rendered"), Path(name) / "project")
        done = dev(copy, "run", "alembic", "upgrade", "head", HOME=str(tmp_path))
        assert done.returncode == 0, done.stderr
        with data_outside(done.stderr) as folder:
            assert folder is not None


@pytest.mark.usefixtures("heard")
@pytest.mark.parametrize("installed", ["sqlite", "postgresql"], indirect=True)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_the_service_and_the_database_server(installed: Path, number: signal.Signals) -> None:
    port, log = free_port(), installed / "serve.log"
    with log.open("wb") as output:
        serving = subprocess.Popen(
            [sys.executable, "dev.py", "serve", "--port", str(port)],
            cwd=installed,
            env=clean_environment(),
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        ready = wait_until_ready(serving, f"http://127.0.0.1:{port}")
        said = log.read_text(encoding="utf-8")
        assert ready, said
        with data_outside(said) as folder:
            if number is signal.SIGINT:
                os.killpg(serving.pid, number)  # as Ctrl-C in a terminal
            else:
                serving.send_signal(number)
            assert serving.wait(PATIENCE) == 128 + number
            assert not list((folder or installed).glob(".postgres/postmaster.pid"))
        socket.create_server(("127.0.0.1", port)).close()
    finally:
        with suppress(ProcessLookupError):
            os.killpg(serving.pid, signal.SIGINT)


class Engine(BaseHTTPRequestHandler):
    """A Docker engine that says its version and can do nothing."""

    def do_GET(self) -> None:
        """Answer a question for the version."""
        self.answer(200, {"ApiVersion": "1.45"}) if self.path.endswith("/version") else self.do_POST()

    def do_POST(self) -> None:
        """Refuse."""
        self.answer(500, {"message": "no space left on device"})

    def answer(self, status: int, body: dict[str, str]) -> None:
        """Send a response."""
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *values: object) -> None:  # noqa: A002
        """Say nothing."""


@on_mysql
def test_what_needs_no_database_starts_none(installed: Path) -> None:
    nowhere = "tcp://127.0.0.1:1"
    done = dev(installed, "run", "mypy", "--version", DOCKER_HOST=nowhere)
    assert done.stdout.startswith("mypy "), done.stderr
    for command in (
        *(["mypy", "--version"], ["pytest", "--version"], ["ruff", "check"], ["migrations.lint", "HEAD"]),
        *(["app", "--help"], ["app", "serve", "--help"]),
    ):
        assert "starting a database" not in dev(installed, "run", *command, DOCKER_HOST=nowhere).stderr


@pytest.mark.parametrize("installed", ["postgresql", "mysql"], indirect=True)
def test_openapi_alone_is_on_the_standard_output(installed: Path, tmp_path: Path) -> None:
    (installed / ".venv" / "installed").unlink()
    uv = tmp_path / "bin" / "uv"
    uv.parent.mkdir()
    uv.write_text("#!/bin/sh\necho Installed\n")
    uv.chmod(0o755)
    path = os.pathsep.join([str(uv.parent), os.environ["PATH"]])
    done = dev(installed, "run", "app", "openapi", PATH=path, DOCKER_HOST="tcp://127.0.0.1:1")
    assert json.loads(done.stdout)["openapi"], done.stderr
    assert done.stderr.splitlines() == ["Installing into .venv with uv …", "Installed"]


@on_mysql
@pytest.mark.parametrize("answers", [True, False])
def test_mysql_without_docker_ends_in_one_sentence(installed: Path, *, answers: bool) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Engine) as engine:
        threading.Thread(target=engine.serve_forever, daemon=True).start()
        host = f"tcp://127.0.0.1:{engine.server_port if answers else 1}"
        for command in (["test", "-q"], ["serve", "--port", "0"]):
            done = dev(installed, *command, DOCKER_HOST=host)
            said = done.stdout + done.stderr
            assert done.returncode == 1, said
            assert "No database: start Docker, or set DATABASE_URL, and TEST_DATABASE_URL for the tests." in said
            assert ("no space left on device" in said) == answers
            assert "Traceback" not in said
        engine.shutdown()
