"""What goes wrong, said to the client as RFC 9457 problem details."""

import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, ClassVar

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.routing import Match

from app.db.errors import is_foreign_key_violation, is_unavailable, is_unique_violation

METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
RETRY_AFTER = 1
REF_TEMPLATE = "#/components/schemas/{model}"

logger = logging.getLogger(__name__)


class InvalidValue(BaseModel):
    location: list[str | int]
    detail: str


class Problem(BaseModel):
    type: str = "about:blank"
    title: str
    status: int
    detail: str
    instance: str
    errors: list[InvalidValue] | None = None


class ProblemError(Exception):
    """An error whose detail the client may read."""

    status: ClassVar[int]
    headers: ClassVar[dict[str, str]] = {}

    def __init__(self, detail: str, errors: Sequence[InvalidValue] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = errors


class BadCursorError(ProblemError):
    status = 400


class NotFoundError(ProblemError):
    status = 404


class ConflictError(ProblemError):
    status = 409


class InvalidError(ProblemError):
    """A value that can be read but not used; `location` is the way to it."""

    status = 422

    def __init__(self, location: Sequence[str | int], detail: str) -> None:
        super().__init__(detail, [InvalidValue(location=list(location), detail=detail)])


class UnavailableError(ProblemError):
    status = 503
    headers: ClassVar[dict[str, str]] = {"Retry-After": str(RETRY_AFTER)}


@contextmanager
def conflict_on_duplicate(detail: str) -> Iterator[None]:
    """Raise ConflictError with this detail where a statement inside breaks a unique constraint."""
    try:
        yield
    except IntegrityError as error:
        if is_unique_violation(error):
            raise ConflictError(detail) from error
        raise


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI responses of a route that can fail with these statuses."""
    schema = {"$ref": REF_TEMPLATE.format(model=Problem.__name__)}
    content = {"application/problem+json": {"schema": schema}}
    responses: dict[int | str, dict[str, Any]] = {
        status: {"description": HTTPStatus(status).phrase, "content": content}
        for status in statuses
    }
    for status in responses.keys() & {429, 503}:
        responses[status]["headers"] = {
            "Retry-After": {"description": "seconds", "schema": {"type": "integer"}}
        }
    return responses


def declare_problem(openapi: dict[str, Any]) -> dict[str, Any]:
    """Add the schema that the responses of `problems` refer to."""
    _, schemas = models_json_schema([(Problem, "serialization")], ref_template=REF_TEMPLATE)
    openapi.setdefault("components", {}).setdefault("schemas", {}).update(schemas["$defs"])
    return openapi


def respond(
    request: Request,
    status: int,
    detail: str,
    *,
    errors: Sequence[InvalidValue] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """Return the problem as a response in ASCII, so that any text in it can be sent."""
    problem = Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        instance=request.url.path,
        errors=list(errors) if errors is not None else None,
    )
    return Response(
        json.dumps(problem.model_dump(exclude_none=True)),
        status_code=status,
        headers=headers,
        media_type="application/problem+json",
    )


async def respond_problem(request: Request, error: ProblemError) -> Response:
    return respond(request, error.status, error.detail, errors=error.errors, headers=error.headers)


async def respond_http_error(request: Request, error: HTTPException) -> Response:
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(allowed_methods(request))
    return respond(request, error.status_code, str(error.detail), headers=headers)


def allowed_methods(request: Request) -> list[str]:
    """Return the methods of all the routes that share the path of a request."""
    return [
        method
        for method in METHODS
        if any(
            route.matches({**request.scope, "method": method})[0] is Match.FULL
            for route in request.app.routes
        )
    ]


async def respond_invalid(request: Request, error: RequestValidationError) -> Response:
    if any(e["type"] == "json_invalid" for e in error.errors()):
        return respond(request, 400, "The body is not JSON.")
    errors = [
        InvalidValue(location=list(e["loc"]), detail=e["msg"].removeprefix("Value error, "))
        for e in error.errors()
    ]
    return respond(request, 422, "The request has values that can't be used.", errors=errors)


async def respond_database_error(request: Request, error: DBAPIError) -> Response:
    if is_unique_violation(error):
        return respond(request, 409, "A value that must be unique is taken.")
    if is_foreign_key_violation(error):
        detail = "It names a row that doesn't exist."
        return await respond_problem(request, InvalidError(["body"], detail))
    if is_unavailable(error):
        return await respond_busy(request, error)
    raise error


async def respond_busy(request: Request, error: Exception) -> Response:
    logger.warning("The database can't serve a request: %s", error)
    return await respond_problem(request, UnavailableError("The database is busy or out of reach."))


async def respond_failure(request: Request, _error: Exception) -> Response:
    return respond(request, 500, "The service failed; its log has the reason.")


def add_handlers(app: FastAPI) -> None:
    """Answer every error of the application with a problem."""
    app.exception_handler(ProblemError)(respond_problem)
    app.exception_handler(HTTPException)(respond_http_error)
    app.exception_handler(RequestValidationError)(respond_invalid)
    app.exception_handler(DBAPIError)(respond_database_error)
    app.exception_handler(PoolTimeoutError)(respond_busy)
    app.exception_handler(Exception)(respond_failure)
