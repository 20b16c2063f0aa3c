from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from app.web.schemas import Id, Input, Record, no_nul_or_surrogate


class CommentCreate(Input):
    author_id: Id
    content: Annotated[
        str, StringConstraints(min_length=1, max_length=2000), AfterValidator(no_nul_or_surrogate)
    ]


class CommentPublic(Record):
    post_id: int
    author_id: int
    content: str
