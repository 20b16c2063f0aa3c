"""Lets Ctrl-C wait while files are written, which takes milliseconds, so that it never finds half of them."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Held:
    """The handler of SIGINT that notes that Ctrl-C was pressed."""

    def __init__(self, before: Any) -> None:
        """Take the handler that there was before."""
        self.before, self.is_pressed = before, False

    def __call__(self, *_: object) -> None:
        """Note it."""
        self.is_pressed = True

    @contextmanager
    def released(self) -> Iterator[None]:
        """Let Ctrl-C through in the context, also one that was held until then."""
        if self.is_pressed:
            raise KeyboardInterrupt
        holding = signal.signal(signal.SIGINT, self.before)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, holding)


@contextmanager
def interrupts_held() -> Iterator[Held]:
    """Let Ctrl-C wait for the end of the context, or of the outermost of several."""
    before = signal.getsignal(signal.SIGINT)
    if isinstance(before, Held):
        yield before
        return
    held = Held(before)
    if before is not signal.SIG_IGN:  # as in a job in a shell's background
        signal.signal(signal.SIGINT, held)
    try:
        yield held
    finally:
        signal.signal(signal.SIGINT, before)
    if held.is_pressed:
        raise KeyboardInterrupt
