"""Breaks lines that a formatter leaves too long: docstrings, texts that are assigned, and comments beside code."""

import re
from collections.abc import Iterator
from textwrap import wrap

DOCSTRING = re.compile(r'( *)"""(.+)"""')
COMMENTED = re.compile(r"( *)([^'\"#]*[^'\"# ])  (# (?!noqa|type:).*)")
ASSIGNED = re.compile(r'( *)(\w+ = )"([^"\\]+)"')


def wrapped(text: str, limit: int) -> str:
    """Give Python code with lines of up to `limit` characters, where these are of text alone."""
    return "\n".join(part for line in text.split("\n") for part in _parts(line, limit))


def _parts(line: str, limit: int) -> Iterator[str]:
    if len(line) <= limit:
        yield line
    elif found := DOCSTRING.fullmatch(line):
        space = found[1]
        first, *rest = wrap(found[2], limit - len(space) - 6, break_long_words=False)
        yield f'{space}"""{first}'
        yield from (f"{space}{part}" for part in wrap(" ".join(rest), limit - len(space), break_long_words=False))
        yield f'{space}"""'
    elif found := ASSIGNED.fullmatch(line):
        space = f"{found[1]}    "
        parts = wrap(found[3], limit - len(space) - 3, break_long_words=False)
        yield f"{found[1]}{found[2]}("
        yield from (f'{space}"{part}{" " if number < len(parts) else ""}"' for number, part in enumerate(parts, 1))
        yield f"{found[1]})"
    elif found := COMMENTED.fullmatch(line):
        yield from (found[1] + found[3], found[1] + found[2])
    else:
        yield line
