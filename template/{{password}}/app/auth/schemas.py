from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr, StrictBool

from app.users.role import Role
from app.users.schemas import Name
from app.web.emails import Email
from app.web.schemas import Input, Output, Text, no_nul_or_surrogate

MIN_PASSWORD = 12


def _storable(password: SecretStr) -> SecretStr:
    no_nul_or_surrogate(password.get_secret_value())
    return password


def _long(password: SecretStr) -> SecretStr:
    if len(password) < MIN_PASSWORD:
        raise ValueError(f"use {MIN_PASSWORD} characters at least")
    return password


Password = Annotated[SecretStr, Field(max_length=256), AfterValidator(_storable)]
NewPassword = Annotated[Password, AfterValidator(_long)]


class Registration(Input):
    email: Email
    name: Name


class NewAccount(Registration):
    password: NewPassword


class PasswordResetRequest(Input):
    email: Email


class PasswordSet(Input):
    token: Text = Field(max_length=100, description="from the mail")
    password: NewPassword


class Credentials(Input):
    email: Email
    password: Password
    cookie: StrictBool = Field(
        default=False, description="keep the token in a cookie, which no script can read"
    )


class PasswordChange(Input):
    old: Password
    new: NewPassword


class Accepted(Output):
    detail: str = "A mail is on its way, if the address has an account or can have one."


class TokenPublic(Output):
    token: str | None = Field(description="null where it is in the cookie")
    expires_at: datetime


class Me(Output):
    id: int
    email: str
    name: str
    role: Role


class SessionPublic(Output):
    id: int
    user_agent: str
    address: str
    created_at: datetime
    expires_at: datetime
    is_current: bool = False


class Sessions(Output):
    items: list[SessionPublic]
