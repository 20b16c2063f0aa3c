import subprocess
import sys

FORGOTTEN = """
import importlib, pkgutil, app
from app.tables import metadata

known = {*metadata.tables}
for module in pkgutil.walk_packages(app.__path__, "app."):
    importlib.import_module(module.name)
print(*metadata.tables.keys() - known)
"""


def test_tables_module_imports_every_table() -> None:
    # Other tests have imported modules of their own: a new process has imported none.
    command = [sys.executable, "-c", FORGOTTEN]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603
    assert done.stdout.split() == []
