"""The bodies of requests and responses, as Pydantic has them."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, EmailStr, Field, JsonValue


class Role(StrEnum):
    """What a user may be."""

    ADMIN = "admin"
    AUTHOR = "author"
    READER = "reader"


class UserCreate(BaseModel):
    """A user to be."""

    email: EmailStr = Field(max_length=254)
    name: str = Field(min_length=1, max_length=100)
    role: Role = Role.READER
    is_active: bool = True
    preferences: dict[str, JsonValue] = Field(default_factory=dict)


class Profile(BaseModel):
    """The profile of a user."""

    model_config = ConfigDict(from_attributes=True)

    bio: str
    avatar_url: str | None


class User(BaseModel):
    """A user with its profile."""

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


class Tag(BaseModel):
    """A tag of a post."""

    model_config = ConfigDict(from_attributes=True)

    name: str


class Post(BaseModel):
    """A post without its text."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    created_at: datetime
    updated_at: datetime
    author_id: int
    title: str
    published: bool
    tags: list[Tag]


class Posts(BaseModel):
    """A page of posts."""

    items: list[Post]
