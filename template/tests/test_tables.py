import subprocess
import sys

TABLES = "from app.tables import metadata\nprint(*metadata.tables)"
EVERY_MODULE = """
import importlib, pkgutil, app
for module in pkgutil.walk_packages(app.__path__, "app."):
    importlib.import_module(module.name)
"""


def run(code: str) -> set[str]:
    """Return the words that a new process prints, in which no test has imported a module."""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603
    return set(done.stdout.split())


def test_tables_module_imports_every_table() -> None:
    assert run(TABLES) == run(EVERY_MODULE + TABLES)
