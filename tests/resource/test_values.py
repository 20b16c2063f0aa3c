"""The values that resources are driven with are of every type, and are told apart as they have to be."""

import json
from typing import Any

import pytest

from copier_fastapi_sqlalchemy.resource.fields import parse_field, parse_fields
from copier_fastapi_sqlalchemy.resource.types import TYPES
from tests.resource.test_every_resource import BOOKS, ORDER_ITEMS, REFERENCES
from tests.resource.values import is_same, values_of


def test_resources_have_fields_of_every_type() -> None:
    for texts in ((*BOOKS, *REFERENCES), (*ORDER_ITEMS, "body:text")):
        assert {field.type for field in parse_fields(texts)} == {*TYPES}


@pytest.mark.parametrize("field", [*parse_fields(BOOKS), *parse_fields(ORDER_ITEMS)], ids=lambda field: field.text)
def test_values_of_a_field_differ(field: Any) -> None:
    if field.type not in {"ref", "many"}:
        values = values_of(field)
        for given in ([sent for sent, _ in values.valid], values.invalid):
            texts = [json.dumps(value) for value in given]
            assert len({*texts}) == len(texts)
        numbers = range(2 if field.type in {"bool", "enum"} else 9)
        assert len({json.dumps(values.nth(number)) for number in numbers}) == len(numbers)


@pytest.mark.parametrize(
    ("field", "read", "expected"),
    [
        ("n:interval", "P1Y", "P365D"),
        ("n:interval", "-PT1M0.5S", "-PT60.5S"),
        ("n:datetime", "2026-01-31T12:00:00Z", "2026-01-31T13:00:00+01:00"),
        ("n:float", 3, 3.0),
        ("n:json", {"a": 1, "b": None}, {"b": None, "a": 1}),
    ],
)
def test_value_has_several_forms(field: str, read: Any, expected: Any) -> None:
    assert is_same(parse_field(field), read, expected)


@pytest.mark.parametrize(
    ("field", "read", "expected"),
    [
        ("n:interval", "PT1S", "-PT1S"),
        ("n:datetime", "2026-01-31T13:00:00+01:00", "2026-01-31T13:00:00+01:00"),
        ("n:datetime", "2026-01-31T12:00:00.5Z", "2026-01-31T12:00:00.5Z"),
        ("n:decimal:4,2", "12.50", "12.5"),
        ("n:decimal:4,2", 12.5, "12.5"),
        ("n:float", True, 1.0),
        ("n:int", 1.0, 1),
        ("n:bool", 1, True),
        ("n:json", {"a": 1}, {"a": True}),
        ("n:str", None, ""),
    ],
)
def test_other_value_is_told_apart(field: str, read: Any, expected: Any) -> None:
    assert not is_same(parse_field(field), read, expected)
