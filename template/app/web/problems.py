"""What the client is told when something goes wrong: RFC 9457 problem details."""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from urllib.parse import quote

from fastapi import Request, Response
from pydantic import BaseModel

from app.web.logs import request_fields

RETRY_AFTER = 1  # seconds


class InvalidValue(BaseModel):
    location: list[str | int]
    detail: str


class Problem(BaseModel):
    type: str = "about:blank"
    title: str
    status: int
    detail: str
    instance: str
    request_id: str | None = None
    errors: list[InvalidValue] | None = None


def respond(
    request: Request,
    status: int,
    detail: str,
    *,
    errors: Sequence[InvalidValue] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return the problem as a response in ASCII, so that any text in it can be sent."""
    problem = Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        instance=quote(request.scope["path"], errors="replace"),
        request_id=request_fields().get("request_id"),
        errors=list(errors) if errors is not None else None,
    )
    response = Response(
        json.dumps(problem.model_dump(exclude_none=True)),
        status_code=status,
        headers=headers,
        media_type="application/problem+json",
    )
    response.headers.setdefault("Cache-Control", "no-store")  # a cache may keep a 404 otherwise
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers.setdefault("Retry-After", str(RETRY_AFTER))
    return response
