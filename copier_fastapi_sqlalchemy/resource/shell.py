"""Commands as a user types them."""

import os
import shlex
import subprocess
from collections.abc import Sequence

IS_WINDOWS = os.name == "nt"


def typed(words: Sequence[str]) -> str:
    """Give a command as it is typed in a shell."""
    return subprocess.list2cmdline(words) if IS_WINDOWS else shlex.join(words)
