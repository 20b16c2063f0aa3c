"""The model of an imported table declares what the table has, and Alembic leaves other tables alone."""

from pathlib import Path

import pytest

from copier_fastapi_sqlalchemy.resource.adapted import attribute_of
from copier_fastapi_sqlalchemy.resource.errors import Refusal
from copier_fastapi_sqlalchemy.resource.importing import plan_import
from copier_fastapi_sqlalchemy.resource.others import leave_alone
from copier_fastapi_sqlalchemy.resource.project import open_project
from copier_fastapi_sqlalchemy.resource.reflection import read_database
from tests.harness.variants import Variant
from tests.resource.conftest import Render
from tests.resource.test_import import execute

ENV = """
def configure(**options: Any) -> None:
    context.configure(target_metadata=metadata, **OPTIONS, **options)
"""
TABLE = """
    CREATE TABLE books (
        id INTEGER PRIMARY KEY, title VARCHAR(9) NOT NULL, pages INTEGER NOT NULL DEFAULT 7, "Old name" INTEGER,
        class NUMERIC DEFAULT 1.5, created_at DATETIME, code TEXT NOT NULL UNIQUE,
        twice INTEGER GENERATED ALWAYS AS (pages * 2) VIRTUAL
    );
    CREATE INDEX of_both ON books (title, pages);
    CREATE UNIQUE INDEX of_some ON books (pages) WHERE pages > 7;
"""


def declared(rendered: Render, tmp_path: Path, variant: Variant) -> str:
    """Give the module of tables of books that are imported."""
    url = f"sqlite:///{tmp_path / 'app.db'}"
    execute(url, TABLE)
    project = open_project(rendered(variant))
    made = plan_import(project, read_database(project, url, {}), ["books"], {})
    return str(made.plan.texts[f"app/books/{project.answers.kind}.py"])


def test_model_declares_what_the_table_has(rendered: Render, tmp_path: Path) -> None:
    text = declared(rendered, tmp_path, Variant("sqlite", "sync", "orm", ()))
    for line in (
        "    title: Mapped[str] = mapped_column(String(9))",
        '    pages: Mapped[int] = mapped_column(Integer, default=7, server_default=text("7"))',
        '    column_old_name: Mapped[Any | None] = mapped_column("Old name", INTEGER())',
        '    column_class: Mapped[Any | None] = mapped_column("class", NUMERIC(), server_default=text("1.5"))',
        "    created_at: Mapped[Any | None] = mapped_column(DATETIME())",
        "    code: Mapped[str] = mapped_column(Text, unique=True)",
        '    twice: Mapped[Any | None] = mapped_column(INTEGER(), Computed("pages * 2", persisted=False))',
        '        Index("of_both", "title", "pages"),',
        '        Index("of_some", "pages", unique=True, sqlite_where=text("pages > 7")),',
    ):
        assert f"{line}\n" in text, text


def test_table_declares_what_the_table_has(rendered: Render, tmp_path: Path) -> None:
    text = declared(rendered, tmp_path, Variant("sqlite", "sync", "core", ()))
    for line in (
        '    pages: Named[int] = Column(Integer, default=7, server_default=text("7"))',
        '    column_old_name: Named[Any | None] = Column("Old name", INTEGER(), nullable=True)',
        "    created_at: Named[Any | None] = Column(DATETIME(), nullable=True)",
        '    Index("of_both", "title", "pages"),',
    ):
        assert f"{line}\n" in text, text


@pytest.mark.parametrize(
    ("column", "attribute"),
    [
        ("place", "place"),
        ("version", "version"),
        ("metadata", "column_metadata"),
        ("class", "column_class"),
        ("Old name", "column_old_name"),
        ("2nd", "column_2nd"),
    ],
)
def test_attributes_are_names_of_python(column: str, attribute: str) -> None:
    assert attribute_of(column) == attribute


def test_env_lists_the_tables_of_others() -> None:
    first = leave_alone(ENV, {"invoices", "a"})
    assert "OTHERS = {'a', 'invoices'}\n" in first
    assert "context.configure(target_metadata=metadata, include_object=include_object, **OPTIONS" in first
    assert leave_alone(first, {"a", "invoices"}) == first
    second = leave_alone(first, {"a"})
    assert second == first.replace("{'a', 'invoices'}", "{'a'}")
    assert "OTHERS = set[str]()\n" in leave_alone(second, set())
    assert leave_alone(ENV, set()) == ENV


def test_env_with_a_filter_of_its_own_is_refused() -> None:
    own = ENV.replace("**OPTIONS", "include_object=mine, **OPTIONS")
    with pytest.raises(Refusal, match="leave out the tables that no model has"):
        leave_alone(own, {"invoices"})
