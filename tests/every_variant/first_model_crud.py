"""What a first model must do where there is no example, with each mixin, over HTTP and in its rows."""

from secrets import randbelow

import pytest

from tests.contract.blog import MAX_ID, Blog, ids, unique_word
from tests.contract.schemas import Schemas, stable_fields
from tests.contract.storage import Storage, as_utc
from tests.contract.test_audit import done, entries, written
from tests.contract.test_timestamps import moment

pytestmark = pytest.mark.crud


def new_book(**fields: str) -> dict[str, str]:
    """Make the body of a book that can be made."""
    return {"title": "Moby-Dick", "isbn": f"{randbelow(10**13):013}", **fields}


def books_of(blog: Blog) -> list[int]:
    """List the books."""
    return ids(blog.items("/books", size=100))


def test_first_model_is_created_changed_and_deleted(
    blog: Blog, stored: Storage, schemas: Schemas, mixins: frozenset[str]
) -> None:
    book = blog.create("/books", new_book())
    path, added = f"/books/{book['id']}", schemas.added.keys()
    assert book.keys() == {"id", "title", "isbn", "summary", *added}
    assert book in blog.items("/books", size=100)
    assert stored.row("books", id=book["id"]).items() >= {"title": "Moby-Dick", "isbn": book["isbn"]}.items()
    blog.post("/books", new_book(isbn=book["isbn"]), expect=409)
    changed = blog.patch(path, {"title": "Emma"}).json()
    assert stable_fields(changed) == stable_fields({**book, "title": "Emma"})
    assert stored.row("books", id=book["id"])["title"] == "Emma"
    if "timestamps" in mixins:
        updated = moment(changed["updated_at"])
        assert book["created_at"] == book["updated_at"] == changed["created_at"]
        assert moment(book["created_at"]) < updated == as_utc(stored.row("books", id=book["id"])["updated_at"])
    blog.delete(path)
    assert book["id"] not in books_of(blog)
    blog.delete(path, expect=404)
    assert stored.with_deleted.count("books", id=book["id"]) == ("soft_delete" in mixins)


def test_first_model_is_changed_in_bulk(blog: Blog, stored: Storage, mixins: frozenset[str]) -> None:
    actor, books = unique_word(), [blog.create("/books", new_book()) for _ in range(2)]
    blog.call("POST", "/books/bulk", 204, ids(books), params={"title": "Emma"}, headers={"x-actor": actor})
    for book in books:
        row = stored.row("books", id=book["id"])
        assert row["title"] == "Emma"
        assert "timestamps" not in mixins or as_utc(row["updated_at"]) > moment(book["updated_at"])
        assert "optimistic_locking" not in mixins or row["version"] == 2
    if "audit_log" in mixins:
        assert written(stored, actor) == sorted(done("update", "books", ids(books)))
    blog.call("POST", "/books/bulk", 404, [books[0]["id"], MAX_ID], params={"title": "None"})
    assert stored.count("books", title="None") == 0


@pytest.mark.mixin("soft_delete")
def test_first_model_is_hidden_and_restored(blog: Blog, stored: Storage) -> None:
    book = blog.create("/books", new_book())["id"]
    isbn = stored.row("books", id=book)["isbn"]
    blog.delete(f"/books/{book}")
    assert book not in books_of(blog)
    assert blog.item(f"/books/{book}", include_deleted=True)["deleted_at"] is not None
    taker = blog.create("/books", new_book(isbn=isbn))["id"]
    blog.restore(f"/books/{book}", expect=409)
    blog.delete(f"/books/{taker}")
    blog.restore(f"/books/{book}")
    assert book in books_of(blog)


@pytest.mark.mixin("audit_log")
def test_first_model_leaves_entries(blog: Blog, stored: Storage, schemas: Schemas, mixins: frozenset[str]) -> None:
    actor = unique_word()
    book = blog.create("/books", new_book(), x_actor=actor)
    blog.patch(f"/books/{book['id']}", {"title": "Emma"}, x_actor=actor)
    blog.delete(f"/books/{book['id']}", x_actor=actor)
    assert [action for action, *_ in written(stored, actor)] == ["create", "delete", "update"]
    schemas.check("CursorPage", blog.page("/audit", limit=5), of="AuditEntry")
    deleted, updated, created = entries(blog, "books", book["id"])
    assert (created["actor"], created["changes"]["isbn"]["new"]) == (actor, book["isbn"])
    assert updated["changes"]["title"] == {"old": "Moby-Dick", "new": "Emma"}
    assert ("deleted_at" if "soft_delete" in mixins else "isbn") in deleted["changes"]


@pytest.mark.mixin("optimistic_locking")
def test_first_model_is_changed_at_its_version_alone(blog: Blog) -> None:
    book = blog.create("/books", new_book())
    path = f"/books/{book['id']}"
    assert (book["version"], blog.patch(path, new_book(), if_match='"1"').json()["version"]) == (1, 2)
    blog.patch(path, new_book(), expect=412, if_match='"1"')
    blog.delete(path, expect=412, if_match='"1"')
    blog.delete(path, if_match='"2"')


@pytest.mark.mixin("full_text_search")
def test_first_model_is_found(blog: Blog) -> None:
    word, other = unique_word(), unique_word()
    path = f"/books/{blog.create('/books', new_book(title=f'On {word}'))['id']}"

    def found_by(text: str) -> int:
        return len(blog.items("/books/search", q=text))

    assert (found_by(word), found_by(other)) == (1, 0)
    blog.patch(path, {"title": other})
    assert (found_by(word), found_by(other)) == (0, 1)
    blog.delete(path)
    assert found_by(other) == 0
