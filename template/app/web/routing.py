"""The router and the route of every resource."""

from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.routing import Match
from starlette.types import Scope


class ResourceRouter(APIRouter):
    """Compares a request with its routes only if the path has its prefix.

    So a request takes no longer where there are more resources.
    """

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if self.prefix not in scope["path"]:
            return Match.NONE, {}
        return super().matches(scope)


class StrictRoute(APIRoute):
    """Refuses a query parameter that neither the route nor a dependency of its router has."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        known = sorted(query_parameters(self.dependant))

        async def handle_strictly(request: Request) -> Response:
            if request.scope["query_string"]:
                unknown = [name for name in request.query_params if name not in known]
                if unknown:
                    raise unknown_parameters(unknown, known)
            return await handle(request)

        return handle_strictly


def query_parameters(dependant: Dependant) -> Iterator[str]:
    """Yield the names of the query parameters of a route, and of its dependencies."""
    for field in dependant.query_params:
        model = field.field_info.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            yield from (info.alias or name for name, info in model.model_fields.items())
        else:
            yield field.alias
    for dependency in dependant.dependencies:
        yield from query_parameters(dependency)


def unknown_parameters(unknown: list[str], known: list[str]) -> RequestValidationError:
    detail = f"unknown: use any of {', '.join(known)}" if known else "unknown: there are none here"
    return RequestValidationError(
        [{"type": "unknown", "loc": ("query", name), "msg": detail} for name in unknown[:10]]
    )
