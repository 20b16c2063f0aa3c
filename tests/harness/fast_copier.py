"""Copier's program, with what Jinja made of the template's texts kept from run to run: it takes a third of the time.

It does what Copier's own does, which a few tests run.
"""

import atexit
import marshal
import os
import sys
from collections.abc import Mapping

from copier._cli import CopierApp

from tests.harness.rendering import COMPILED
from tests.harness.variants import ROOT

COMMAND = [
    sys.executable,
    "-P",
    "-c",
    f"import sys; sys.path.append({str(ROOT)!r}); from tests.harness.fast_copier import main; main()",
]
KEPT = ROOT / ".cache" / f"templates-{sys.implementation.cache_tag}"
MAX_SIZE = 2**25


def main() -> None:
    """Run Copier with the arguments of this process."""
    if KEPT.exists() and KEPT.stat().st_size < MAX_SIZE:
        COMPILED.update(marshal.loads(KEPT.read_bytes()))  # noqa: S302 - which it wrote
    atexit.register(keep, COMPILED, len(COMPILED))
    CopierApp.run(["copier", *sys.argv[1:]])


def keep(compiled: Mapping[tuple[str, ...], object], known: int) -> None:
    """Keep what has come to what was known."""
    if len(compiled) > known:
        KEPT.parent.mkdir(exist_ok=True)
        beside = KEPT.with_name(f"{KEPT.name}-{os.getpid()}")
        beside.write_bytes(marshal.dumps({**compiled}))
        beside.replace(KEPT)
