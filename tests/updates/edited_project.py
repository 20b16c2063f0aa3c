"""What the owner of a project does to it: the edits that an update has to leave alone."""

import re
from collections.abc import Callable
from pathlib import Path

from tests.harness.commands import run_tool
from tests.harness.edits import substitute
from tests.harness.variants import Variant

DELETED = ("app/seed.py", "tests/test_seed.py")

SCHEMAS = """
from typing import Annotated

from pydantic import StringConstraints

from app.web.schemas import Input, Output


class BookCreate(Input):
    title: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    pages: int | None = None


class BookPublic(Output):
    id: int
    title: str
    pages: int | None
"""

MODELS = """
from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Entity


class Book(Entity):
    __tablename__ = "books"

    title: Mapped[str] = mapped_column(String(200), index=True)
    pages: Mapped[int | None]

    def __repr__(self) -> str:
        return f"Book(id={self.id!r}, title={self.title!r})"
"""

TABLES = """
from sqlalchemy import Column, Named, String, Table

from app.db.base import KeyColumns
from app.db.metadata import metadata
from app.db.types import Key


class BookColumns(KeyColumns):
    title: Named[str] = Column(String(200), index=True)
    pages: Named[int | None] = Column(Key)


books = Table("books", metadata, BookColumns)
"""

ORM_REPOSITORY = """
from collections.abc import Sequence

from sqlalchemy import select

from app.books.models import Book
from app.books.schemas import BookCreate
from app.db.pagination import OffsetPage
from app.db.repository import Repository


class BookRepository(Repository[Book]):
    model = Book

    async def list_by_id(self, page: OffsetPage) -> tuple[Sequence[Book], int]:
        return await self.get_page(select(Book).order_by(Book.id), page)

    async def create(self, new: BookCreate) -> Book:
        book = Book(**new.model_dump())
        self.session.add(book)
        await self.session.flush()
        return book
"""

CORE_REPOSITORY = """
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select

from app.books.schemas import BookCreate
from app.books.tables import BookColumns, books
from app.db.pagination import OffsetPage
from app.db.repository import Repository


class BookRepository(Repository[BookColumns]):
    table = books

    async def list_by_id(self, page: OffsetPage) -> tuple[Sequence[Row[*tuple[Any, ...]]], int]:
        return await self.get_page(select(books).order_by(books.c.id), page)

    async def create(self, new: BookCreate) -> dict[str, Any]:
        return await self.insert(new.model_dump())
"""

ROUTER = """
from typing import Annotated

from fastapi import APIRouter, Query

from app.books.repository import BookRepository
from app.books.schemas import BookCreate, BookPublic
from app.web.dependencies import DatabaseDep
from app.web.openapi import problems
from app.web.paging import Page, PageQuery
from app.web.routing import StrictRoute

router = APIRouter(prefix="/books", tags=["books"], route_class=StrictRoute)


@router.post("", status_code=201, responses=problems(400, 413))
async def create_book(body: BookCreate, db: DatabaseDep) -> BookPublic:
    async with db.begin() as transaction:
        book = await BookRepository(transaction).create(body)
    return BookPublic.model_validate(book)


@router.get("")
async def list_books(query: Annotated[PageQuery, Query()], db: DatabaseDep) -> Page[BookPublic]:
    async with db.read() as transaction:
        rows, total = await BookRepository(transaction).list_by_id(query.offset_page())
    return Page[BookPublic].of(rows, total, query)
"""

TEST = """
from app.settings import Settings
from tests.support import Client


async def test_books_and_nicknames(client: Client, settings: Settings) -> None:
    created = await client.post("/api/v1/books", json={"title": "Middlemarch"})
    assert created.status_code == 201
    page = (await client.get("/api/v1/books")).json()
    assert page["items"] == [created.json()]
    body = {"email": "mary@example.com", "name": "Mary", "nickname": settings.greeting}
    user = (await client.post("/api/v1/users", json=body)).json()
    assert (await client.get(f"/api/v1/users/{user['id']}")).json()["nickname"] == "Hello"
"""

CI_STEP = """\
      - name: Known vulnerabilities
        run: uvx pip-audit
"""


def edit_all(project: Path, variant: Variant) -> None:
    """Do to a project of `variant`, with the example, what its owner does in a year."""
    write_resource(project, variant)
    for name, change in EDITS.items():
        if (project / name).exists():
            change(project / name)
    delete_seed(project)


def port(project: Path, before: Variant, after: Variant) -> None:
    """Write what is one's own as the new answers need it, once an update has changed them."""
    write_resource(project, after)
    if before.data_access != after.data_access:
        name = f"app/users/{'tables' if after.data_access == 'core' else 'models'}.py"
        EDITS[name](project / name)


def resolve(project: Path, name: str, updated: str) -> None:
    """Mend a file that an update left in conflict: take the template's, and put one's own into it again.

    Raises:
        KeyError: it is none of the files that have an edit of their own in `EDITS`.

    """
    (project / name).write_text(updated, encoding="utf-8")
    EDITS[name](project / name)


def write_resource(project: Path, variant: Variant) -> None:
    """Add a resource of one's own, as it is written for `variant`."""
    is_core = variant.data_access == "core"
    files = {
        "app/books/__init__.py": "",
        f"app/books/{'tables' if is_core else 'models'}.py": TABLES if is_core else MODELS,
        "app/books/schemas.py": SCHEMAS,
        "app/books/repository.py": CORE_REPOSITORY if is_core else ORM_REPOSITORY,
        "app/books/router.py": ROUTER,
        "tests/books/__init__.py": "",
        "tests/books/test_router.py": TEST,
    }
    for name, text in files.items():
        path = project / name
        path.parent.mkdir(exist_ok=True)
        written = re.sub(r"\b(async|await) ", "", text) if variant.io == "sync" else text
        path.write_text(written.removeprefix("\n"), encoding="utf-8")
    for name in ("models", "tables"):
        if name != ("tables" if is_core else "models"):
            (project / f"app/books/{name}.py").unlink(missing_ok=True)


def add_table(file: Path) -> None:
    """Let the metadata know the resource's table."""
    module = "tables" if (file.parent / "books/tables.py").exists() else "models"
    substitute(file, r"(?m)^(import app\.comments|from app\.db)", rf"import app.books.{module}\n\1")


def add_router(file: Path) -> None:
    """Let the application know the resource's router."""
    substitute(file, r"(?m)^from app\.(comments|db)\.", r"from app.books.router import router as books\nfrom app.\1.")
    substitute(file, r"(?m)^ROUTERS = \((.*)\)$", r"ROUTERS = (\1, books)")


def add_mapped_column(file: Path) -> None:
    """Give users a nickname."""
    line = "    nickname: Mapped[str | None] = mapped_column(String(50))\n"
    substitute(file, r"(?m)^(    is_active: .*\n)", rf"\1{line}")


def add_table_column(file: Path) -> None:
    """Give users a nickname."""
    substitute(file, r"(?m)^(    is_active: .*\n)", r"\1    nickname: Named[str | None] = Column(String(50))\n")


def add_field(file: Path) -> None:
    """Let the API take and answer the nickname."""
    field = "    nickname: Annotated[str, StringConstraints(max_length=50)] | None = None\n"
    substitute(file, r"(?m)^(    is_active: StrictBool = True\n)", rf"\1{field}")
    substitute(file, r"(?m)^(    is_active: bool\n)", r"\1    nickname: str | None\n")


def add_setting(file: Path) -> None:
    """Add a setting at the end of the class."""
    substitute(file, r"\n\n\ndef load_settings", '\n    greeting: str = "Hello"\n\n\ndef load_settings')


def describe_setting(file: Path) -> None:
    """Add the setting to the example of an environment."""
    substitute(file, r"\Z", "\n# How users are greeted.\nGREETING=Hello\n")


def add_dependency(file: Path) -> None:
    """Add a dependency at the end, where `uv add` puts it."""
    substitute(file, r"(dependencies = \[\n(?: .*\n)*)\]", r'\1    "markupsafe>=3",\n]')


def add_step(file: Path) -> None:
    """Add a step to the first job of the pipeline."""
    substitute(file, r"( +run: uv run mypy\n)", rf"\1{CI_STEP}")


def reformat(file: Path) -> None:
    """Break the lines of a file elsewhere than the project's formatter does, and tell it to leave that."""
    run_tool(file.parent, "ruff", "format", "--no-cache", "--quiet", "--line-length=70", file.name)
    substitute(file, r"\A", "# fmt: off\n")


def delete_seed(project: Path) -> None:
    """Delete a part of the example, and what calls it."""
    for name in DELETED:
        (project / name).unlink()
    substitute(project / "dev.py", r' +run\("app.seed"\)\n', "")
    substitute(project / "dev.py", "migrate, seed and serve", "migrate and serve")


EDITS: dict[str, Callable[[Path], None]] = {
    "app/tables.py": add_table,
    "app/main.py": add_router,
    "app/users/models.py": add_mapped_column,
    "app/users/tables.py": add_table_column,
    "app/users/schemas.py": add_field,
    "app/settings.py": add_setting,
    ".env.example": describe_setting,
    "pyproject.toml": add_dependency,
    ".github/workflows/ci.yml": add_step,
    "app/db/types.py": reformat,
}
