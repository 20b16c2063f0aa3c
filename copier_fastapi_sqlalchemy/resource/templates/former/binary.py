"""Bytes in JSON, as base64."""

from base64 import b64decode, b64encode
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer


def from_base64(value: Any) -> Any:
    """Return the bytes that a text in base64 stands for; raise ValueError where it is none."""
    return b64decode(value, validate=True) if isinstance(value, str) else value


def to_base64(value: bytes) -> str:
    return b64encode(value).decode()


Base64 = Annotated[
    bytes,
    BeforeValidator(from_base64),
    Field(max_length=10_000),
    PlainSerializer(to_base64, str, when_used="json"),
]
