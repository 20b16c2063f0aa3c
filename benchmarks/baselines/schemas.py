"""Request and response bodies, as Pydantic models."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, EmailStr, Field, JsonValue


class Role(StrEnum):
    ADMIN = "admin"
    AUTHOR = "author"
    READER = "reader"


class UserCreate(BaseModel):
    email: EmailStr = Field(max_length=254)
    name: str = Field(min_length=1, max_length=100)
    role: Role = Role.READER
    is_active: bool = True
    preferences: dict[str, JsonValue] = Field(default_factory=dict)


class Profile(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    bio: str
    avatar_url: str | None


class User(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    created_at: datetime
    updated_at: datetime
    email: str
    name: str
    role: Role
    is_active: bool
    preferences: dict[str, Any]
    profile: Profile | None


def name_of(tag: Any) -> Any:
    return getattr(tag, "name", tag)


# The name of a mapped tag, or a name as it is.
TagName = Annotated[str, BeforeValidator(name_of)]


class Post(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    created_at: datetime
    updated_at: datetime
    author_id: int
    title: str
    published: bool
    tags: list[TagName]


class Posts(BaseModel):
    items: list[Post]
