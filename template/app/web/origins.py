"""The origins whose pages may call the service, as the settings name them."""

import re
from collections.abc import Iterable

ORIGIN = re.compile(r"\*|[a-z][a-z0-9+.-]*://[^/\s?#]+")
# No page has this origin: a pattern that it matches is one for any.
NOBODY = "https://nobody.invalid"


def parse_origins(value: str | Iterable[str]) -> tuple[str, ...]:
    """Return the origins of a list with commas or spaces; raise ValueError where one is none."""
    names = value.replace(",", " ").split() if isinstance(value, str) else value
    origins = tuple(name.lower() for name in names)
    if not all(ORIGIN.fullmatch(origin) for origin in origins):
        raise ValueError("expected origins such as https://app.example.com, without a path")
    return origins


def parse_pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"expected a regular expression: {error}") from None
    return value


def allow_any(origins: Iterable[str], pattern: str) -> bool:
    """Return whether pages of any origin may call the service."""
    return "*" in origins or re.fullmatch(pattern, NOBODY) is not None
