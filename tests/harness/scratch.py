"""A folder for what the tests make: in memory where there is room, and open to any account."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

IN_MEMORY = Path("/dev/shm")  # noqa: S108 - a new folder in it, of a name that no one knows
ROOM = 4 * 1024**3
HOUR = 3600


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Give a new folder, and remove it at the end."""
    has_room = IN_MEMORY.is_dir() and os.access(IN_MEMORY, os.W_OK) and shutil.disk_usage(IN_MEMORY).free > ROOM
    place = IN_MEMORY if has_room and "TMPDIR" not in os.environ else Path(tempfile.gettempdir())
    remove_abandoned(place)
    prefix = f"matrix-{os.getpid()}-"
    with tempfile.TemporaryDirectory(prefix=prefix, dir=place, ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)  # root's database servers run as another account
        yield folder


def remove_abandoned(place: Path) -> None:
    """Remove the folders of runs that were killed before they could: nothing is made in them for an hour."""
    for folder in place.glob("matrix-*"):
        owner = Path("/proc", folder.name.split("-")[1])
        with suppress(FileNotFoundError):  # another run removes them too
            if not owner.exists() and time.time() - folder.stat().st_mtime > HOUR:
                shutil.rmtree(folder, ignore_errors=True)
