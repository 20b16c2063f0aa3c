"""What the requests and responses of every resource are made of."""

from collections.abc import Sequence
from typing import Annotated, Any, Generic, Self, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

MAX_ID = 2**63 - 1

ItemT = TypeVar("ItemT")
T = TypeVar("T")


def storable(value: str) -> str:
    """Return the text; raise ValueError where a database can't keep it."""
    if "\x00" in value:
        raise ValueError("text can't hold a NUL character")
    return value


def _not_null(value: Any) -> Any:
    if value is None:
        raise ValueError("leave the field out or give it a value: it can't be null")
    return value


def _distinct(ids: list[int]) -> list[int]:
    return list(dict.fromkeys(ids))


Text = Annotated[str, AfterValidator(storable)]
PathId = Annotated[int, Field(ge=1, le=MAX_ID)]
Id = Annotated[int, Field(strict=True, ge=1, le=MAX_ID)]
Ids = Annotated[list[Id], Field(min_length=1, max_length=1000), AfterValidator(_distinct)]
Patchable = Annotated[T | SkipJsonSchema[None], BeforeValidator(_not_null)]


class Input(BaseModel):
    """The body of a request; a field that it doesn't have is refused."""

    model_config = ConfigDict(extra="forbid")


class Output(BaseModel):
    """The body of a response, read from the attributes of a row."""

    model_config = ConfigDict(from_attributes=True)


class PageQuery(BaseModel):
    page: int = Field(default=1, ge=1, le=1_000_000)
    size: int = Field(default=20, ge=1, le=100)

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.size


class Page(BaseModel, Generic[ItemT]):
    items: list[ItemT]
    total: int
    page: int
    size: int
    pages: int

    @classmethod
    def of(cls, rows: Sequence[Any], total: int, query: PageQuery) -> Self:
        return cls.model_validate(
            {
                "items": rows,
                "total": total,
                "page": query.page,
                "size": query.size,
                "pages": -(-total // query.size),
            }
        )


class CursorQuery(BaseModel):
    cursor: Text | None = None
    limit: int = Field(default=20, ge=1, le=100)


class CursorPage(BaseModel, Generic[ItemT]):
    items: list[ItemT]
    next_cursor: str | None

    @classmethod
    def of(cls, rows: Sequence[Any], next_cursor: str | None) -> Self:
        return cls.model_validate({"items": rows, "next_cursor": next_cursor})


class BulkResult(BaseModel):
    count: int
