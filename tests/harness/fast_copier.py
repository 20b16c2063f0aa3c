"""Copier's program as rendering.py makes it fast, with what Jinja made of the template's texts kept from run to run.

It takes a third of the time. A test of updates and some of copies run Copier's own.
"""

import atexit
import marshal
import os
import sys
from collections.abc import Mapping
from importlib.metadata import version

from copier._cli import CopierApp

from tests.harness.rendering import COMPILED
from tests.harness.variants import ROOT

COMMAND = [
    sys.executable,
    "-P",
    "-c",
    f"import sys; sys.path.append({str(ROOT)!r}); from tests.harness.fast_copier import main; main()",
]
VERSIONS = "-".join([sys.implementation.cache_tag or "", *map(version, ("jinja2", "copier"))])
KEPT = ROOT / ".cache" / f"templates-{VERSIONS}"
MAX_SIZE = 2**25


def main() -> None:
    """Run Copier with the arguments of this process."""
    if KEPT.exists() and KEPT.stat().st_size < MAX_SIZE:
        COMPILED.update(marshal.loads(KEPT.read_bytes()))  # noqa: S302 - which it wrote
    atexit.register(keep, COMPILED, len(COMPILED))
    CopierApp.run(["copier", *sys.argv[1:]])


def keep(compiled: Mapping[tuple[str, ...], object], known: int) -> None:
    """Write what was compiled, if this run has added to it."""
    if len(compiled) > known:
        KEPT.parent.mkdir(exist_ok=True)
        beside = KEPT.with_name(f"{KEPT.name}-{os.getpid()}")
        beside.write_bytes(marshal.dumps({**compiled}))
        beside.replace(KEPT)
