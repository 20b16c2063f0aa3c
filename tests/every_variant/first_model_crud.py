"""What a first model must do where there is no example, with each mixin, over HTTP and in its rows."""

from tests.contract.blog import MAX_ID, ids, unique_word
from tests.contract.schemas import stable_fields
from tests.contract.storage import as_utc
from tests.every_variant.checks import Service, check, entries, stamps, written


def new_book(**fields: str) -> dict[str, str]:
    """Make the body of a book that can be made."""
    return {"title": "Moby-Dick", "isbn": unique_word(), **fields}


def books_of(s: Service, **query: bool) -> list[int]:
    """List the books."""
    return ids(s.blog.items("/books", size=100, **query))


@check("first model")
def first_model_is_created_changed_and_deleted(s: Service) -> None:
    book = s.blog.create("/books", new_book())
    path, added = f"/books/{book['id']}", s.schemas.added.keys()
    assert book.keys() == {"id", "title", "isbn", *added}
    assert book in s.blog.items("/books", size=100)
    assert s.stored.row("books", id=book["id"]).items() >= {"title": "Moby-Dick", "isbn": book["isbn"]}.items()
    s.blog.post("/books", new_book(isbn=book["isbn"]), expect=409)
    changed = s.blog.put(path, new_book(isbn=book["isbn"], title="Emma")).json()
    assert stable_fields(changed) == stable_fields({**book, "title": "Emma"})
    assert s.stored.row("books", id=book["id"])["title"] == "Emma"
    if "timestamps" in s.features:
        assert stamps(book)[0] == stamps(book)[1] == stamps(changed)[0] < stamps(changed)[1]
        assert as_utc(s.stored.row("books", id=book["id"])["updated_at"]) == stamps(changed)[1]
    s.blog.delete(path)
    assert book["id"] not in books_of(s)
    s.blog.delete(path, expect=404)
    assert s.stored.with_deleted.count("books", id=book["id"]) == ("soft_delete" in s.features)


@check("first model")
def first_model_is_changed_in_bulk(s: Service) -> None:
    actor, books = unique_word(), [s.blog.create("/books", new_book()) for _ in range(2)]
    s.blog.call("POST", "/books/bulk", 204, ids(books), params={"title": "Emma"}, headers={"x-actor": actor})
    for book in books:
        row = s.stored.row("books", id=book["id"])
        assert row["title"] == "Emma"
        assert "timestamps" not in s.features or as_utc(row["updated_at"]) > stamps(book)[1]
        assert "optimistic_locking" not in s.features or row["version"] == 2
    if "audit_log" in s.features:
        assert written(s, actor) == [("update", "books")] * 2
    s.blog.call("POST", "/books/bulk", 404, [books[0]["id"], MAX_ID], params={"title": "None"})
    assert s.stored.count("books", title="None") == 0


@check("first model", "soft_delete")
def first_model_is_hidden_and_restored(s: Service) -> None:
    book = s.blog.create("/books", new_book())["id"]
    isbn = s.stored.row("books", id=book)["isbn"]
    s.blog.delete(f"/books/{book}")
    assert book not in books_of(s)
    assert book in books_of(s, include_deleted=True)
    taker = s.blog.create("/books", new_book(isbn=isbn))["id"]
    s.blog.post(f"/books/{book}/restore", expect=409)
    s.blog.delete(f"/books/{taker}")
    s.blog.post(f"/books/{book}/restore", expect=204)
    assert book in books_of(s)


@check("first model", "audit_log")
def first_model_leaves_entries(s: Service) -> None:
    actor = unique_word()
    book = s.blog.create("/books", new_book(), x_actor=actor)
    s.blog.put(f"/books/{book['id']}", new_book(title="Emma"), x_actor=actor)
    s.blog.delete(f"/books/{book['id']}", x_actor=actor)
    assert written(s, actor) == [("create", "books"), ("delete", "books"), ("update", "books")]
    created, updated, deleted = entries(s, "books", book["id"])
    assert (created["actor"], created["changes"]["isbn"]["new"]) == (actor, book["isbn"])
    assert updated["changes"]["title"] == {"old": "Moby-Dick", "new": "Emma"}
    assert ("deleted_at" if "soft_delete" in s.features else "isbn") in deleted["changes"]


@check("first model", "optimistic_locking")
def first_model_is_changed_at_its_version_alone(s: Service) -> None:
    book = s.blog.create("/books", new_book())
    path = f"/books/{book['id']}"
    assert (book["version"], s.blog.put(path, new_book(), if_match='"1"').json()["version"]) == (1, 2)
    s.blog.put(path, new_book(), expect=412, if_match='"1"')
    s.blog.delete(path, expect=412, if_match='"1"')
    s.blog.delete(path, if_match='"2"')


@check("first model", "full_text_search")
def first_model_is_found(s: Service) -> None:
    word, other = unique_word(), unique_word()
    path = f"/books/{s.blog.create('/books', new_book(title=f'On {word}'))['id']}"

    def found_by(text: str) -> int:
        return len(s.api.get("/api/v1/books/search", params={"q": text}).json())

    assert (found_by(word), found_by(other)) == (1, 0)
    s.blog.put(path, new_book(title=other))
    assert (found_by(word), found_by(other)) == (0, 1)
    s.blog.delete(path)
    assert found_by(other) == 0
