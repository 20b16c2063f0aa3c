"""Who makes the changes that the audit log has."""

from contextvars import ContextVar
from typing import Annotated

from fastapi import Header

from app.web.logs import request_fields
from app.web.schemas import Text

actor: ContextVar[str | None] = ContextVar("actor", default=None)


async def note_actor(
    x_actor: Annotated[
        Text | None, Header(max_length=200, description="the actor recorded in the audit log")
    ] = None,
) -> None:
    """Note who makes a request. A client can send any name: take it from your authentication.

    It has to stay async: what a sync dependency puts into a context variable is lost.
    """
    actor.set(x_actor)
    if x_actor is not None:
        request_fields()["actor"] = x_actor
