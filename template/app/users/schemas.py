from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    EmailStr,
    Field,
    HttpUrl,
    JsonValue,
    StrictBool,
    StringConstraints,
    TypeAdapter,
)

from app.users.role import Role
from app.web.paging import PageQuery
from app.web.schemas import Ids, Input, Output, Patchable, Record, Text, no_nul_or_surrogate

MAX_DEPTH = 20
MAX_NAME = 1000
MAX_NUMBER = 2**63

_HTTP_URL = TypeAdapter(HttpUrl)


def _fits_database(value: Any, depth: int = 1) -> Any:
    if depth > MAX_DEPTH:
        raise ValueError(f"JSON can be {MAX_DEPTH} levels deep at most")
    if isinstance(value, dict):
        for name, item in value.items():
            if len(no_nul_or_surrogate(name)) > MAX_NAME:
                raise ValueError(f"a name in JSON has {MAX_NAME} characters at most")
            _fits_database(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _fits_database(item, depth + 1)
    elif isinstance(value, str):
        no_nul_or_surrogate(value)
    elif isinstance(value, int | float) and not -MAX_NUMBER <= value < MAX_NUMBER:
        raise ValueError("numbers must fit in 64 bits")
    return value


def _http_url(value: str) -> str:
    _HTTP_URL.validate_python(value)
    if any(character.isspace() or not character.isprintable() for character in value):
        raise ValueError("a URL has no white space")
    return no_nul_or_surrogate(value)


def _strip(value: object) -> object:
    return value.strip() if isinstance(value, str) else value


Email = Annotated[
    EmailStr, BeforeValidator(_strip), StringConstraints(max_length=254, to_lower=True)
]
Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=100),
    AfterValidator(no_nul_or_surrogate),
]
Preferences = Annotated[dict[str, JsonValue], AfterValidator(_fits_database)]
AvatarUrl = Annotated[str, StringConstraints(max_length=2000), AfterValidator(_http_url)]


class UserCreate(Input):
    email: Email
    name: Name
    role: Role = Role.READER
    is_active: StrictBool = True
    preferences: Preferences = Field(default_factory=dict)


UserBulkCreate = Annotated[list[UserCreate], Field(min_length=1, max_length=1000)]


class UserPatch(Input):
    email: Patchable[Email] = None
    name: Patchable[Name] = None
    role: Patchable[Role] = None
    is_active: Patchable[StrictBool] = None
    preferences: Patchable[Preferences] = None


class UserBulkPatch(Input):
    ids: Ids
    is_active: StrictBool


class UserBulkDelete(Input):
    ids: Ids


class UserQuery(PageQuery):
    search: Annotated[Text, Field(max_length=100)] | None = None
    role: Role | None = None
    is_active: bool | None = None
    sort: str | None = Field(default=None, description="such as `-name,id`")


class PostCountQuery(PageQuery):
    min_posts: int = Field(default=0, ge=0, le=1_000_000)


class ProfileUpdate(Input):
    bio: Annotated[str, StringConstraints(max_length=2000), AfterValidator(no_nul_or_surrogate)]
    avatar_url: AvatarUrl | None = None


class ProfilePublic(Output):
    bio: str
    avatar_url: str | None


class UserPublic(Record):
    email: str
    name: str
    role: Role
    is_active: bool
    preferences: dict[str, Any]


class UserDetail(UserPublic):
    profile: ProfilePublic | None


class UserPostCount(Output):
    id: int
    name: str
    post_count: int
