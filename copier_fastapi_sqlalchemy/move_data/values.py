"""Values that databases return in different forms, made comparable."""

import json
import re
import struct
from dataclasses import dataclass, field
from decimal import Context, Decimal, Inexact
from typing import Any

NUL = re.compile("\0")
ESCAPED_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
EXACT = Context(prec=5000, traps=[Inexact])


@dataclass(frozen=True)
class JsonValue:
    """JSON as the text that is written; two are equal if they have the same value, with all digits of its numbers."""

    text: str = field(compare=False)
    value: str

    @classmethod
    def parse(cls, read: str | float) -> "JsonValue":
        """Take a text, or a number, which SQLite makes of JSON that is one; raises ValueError if it isn't JSON."""
        text = read if isinstance(read, str) else json.dumps(read)
        value = json.loads(text, parse_int=_number, parse_float=_number, object_pairs_hook=_sorted_by_key)
        return cls(text, repr(value))


def _number(digits: str) -> Decimal:
    """Read a number so that 1, 1.0 and 10e-1 are the same, and 0 and -0 too."""
    return EXACT.add(Decimal(digits), Decimal(0)).normalize(EXACT)


def _sorted_by_key(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return dict(sorted(dict(pairs).items()))


def shortest_float(value: float) -> float:
    """Give the number with the fewest digits that is the same in single precision: 0.1 for 0.10000000149."""
    candidates = (float(f"{value:.{digits}g}") for digits in range(6, 10))
    return next(short for short in candidates if struct.pack("f", short) == struct.pack("f", value))
