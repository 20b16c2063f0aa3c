"""A first model in a project without the example: its table, its revision and its routes, written for the variant.

It is a shorter form of what docs/add-a-resource.md has, with those lines alone that its mixins ask for.
"""

import io
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from alembic import command
from alembic.config import Config
from fastapi import Depends, FastAPI

IMPORTS = """
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from sqlalchemy import Column, Named, String, Table, select
from sqlalchemy.orm import Mapped, mapped_column

from app.db import base, metadata
from app.db.errors import raise_on_duplicate
from app.db.repository import Repository
from app.web.dependencies import DatabaseDep
from app.web.paging import Page, PageQuery
from app.web.schemas import Ids, Input, PathId, Record
"""

ORM = """
class Book(base.Record):
    __tablename__ = "books"

    title: Mapped[str] = mapped_column(String(200))
    isbn: Mapped[str] = mapped_column(String(13), unique="soft_delete" not in MIXINS)


class BookRepository(Repository[Book]):
    model = Book
    rows = select(Book)

    async def create(self, values: dict[str, Any]) -> Any:
        book = Book(**values)
        self.session.add(book)
        await self.session.flush()
        return book

    async def change(self, key: int, values: dict[str, Any]) -> Any:
        return await self.update(await self.get_for_update(key), values)

    async def search(self, words: str) -> Any:
        return (await self.session.scalars(ranked(self.rows, "books", words))).all()
"""

CORE = """
class BookColumns(base.RecordColumns):
    title: Named[str] = Column(String(200))
    isbn: Named[str] = Column(String(13), unique="soft_delete" not in MIXINS)


books = Table("books", metadata.metadata, BookColumns)


class BookRepository(Repository[BookColumns]):
    table = books
    rows = select(books)

    async def create(self, values: dict[str, Any]) -> Any:
        return await self.insert(values)

    async def change(self, key: int, values: dict[str, Any]) -> Any:
        await self.update(key, values)
        return await self.get(key)

    async def search(self, words: str) -> Any:
        statement = ranked(self.rows, "books", words)
        if "soft_delete" in MIXINS:
            from app.db.soft_delete import is_live

            statement = statement.where(is_live(books))
        return (await self.connection.execute(statement)).all()
"""

MIXIN_LINES = {
    "soft_delete": """
from app.db.soft_delete_sql import unique_among_live
unique_among_live("books", "isbn")
""",
    "full_text_search": """
from app.db.search import make_searchable, ranked
make_searchable("books", "title")
""",
    "optimistic_locking": "from app.web.preconditions import IfMatch, require_match\n",
}

ROUTER = """
class BookInput(Input):
    title: str
    isbn: str


class BookOutput(Record):
    title: str
    isbn: str


def no_match() -> None:
    return None


router = APIRouter(prefix="/books")
match = no_match
if "optimistic_locking" in MIXINS:

    def match(if_match: IfMatch = None) -> list[str] | None:
        return if_match


Match = Annotated[list[str] | None, Depends(match)]


async def check_book(books: BookRepository, key: int, if_match: list[str] | None) -> None:
    if if_match is not None:
        require_match(if_match, BookOutput.model_validate(await books.get_for_update(key)))


@router.post("", status_code=201)
async def create_book(body: BookInput, db: DatabaseDep) -> BookOutput:
    async with db.begin() as transaction:
        with raise_on_duplicate("The ISBN is taken."):
            book = await BookRepository(transaction).create(body.model_dump())
    return BookOutput.model_validate(book)


@router.get("")
async def list_books(query: Annotated[PageQuery, Query()], db: DatabaseDep) -> Page[BookOutput]:
    async with db.read() as transaction:
        rows, total = await BookRepository(transaction).get_page(BookRepository.rows, query.offset_page())
    return Page[BookOutput].of(rows, total, query)


@router.post("/bulk", status_code=204)
async def change_books(ids: Ids, title: str, db: DatabaseDep) -> None:
    async with db.begin() as transaction:
        await BookRepository(transaction).update_all(ids, {"title": title})


@router.put("/{book_id}")
async def change_book(book_id: PathId, body: BookInput, db: DatabaseDep, match: Match) -> BookOutput:
    async with db.begin() as transaction:
        books = BookRepository(transaction)
        await check_book(books, book_id, match)
        book = await books.change(book_id, body.model_dump())
    return BookOutput.model_validate(book)


@router.delete("/{book_id}", status_code=204)
async def delete_book(book_id: PathId, db: DatabaseDep, match: Match) -> None:
    async with db.begin() as transaction:
        books = BookRepository(transaction)
        await check_book(books, book_id, match)
        await books.delete(book_id)


if "soft_delete" in MIXINS:

    @router.post("/{book_id}/restore", status_code=204)
    async def restore_book(book_id: PathId, db: DatabaseDep) -> None:
        async with db.begin() as transaction:
            with raise_on_duplicate("The ISBN is taken by now."):
                await BookRepository(transaction).restore(book_id)


if "full_text_search" in MIXINS:

    @router.get("/search")
    async def search_books(q: str, db: DatabaseDep) -> list[BookOutput]:
        async with db.read() as transaction:
            return [BookOutput.model_validate(book) for book in await BookRepository(transaction).search(q)]
"""


def write(answers: Mapping[str, Any]) -> ModuleType:
    """Make the module of the resource, as it is written for these answers."""
    lines = [MIXIN_LINES[mixin] for mixin in answers["mixins"] if mixin in MIXIN_LINES]
    text = "".join([IMPORTS, ORM if answers["data_access"] == "orm" else CORE, *lines, ROUTER])
    if answers["io"] == "sync":
        text = re.sub(r"\b(async|await) ", "", text)
    module = sys.modules["books"] = ModuleType("books")
    vars(module)["MIXINS"] = answers["mixins"]
    exec(compile(text, "books", "exec"), vars(module))  # noqa: S102 - written above
    return module


@contextmanager
def migrated(answers: Mapping[str, Any]) -> Iterator[ModuleType]:
    """Give the resource, its table made by a revision that Alembic has written."""
    import_module("app.tables")
    module = write(answers)
    config = Config("alembic.ini", stdout=io.StringIO())
    config.set_section_option("post_write_hooks", "hooks", "")  # nobody reads the revision
    revision: Any = command.revision(config, "Add books", autogenerate=True)
    try:
        command.upgrade(config, "head")
        command.check(config)
        yield module
    finally:
        Path(revision.path).unlink()


def include(app: FastAPI, module: ModuleType, answers: Mapping[str, Any]) -> None:
    """Add the routes of the resource to the application."""
    note_actor = [Depends(import_module("app.audit.actor").note_actor)] if "audit_log" in answers["mixins"] else []
    app.include_router(module.router, prefix="/api/v1", dependencies=note_actor)
