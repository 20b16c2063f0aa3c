"""The servers of the tests start wherever the repository lies."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.harness import programs, servers


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that any account can reach, as root's servers run as another."""
    with TemporaryDirectory(prefix="servers-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_postgresql_starts_from_a_closed_folder(
    tmp_path: Path, open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = servers.postgresql_binaries()
    package = installed.parents[1]
    for part in (installed.parent, package.with_name(f"{package.name}.libs")):
        shutil.copytree(part, tmp_path / part.relative_to(package.parent), symlinks=True)
    subprocess.run(["chmod", "-R", "go=", tmp_path], check=True)
    closed = tmp_path / installed.relative_to(package.parent)
    monkeypatch.setattr(servers, "postgresql_binaries", lambda: closed)
    with servers.postgresql(open_folder / "server", lambda _: None) as url:
        assert servers.identify(url).product == "PostgreSQL"


def test_missing_programs_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEST_MYSQL_URL", raising=False)
    monkeypatch.setattr(programs, "find", lambda *_: None)
    monkeypatch.setattr(programs, "docker_answers", lambda: False)
    monkeypatch.setattr(programs, "can_install", lambda: False)
    packages = "mariadb-server-core mariadb-client-core pgbouncer chromium"
    with pytest.raises(SystemExit, match=f"apt-get install {packages}"):
        programs.main()
