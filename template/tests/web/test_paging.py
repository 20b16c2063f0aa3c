import pytest
from pydantic import BaseModel, ValidationError

from app.web.paging import CursorQuery, PageQuery


@pytest.mark.parametrize(
    ("query", "name", "value"),
    [
        (PageQuery, "size", 101),
        (PageQuery, "size", 0),
        (PageQuery, "page", 0),
        (PageQuery, "page", 1_000_001),
        (CursorQuery, "limit", 101),
        (CursorQuery, "limit", 0),
    ],
)
def test_page_size_has_limits(query: type[BaseModel], name: str, value: int) -> None:
    with pytest.raises(ValidationError, match=name):
        query.model_validate({name: value})
