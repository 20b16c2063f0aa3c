"""Indexes: a list that is filtered has one that begins with the filter and goes on in the list's order."""

import pytest
from sqlalchemy import Engine, inspect


def index_columns(db: Engine, table: str) -> list[list[str | None]]:
    """List the columns of each index of `table`."""
    return [index["column_names"] for index in inspect(db).get_indexes(table)]


@pytest.mark.example
def test_list_of_authors_posts_has_an_index(db: Engine, mixins: frozenset[str]) -> None:
    order = ["created_at", "id"] if "timestamps" in mixins else ["id"]
    assert ["author_id", *order] in index_columns(db, "posts")


@pytest.mark.example
def test_list_of_comments_has_an_index(db: Engine) -> None:
    assert ["post_id", "id"] in index_columns(db, "comments")


@pytest.mark.mixin("audit_log")
def test_list_of_audit_entries_has_an_index_for_each_filter(db: Engine) -> None:
    indexes = index_columns(db, "audit_log")
    assert ["table_name", "id"] in indexes
    assert ["record_id", "table_name", "id"] in indexes
