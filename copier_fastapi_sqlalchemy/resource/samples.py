"""Values of fields, as JSON has them, for the tests of a resource: as source code."""

from copier_fastapi_sqlalchemy.resource.fields import Field
from copier_fastapi_sqlalchemy.resource.types import length_of

FIXED = {
    "int": "7",
    "bigint": "2**40",
    "bool": "True",
    "float": "0.1",
    "date": '"2026-01-31"',
    "datetime": '"2026-01-31T12:00:00.000001Z"',
    "time": '"12:30:00.000001"',
    "interval": '"P1DT2H"',
    "uuid": '"00000000-0000-4000-8000-000000000001"',
    "json": '{"key": [1, 0.5, None, "é"]}',
    "bytes": '"AP8="',
    "email": '"ada@example.com"',
    "url": '"https://example.com/?q=1"',
}
BY_NUMBER = {
    "int": "number",
    "bigint": "2**40 + number",
    "float": "0.5 + number",
    "date": "str(date(2026, 1, 31) + timedelta(days=number))",
    "datetime": 'f"2026-01-31T12:00:00.{number:06}Z"',
    "time": 'f"12:30:00.{number:06}"',
    "uuid": "str(UUID(int=number))",
    "email": 'f"ada{number}@example.com"',
}
# Of types that lists are filtered or sorted by, but that can't be unique.
VARIED = BY_NUMBER | {
    "bool": "number == 1",
    "interval": 'f"P{number}DT2H"',
    "url": 'f"https://example.com/?q={number}"',
}
OTHER = {
    "int": "-7",
    "bigint": "-(2**63)",
    "bool": "False",
    "float": "-2.5e-300",
    "date": '"1999-12-31"',
    "datetime": '"1999-12-31T23:59:59.999999Z"',
    "time": '"23:59:59"',
    "interval": '"-P1DT0.000001S"',
    "uuid": '"ffffffff-ffff-4fff-8fff-ffffffffffff"',
    "json": "{}",
    "bytes": '""',
    "email": '"grace@example.com"',
    "url": '"http://localhost:8000"',
}


def example(field: Field, *, numbered: bool) -> str:
    """Give the code of a value; with `numbered`, of one that differs by the variable `number`, if the type allows."""
    if field.type in {"str", "text"}:
        word = field.name.replace("_", " ").capitalize()
        limit = length_of(field) if field.type == "str" else 1000
        if not numbered:
            return f'"{word[:limit]}"'
        return f'f"{word} {{number}}"' if len(word) + 2 <= limit else "str(number)"
    if field.type == "decimal":
        return decimal(field, "{number}") if numbered else decimal(field, "1")
    if field.type == "enum":
        return f'"{field.arguments[0]}"'
    return BY_NUMBER.get(field.type, FIXED[field.type]) if numbered else FIXED[field.type]


def varied(field: Field) -> str:
    """Give the code of a value that differs by the variable `number`, if lists are filtered or sorted by the type."""
    if field.type == "str" and len(field.name) + 2 > length_of(field):
        word = field.name.replace("_", " ").capitalize()
        return f'f"{word[: length_of(field) - 1]}{{number}}"'
    if field.type == "enum" and len(field.arguments) > 1:
        return f'"{field.arguments[0]}" if number == 1 else "{field.arguments[-1]}"'
    return VARIED.get(field.type) or example(field, numbered=True)


def another(field: Field) -> str:
    """Give the code of a value that differs from the example."""
    if field.type in {"str", "text"}:
        limit = length_of(field) if field.type == "str" else 1000
        other = f"Another {field.name.replace('_', ' ')}"
        return f'"{other if len(other) <= limit else "z" * min(limit, 3)}"'
    if field.type == "decimal":
        return decimal(field, "-1")
    if field.type == "enum":
        return f'"{field.arguments[-1]}"'
    return OTHER[field.type]


def decimal(field: Field, number: str) -> str:
    """Give the code of a decimal number with this digit in it, and a half where there are decimals."""
    digits, decimals = map(int, field.arguments)
    sign, digit = number[:-1] if number.startswith("-") else "", number.lstrip("-")
    text = f"{number}.5" if 0 < decimals < digits else number if decimals == 0 else f"{sign}0.{digit}"
    return f'f"{text}"' if "{" in text else f'"{text}"'
