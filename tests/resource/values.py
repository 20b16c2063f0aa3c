"""Values of each type of a field, as JSON has them: at its edges, beyond them, and in order.

They are chosen by hand from what the documentation says of each type. Nothing of them comes from the generator.
"""

import base64
import json
import re
import string
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from copier_fastapi_sqlalchemy.resource.fields import Field
from tests.contract.schemas import MOMENT

SAME = object()
UNICODE = "Straße, naïve, 日本語, \N{GRINNING FACE}, \u202eאבג, e\u0301"
AWKWARD = '  it\'s 100% "a\\b" :c ::d {e} $1 <f> ; -- _\t\r\n'
NO_TEXT = (5, True, ["a"], {"a": 1}, "a\x00b", "\ud83d")
DURATION = re.compile(
    r"(?P<sign>[-+]?)P(?:(?P<years>\d+)Y)?(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?"
)


@dataclass(frozen=True)
class Values:
    """Values of a type: `valid` are pairs of what is sent and what is read then, and `nth` grows with its number."""

    valid: list[tuple[Any, Any]]
    invalid: list[Any]
    nth: Callable[[int], Any]


def values_of(field: Field) -> Values:
    """Give values for a field that isn't a reference."""
    valid, invalid, nth = _KINDS[field.type](field)
    pairs = [value if isinstance(value, tuple) else (value, value) for value in valid]
    return Values(pairs, invalid, nth)


def is_same(field: Field, read: Any, expected: Any) -> bool:
    """Tell whether a value that was read is the expected one: in its own form where the type has only one."""
    if read is None or expected is None:
        return read is expected
    if field.type == "interval":
        return isinstance(read, str) and duration(read) == duration(expected)
    if field.type == "datetime":
        return MOMENT.fullmatch(read) is not None and datetime.fromisoformat(read) == datetime.fromisoformat(expected)
    if field.type == "json":
        return json.dumps(read, sort_keys=True) == json.dumps(expected, sort_keys=True)
    if field.type == "float":
        return not isinstance(read, bool) and bool(read == expected)
    return type(read) is type(expected) and bool(read == expected)


def duration(text: str) -> timedelta:
    """Read an interval of ISO 8601; a year has 365 days."""
    found = DURATION.fullmatch(text)
    assert found, text
    numbers = {unit: Decimal(number) for unit, number in found.groupdict().items() if number and unit != "sign"}
    seconds = numbers.pop("seconds", Decimal(0))
    days = 365 * int(numbers.pop("years", 0)) + 7 * int(numbers.pop("weeks", 0)) + int(numbers.pop("days", 0))
    whole = {unit: int(number) for unit, number in numbers.items()}
    total = timedelta(days=days, microseconds=int(seconds * 1_000_000), **whole)
    return -total if found["sign"] == "-" else total


def default_of(field: Field) -> Any:
    """Give the default that was typed, as JSON has it."""
    text = field.default or ""
    if field.type in {"int", "bigint"}:
        return int(text)
    if field.type == "float":
        return float(text)
    if field.type == "bool":
        return text == "true"
    return plain(Decimal(text)) if field.type == "decimal" else text


def plain(number: Decimal) -> str:
    """Write a number without an exponent, and with no decimals that say nothing."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


Kind = tuple[list[Any], list[Any], Callable[[int], Any]]


def letter(number: int) -> str:
    """Give the letter with this number; after z comes za."""
    return "z" * (number // 25) + string.ascii_lowercase[number % 25]


def _str(field: Field) -> Kind:
    length = int(field.arguments[0]) if field.arguments else 200
    whole = [text[:length] for text in (UNICODE, AWKWARD, "null", "0")]
    longest = [letter(1) * length, "\N{GRINNING FACE}" * length]
    return [*longest, *whole, ""], [letter(1) * (length + 1), *NO_TEXT], letter


def _text(_field: Field) -> Kind:
    valid = [UNICODE, AWKWARD, "\N{GRINNING FACE}" * 10_000, ""]
    return valid, ["x" * 10_001, *NO_TEXT], letter


def _integer(bits: int) -> Callable[[Field], Kind]:
    least, greatest = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1

    def kind(_field: Field) -> Kind:
        invalid = [greatest + 1, least - 1, 10**30, 1.5, "1", True, "", [1], float("nan"), float("inf")]
        return [greatest, least, -1, 0], invalid, lambda number: greatest // 2 + number

    return kind


def _bool(_field: Field) -> Kind:
    return [True, False], [1, 0, "true", "", []], lambda number: number % 2 == 1


def _float(_field: Field) -> Kind:
    valid = [1.7976931348623157e308, -1.7976931348623157e308, 2.2250738585072014e-308, 0.1, -1e-7, (3, 3.0), 0.0]
    valid += [2**53 + 1.0, 1 / 3, 123456789.123456789]
    return valid, [float("nan"), float("inf"), -float("inf"), "1.5", True, "", {}], lambda number: number + 0.5


def _decimal(field: Field) -> Kind:
    digits, decimals = map(int, field.arguments)
    step = Decimal(1).scaleb(-decimals)
    greatest = (10**digits - 1) * step
    half = Decimal("0.5") if decimals else Decimal(1)
    if digits > decimals:
        half += 2
    valid: list[Any] = [(plain(number), plain(number)) for number in (greatest, -greatest, step, -step)]
    valid += [("0", "0"), (f"{-step * 0:f}", "0"), (str(half), plain(half)), (float(half), plain(half))]
    if decimals:
        valid += [(f"{half:.{decimals}f}", plain(half))]
    beyond = [plain(greatest + step), plain(-greatest - step), plain(step / 10), "1e99", "NaN", "Infinity", "-sNaN"]
    return valid, [*beyond, "", "1,5", True, [1], float("nan")], lambda number: plain((number + 1) * step)


NUMBERS: list[Any] = [
    *(0, 86400, -1, 1.5, 8.64e4 + 0.5, 10**400, True, False),
    *("0", "86400", "-1", "+1.", "+5", "8.64e4", "+1.5E+1", ".5", "1_000", " 5 ", "20270101", "1e400", "inf", "nan"),
]


def _date(_field: Field) -> Kind:
    valid = ["2026-02-28", "2024-02-29", "0001-01-01", "9999-12-31"]
    invalid = [
        *NUMBERS,
        "2026-02-29",
        "2026-13-01",
        "2026-01-31T12:00:00",
        "yesterday",
        "",
        "0000-01-01",
        "10000-01-01",
        [],
    ]
    return valid, invalid, lambda number: str(date(2026, 1, 30) + timedelta(days=number))


def _datetime(_field: Field) -> Kind:
    valid = [
        ("2026-01-31T12:00:00.000001+05:30", "2026-01-31T06:30:00.000001+00:00"),
        ("2026-03-29T02:30:00-11:00", "2026-03-29T13:30:00+00:00"),
        ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00+00:00"),
        ("1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999+00:00"),
        ("2038-01-19T03:14:08.5Z", "2038-01-19T03:14:08.500000+00:00"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+00:00"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999+00:00"),
    ]
    beyond = ["0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00"]
    invalid = ["2026-01-31T12:00:00", "2026-02-30T00:00:00Z", "2026-01-31T24:01:00Z", "noon", "", *NUMBERS, *beyond]
    first = datetime(2026, 1, 31, 12, tzinfo=UTC)
    return valid, invalid, lambda number: (first + timedelta(microseconds=number)).isoformat()


def _time(_field: Field) -> Kind:
    valid = ["00:00:00", "23:59:59.999999", "12:30:00.000001", ("12:30", "12:30:00")]
    invalid = ["24:00:00", "12:60:00", "12:30:00Z", "12:30:00+01:00", "noon", "", *NUMBERS, []]
    return valid, invalid, lambda number: f"12:30:00.{number + 1:06}"


def _interval(_field: Field) -> Kind:
    valid = ["P1DT2H3M4.000005S", "-P1DT0.000001S", "PT0S", "P100000000D", "-P100000000D", "PT0.000001S"]
    invalid = ["P100000001D", "-P100000000DT0.000001S", "soon", "", *NUMBERS, []]
    return valid, invalid, lambda number: f"PT{number}S"


def _uuid(_field: Field) -> Kind:
    upper = "6BA7B810-9DAD-11D1-80B4-00C04FD430C8"
    valid = [str(UUID(int=0)), str(UUID(int=2**128 - 1)), (upper, upper.lower())]
    return valid, ["none", "", upper[:-1], 5, True], lambda number: str(UUID(int=number + 1, version=4))


def _json(_field: Field) -> Kind:
    nested: dict[str, Any] = {}
    for _ in range(19):
        nested = {"a": nested}
    numbers = {"a": [2**63 - 1, -(2**63), 0, -1, 0.1, 1e-7, 1.5, 12345678.25, True, False, None]}
    valid = [numbers, nested, {"": {"b": [[], {}, ""]}, UNICODE: [AWKWARD]}, {"x" * 1000: "null"}, {}]
    invalid: list[Any] = [[], "{}", 5, True, {"a": 2**63}, {"a": [-(2**63) - 1]}, {"a": 1e300}, {"a": nested}]
    invalid += [{"a": float("nan")}, {"a": {"b": "\x00"}}, {"\x00": 1}, {"a": "\ud83d"}, {"x" * 70_000: 1}]
    return valid, invalid, lambda number: {"n": number}


def _bytes(_field: Field) -> Kind:
    given = [b"", bytes(range(256)), b"\xff" * 10_000, b"\x00"]
    valid = [base64.b64encode(value).decode() for value in given]
    too_long = base64.b64encode(b"x" * 10_001).decode()
    return (
        valid,
        [too_long, "no base64!", "AP8", "é", 5, True, []],
        lambda number: base64.b64encode(bytes([number])).decode(),
    )


def _email(_field: Field) -> Kind:
    label = "x" * 60
    longest = f"{'a' * 64}@{label}.{label}.{label}.com"
    valid = [("Ada.Lovelace+Notes@Example.COM", "ada.lovelace+notes@example.com"), longest, "o'hara@example.org"]
    valid += [(" ada@example.com ", "ada@example.com")]
    invalid = ["nobody", "", "@example.com", "ada@", "a b@example.com", 5, True]
    invalid += ["Ada <ada@example.com>", "=?utf-8?q?x?=@example.com"]
    return valid, invalid, lambda number: f"{letter(number)}@example.com"


def _url(_field: Field) -> Kind:
    start = "https://example.com/"
    valid = [start + "x" * (2000 - len(start)), "http://localhost:8000", "https://example.com/a%20b?q=%C3%A9&r=1#f"]
    valid += ["HTTPS://Example.com", "http://[::1]/", "https://bücher.example/ä"]
    invalid = ["example.com", "ftp://example.com", "javascript:alert(1)", "http://", "http://a b", "", 5, True]
    invalid += ["https://example.com/\x00", " https://example.com", start + "x" * (2001 - len(start))]
    return valid, invalid, lambda number: start + letter(number)


def _enum(field: Field) -> Kind:
    members = list(field.arguments)
    return members, ["no such value", members[0].upper(), "", 5, True], lambda number: members[number % len(members)]


_KINDS: dict[str, Callable[[Field], Kind]] = {
    "str": _str,
    "text": _text,
    "int": _integer(32),
    "bigint": _integer(64),
    "bool": _bool,
    "float": _float,
    "decimal": _decimal,
    "date": _date,
    "datetime": _datetime,
    "time": _time,
    "interval": _interval,
    "uuid": _uuid,
    "json": _json,
    "bytes": _bytes,
    "email": _email,
    "url": _url,
    "enum": _enum,
}
