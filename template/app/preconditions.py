"""Versions of records over HTTP: `ETag` tells the one sent, `If-Match` the one to change."""

import re
from typing import Annotated, Any, TypeVar

from fastapi import Header, Response

from app.errors import ProblemError
from app.schemas import Record

TAGGED: dict[int | str, dict[str, Any]] = {
    200: {"headers": {"ETag": {"schema": {"type": "string"}}}}
}

RecordT = TypeVar("RecordT", bound=Record)

IfMatch = Annotated[
    list[str] | None, Header(description="the ETags of the record that the change is meant for")
]


class PreconditionFailedError(ProblemError):
    status = 412


def tagged(response: Response, record: RecordT) -> RecordT:
    """Return the record, and put its version into the response's header."""
    response.headers["ETag"] = f'"{record.version}"'
    return record


def versions_in(if_match: list[str] | None) -> frozenset[int] | None:
    """Return the versions that the headers name, or None where any will do.

    What is no ETag of ours, a weak one too, names none (RFC 9110, section 13.1.1).
    """
    names = ",".join(if_match or ["*"])
    if names.strip() == "*":
        return None
    tags = (re.fullmatch(r'"([1-9][0-9]{0,17})"', name.strip()) for name in names.split(","))
    return frozenset(int(tag[1]) for tag in tags if tag)
