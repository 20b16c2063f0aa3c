import pytest
from sqlalchemy import MetaData, Table

from app.db.metadata import row_name


@pytest.mark.parametrize(
    ("table", "row"),
    [
        ("users", "user"),
        ("blog_posts", "blog post"),
        ("categories", "category"),
        ("addresses", "address"),
        ("boxes", "box"),
        ("staff", "staff"),
    ],
)
def test_name_of_row_is_singular(table: str, row: str) -> None:
    assert row_name(Table(table, MetaData())) == row
