"""Shows how far a table is: a bar on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

Advance = Callable[[int], None]
SECONDS_BETWEEN_LINES = 5.0


def show_progress(title: str, total: int) -> AbstractContextManager[Advance]:
    """Show the progress of a `with` block, which calls the function that it gets with the size of each batch."""
    return _bar(title, total) if sys.stdout.isatty() else _lines(title, total)


@contextmanager
def _bar(title: str, total: int) -> Iterator[Advance]:
    label = TextColumn("{task.description}", markup=False)
    counter = TextColumn("{task.completed:,} of {task.total:,}")
    with Progress(label, BarColumn(), counter, TimeRemainingColumn()) as progress:
        task = progress.add_task(title, total=total)
        yield lambda rows: progress.advance(task, rows)


@contextmanager
def _lines(title: str, total: int) -> Iterator[Advance]:
    done, printed_at = 0, time.monotonic()

    def advance(rows: int) -> None:
        nonlocal done, printed_at
        done += rows
        if done < total and time.monotonic() - printed_at > SECONDS_BETWEEN_LINES:
            typer.echo(f"{title}  {done:,} of {total:,}")
            printed_at = time.monotonic()

    yield advance
    typer.echo(f"{title}  {done:,} of {total:,}")
