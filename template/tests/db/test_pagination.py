import pytest
from pydantic import TypeAdapter
from sqlalchemy import Column, Integer, MetaData, String, Table, select

from app.db.errors import BadCursorError, BadSortError
from app.db.pagination import Keyset, order_by

books = Table("books", MetaData(), Column("id", Integer), Column("title", String))
newest = Keyset({"title": books.c.title, "id": books.c.id}, TypeAdapter(tuple[str, int]))


class Book:
    id = 7
    title = "Emma"


def test_ties_are_broken_by_the_key() -> None:
    order = order_by("-title", {"title": books.c.title}, books.c.id)
    assert [str(column) for column in order] == ["books.title DESC", "books.id ASC"]


@pytest.mark.parametrize("sort", ["secret", "title,title", "-", "title,"])
def test_an_order_that_is_not_allowed_is_refused(sort: str) -> None:
    with pytest.raises(BadSortError):
        order_by(sort, {"title": books.c.title}, books.c.id)


def test_a_cursor_continues_after_its_row() -> None:
    rows, cursor = newest.page([Book, Book], limit=1)
    assert rows == [Book]
    statement = newest.slice(select(books.c.id), cursor, limit=1)
    assert str(statement.compile(compile_kwargs={"literal_binds": True})) == (
        "SELECT books.id \nFROM books \n"
        "WHERE books.title <= 'Emma' AND (books.title < 'Emma' OR books.id < 7)"
        " ORDER BY books.title DESC, books.id DESC\n LIMIT 2"
    )


def test_a_statement_is_ordered_once_for_every_first_page() -> None:
    ordered = newest.ordered(select(books.c.id))
    assert newest.seek(ordered, None) is ordered
    assert str(ordered) == (
        "SELECT books.id \nFROM books ORDER BY books.title DESC, books.id DESC\n LIMIT :limit"
    )


@pytest.mark.parametrize("cursor", ["", "?", "e30", "WyJ4Il0", "é", "bm8gY3Vyc29y"])
def test_a_text_that_is_no_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(BadCursorError):
        newest.slice(select(books.c.id), cursor, limit=1)
