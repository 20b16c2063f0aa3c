"""Who follows docs/a-resource-by-hand.md has a resource that works on every server, with default mixins and with all.

`tests/every_variant/` does so in memory, with each set of mixins.
"""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import inspect

from tests.contract.blog import Blog, ids
from tests.every_variant.first_model import PAGE, written_for
from tests.every_variant.first_model_crud import new_book
from tests.harness.alembic import Alembic
from tests.harness.commands import check_code, run_tool
from tests.harness.edits import replace_text, substitute
from tests.harness.pages import blocks_of, text_of
from tests.harness.project_tests import run_tests
from tests.harness.rendering import render_variant
from tests.harness.servers import NewDatabase, engine
from tests.harness.service import calling
from tests.harness.variants import Variant, choices
from tests.harness.warm_process import WarmProcess

# A column that the page doesn't have: a book can be part of another, and is deleted and restored with it.
KEY = """(
        {}ForeignKey("books.id", ondelete="CASCADE"), index=True
    )"""
PARENT = {
    "orm": "parent_id: Mapped[int | None] = mapped_column" + KEY.format(""),
    "core": "parent_id: Named[int | None] = Column" + KEY.format("Key, "),
}


def add_parent(books: Path, variant: Variant) -> None:
    """Let a book be part of another."""
    table, imported = ("tables", "Column, ") if variant.data_access == "core" else ("models", "")
    file = books / f"{table}.py"
    replace_text(file, (f"from sqlalchemy import {imported}", f"from sqlalchemy import {imported}ForeignKey, "))
    substitute(file, r"(\n +)(summary: .*)", rf"\1\2\1{PARENT[variant.data_access]}")
    if variant.data_access == "core":
        replace_text(file, ("\n\n\nclass BookColumns", "\nfrom app.db.types import Key\n\n\nclass BookColumns"))
    field = 'summary: Summary = ""'
    replace_text(books / "schemas.py", (field, f"{field}\n    parent_id: int | None = None"))


def add_resource(project: Path, variant: Variant) -> None:
    """Do what the page says."""
    (test,) = blocks_of(PAGE, "python", "A test")
    if variant.io == "sync":
        test = re.sub(r"\b(async|await) ", "", test)
    packages = {"app/books": written_for(variant.answers), "tests/books": {"test_router": test}}
    for package, modules in packages.items():
        (project / package).mkdir()
        for name, text in {"__init__": "", **modules}.items():
            (project / package / f"{name}.py").write_text(text, encoding="utf-8")
    module = "tables" if variant.data_access == "core" else "models"
    replace_text(
        project / "app/tables.py", ("from app.db.metadata", f"import app.books.{module}\nfrom app.db.metadata")
    )
    (tag,) = re.findall(r'(?m)^   `(\{"name": "books", .*\},)`', text_of(PAGE))
    replace_text(
        project / "app/main.py",
        ("from app.db.database", "from app.books.router import router as books\nfrom app.db.database"),
        ("ROUTERS = (", "ROUTERS = (books, "),
        ("TAGS = [", f"TAGS = [\n    {tag}"),
    )


def check_resource(project: Path, warm_process: WarmProcess, url: str, mypy_cache: Path) -> None:
    """Migrate the database and check the project, as the page says."""
    alembic = Alembic(warm_process, project, url)
    alembic("upgrade head", "revision --autogenerate -m 'Add books'")
    alembic("upgrade head", "check")
    assert inspect(engine(url)).get_columns("books")[0]["name"] == "id"
    run_tool(project, "ruff", "check", "--fix", "--no-cache", "--quiet")
    run_tool(project, "ruff", "format", "--no-cache", "--quiet")
    check_code(project, mypy_cache)
    assert "1 passed" in run_tests(warm_process, project, {"TEST_DATABASE_URL": url}, "tests/books").output


def check_at_work(blog: Blog) -> None:
    """Check what the tests of a first model leave out: rows that refer to their own table, and the best match."""

    def add(**fields: object) -> int:
        number: int = blog.create("/books", {**new_book(), "summary": "Of whales.", **fields})["id"]
        return number

    def found() -> list[int]:
        found = sorted(ids(blog.items("/books/search", q="whales")))
        assert found == ids(blog.items("/books"))
        return found

    whole = add()
    part = add(parent_id=whole)
    page = add(parent_id=part)
    assert found() == [whole, part, page]
    heavier = add(title="Whales", summary="")
    assert ids(blog.items("/books/search", q="whales"))[0] == heavier
    blog.delete(f"/books/{heavier}")

    blog.delete(f"/books/{whole}")
    assert found() == []
    blog.get(f"/books/{part}", expect=404)
    assert blog.item(f"/books/{part}", include_deleted=True)["deleted_at"] is not None
    blog.restore(f"/books/{part}", expect=409)
    assert blog.restore(f"/books/{whole}").json()["deleted_at"] is None
    assert found() == [whole, part, page]
    entries = blog.items("/audit", table_name="books", record_id=whole)
    assert [entry["action"] for entry in entries] == ["restore", "delete", "create"]


@pytest.mark.each_database
@pytest.mark.example
def test_resource_works_beside_the_example(
    variant: Variant,
    new_database: NewDatabase,
    source: Path,
    tmp_path: Path,
    warm_process: WarmProcess,
    mypy_cache: Path,
) -> None:
    project = render_variant(source, variant, tmp_path / "project")
    add_resource(project, variant)
    with new_database() as url:
        check_resource(project, warm_process, url, mypy_cache)


@pytest.mark.each_database
@pytest.mark.mixin(*choices("mixins"))
def test_resource_works_with_all_mixins(
    variant: Variant,
    new_database: NewDatabase,
    source: Path,
    tmp_path: Path,
    warm_process: WarmProcess,
    mypy_cache: Path,
) -> None:
    bare = replace(variant, example=False)
    project = render_variant(source, bare, tmp_path / "project")
    add_resource(project, bare)
    add_parent(project / "app/books", bare)
    with new_database() as url:
        check_resource(project, warm_process, url, mypy_cache)
        with calling(warm_process, project, {"DATABASE_URL": url}, tmp_path, path="") as client:
            check_at_work(Blog(client))
