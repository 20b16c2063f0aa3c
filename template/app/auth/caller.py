"""Who makes a request, or means to."""

from dataclasses import dataclass, field

from fastapi import HTTPException

from app.users.role import Role


@dataclass(frozen=True)
class Caller:
    id: int
    role: Role
    session_id: int
    digest: str = field(repr=False)  # of the token that it called with


@dataclass(frozen=True)
class Account:
    """A user who can log in."""

    user_id: int
    email: str
    password_hash: str = field(repr=False)


@dataclass(frozen=True)
class Device:
    """Where a request comes from, as the list of sessions shows it."""

    user_agent: str
    address: str


def not_logged_in() -> HTTPException:
    detail = "Log in: the request has no token, or one that is no longer valid."
    return HTTPException(401, detail, headers={"WWW-Authenticate": "Bearer"})
