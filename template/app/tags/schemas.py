from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from app.web.schemas import Output, storable

TagName = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=50),
    AfterValidator(storable),
]


class TagPublic(Output):
    id: int
    name: str
    post_count: int
