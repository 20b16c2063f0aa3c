from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from app.web.schemas import Output, no_nul_or_surrogate

TagName = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=50),
    AfterValidator(no_nul_or_surrogate),
]


class TagPublic(Output):
    id: int
    name: str
    post_count: int
