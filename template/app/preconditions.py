"""Versions of records over HTTP: `ETag` tells the one sent, `If-Match` the one to change."""

import re
from typing import Annotated, TypeVar

from fastapi import Header, Response

from app.errors import ProblemError
from app.schemas import Record

RecordT = TypeVar("RecordT", bound=Record)

IfMatch = Annotated[
    str | None, Header(description="the ETag of the record that the change is meant for")
]


class PreconditionFailedError(ProblemError):
    status = 412


def tagged(response: Response, record: RecordT) -> RecordT:
    """Return the record, and put its version into the response's header."""
    response.headers["ETag"] = f'"{record.version}"'
    return record


def versions_in(if_match: str | None) -> frozenset[int] | None:
    """Return the versions that the header names, or None where any will do.

    What is no ETag of ours, a weak one too, names none (RFC 9110, section 13.1.1).
    """
    if if_match is None or if_match.strip() == "*":
        return None
    tags = (re.fullmatch(r'"([0-9]{1,18})"', tag.strip()) for tag in if_match.split(","))
    return frozenset(int(tag[1]) for tag in tags if tag)
