import pytest
from pydantic import TypeAdapter
from sqlalchemy import Column, Integer, MetaData, String, Table, select

from app.db.errors import BadCursorError, BadSortError
from app.db.pagination import Keyset, parse_sort

books = Table("books", MetaData(), Column("id", Integer), Column("title", String))
newest = Keyset({"title": books.c.title, "id": books.c.id}, TypeAdapter(tuple[str, int]))


class Book:
    id = 7
    title = "Emma"


def test_sort_ends_with_key() -> None:
    order = parse_sort("-title", {"title": books.c.title}, books.c.id)
    assert [str(column) for column in order] == ["books.title DESC", "books.id ASC"]


@pytest.mark.parametrize("sort", ["secret", "title,title", "-", "title,"])
def test_sort_by_other_fields_is_refused(sort: str) -> None:
    with pytest.raises(BadSortError):
        parse_sort(sort, {"title": books.c.title}, books.c.id)


def test_page_ends_before_one_row_too_many() -> None:
    rows, cursor = newest.split([Book, Book], limit=1)
    assert rows == [Book]
    assert cursor is not None
    assert newest.split([Book], limit=1) == ([Book], None)


def test_cursor_continues_after_its_row() -> None:
    _, cursor = newest.split([Book, Book], limit=1)
    statement = newest.start_after(newest.prepare(select(books.c.id)), cursor)
    text = str(statement.params(limit=2).compile(compile_kwargs={"literal_binds": True}))
    assert text == (
        "SELECT books.id \nFROM books \n"
        "WHERE books.title <= 'Emma' AND (books.title < 'Emma' OR books.id < 7)"
        " ORDER BY books.title DESC, books.id DESC\n LIMIT 2"
    )


@pytest.mark.parametrize("cursor", ["", "?", "e30", "WyJ4Il0", "é", "bm8gY3Vyc29y"])
def test_text_that_is_no_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(BadCursorError):
        newest.start_after(select(books.c.id), cursor)
