"""Lets Ctrl-C wait while files are written, which takes milliseconds, so that it never finds half of them."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


class Held:
    """The handler of SIGINT that notes that Ctrl-C was pressed."""

    def __init__(self) -> None:
        """Begin with none."""
        self.is_pressed = self.lets_through = self.is_over = False

    def __call__(self, *_: object) -> None:
        """Note it, or let one through, but none while that one is handled."""
        if self.lets_through:
            self.lets_through = False
            raise KeyboardInterrupt
        self.is_pressed = not self.is_over

    def raise_if_pressed(self) -> None:
        """Let a Ctrl-C through that was held until now."""
        if self.is_pressed:
            raise KeyboardInterrupt

    @contextmanager
    def released(self) -> Iterator[None]:
        """Let Ctrl-C through in the context, also one that was held until then."""
        self.lets_through = True
        try:
            self.raise_if_pressed()
            yield
        finally:
            self.lets_through = False

    def end(self) -> None:
        """Ignore Ctrl-C from now on, because all is done."""
        self.is_over, self.is_pressed = True, False


@contextmanager
def interrupts_held() -> Iterator[Held]:
    """Let Ctrl-C wait for the end of the context, or of the outermost of several."""
    before = signal.getsignal(signal.SIGINT)
    if isinstance(before, Held):
        before.lets_through = False
        yield before
        return
    held = Held()
    if before is not signal.SIG_IGN:  # as in a job in a shell's background
        signal.signal(signal.SIGINT, held)
    try:
        yield held
    finally:
        signal.signal(signal.SIGINT, before)
    held.raise_if_pressed()
