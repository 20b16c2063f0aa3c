"""ETags of records, the If-Match of those who write to them, and the If-None-Match of readers."""

from typing import Annotated, Any, TypeVar

from fastapi import Header, HTTPException, Request, Response

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
    names = listed(if_match)
    if names != {"*"} and names.isdisjoint(record.etag for record in shown):
        raise HTTPException(412, f"If-Match isn't the record's ETag, which is {shown[0].etag}.")


def without_known_body(request: Request, response: Response) -> Response:
    """Return a 304 where If-None-Match has `*` or the ETag of what is read; else the response.

    A weak ETag matches too (RFC 9110, section 13.1.2).
    """
    etag = response.headers.get("ETag")
    if etag is None or request.method != "GET":
        return response
    names = listed(request.headers.getlist("If-None-Match"))
    if names != {"*"} and etag not in {name.removeprefix("W/") for name in names}:
        return response
    of_body = {"content-length", "content-type"}
    headers = {name: value for name, value in response.headers.items() if name not in of_body}
    return Response(status_code=304, headers=headers, background=response.background)


def listed(headers: list[str]) -> set[str]:
    """Return what is in a list that may be in several headers."""
    return {name.strip() for name in ",".join(headers).split(",")}
