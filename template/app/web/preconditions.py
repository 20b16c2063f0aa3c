"""ETags of records, and the If-Match of those who write to them."""

from typing import Annotated, Any, TypeVar

from fastapi import Header, HTTPException, Response

from app.web.openapi import ETAG_HEADER, Responses
from app.web.schemas import Record

ETAG: dict[str, Any] = {"headers": {"ETag": ETAG_HEADER}}
WITH_ETAG: Responses = {200: ETAG}

RecordT = TypeVar("RecordT", bound=Record)

IfMatch = Annotated[
    list[str] | None, Header(description="the ETags of the record that the write is meant for")
]


def with_etag(response: Response, record: RecordT) -> RecordT:
    """Return the record, and put its ETag into the response's headers."""
    response.headers["ETag"] = record.etag
    return record


def require_match(if_match: list[str], *shown: Record) -> None:
    """Raise a 412 where the headers name neither `*` nor an ETag of the record, as it is shown.

    The caller has locked the record. A weak ETag never matches (RFC 9110, section 13.1.1).
    """
    names = {name.strip() for name in ",".join(if_match).split(",")}
    if names != {"*"} and names.isdisjoint(record.etag for record in shown):
        raise HTTPException(412, f"If-Match isn't the record's ETag, which is {shown[0].etag}.")
