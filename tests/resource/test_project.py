"""A project is read as its files are: its answers, tables, repositories and routes; what can't be served is refused."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from copier_fastapi_sqlalchemy.resource.errors import Refusal
from copier_fastapi_sqlalchemy.resource.names import Names
from copier_fastapi_sqlalchemy.resource.project import (
    NEEDED,
    Answers,
    KnownTable,
    open_project,
    require_clean,
    require_free,
    require_unused,
)
from tests.harness.rendering import files_of
from tests.harness.variants import Variant
from tests.resource.conftest import Render, kinds
from tests.updates.releases import git

ORM = Variant("sqlite", "async", "orm", ("timestamps",))
CORE = Variant("sqlite", "sync", "core", ("timestamps", "audit_log"))
BARE = Variant("sqlite", "async", "orm", (), example=False)
BOOKS = Names("books", "book")
# Modules of an owner's, and the tables in them: whether each has a generated key, and the columns of a record.
ORM_MODULES = {
    "app/shop/bases.py": """
        from app.db import base
        from app.db.base import Base, Record as Domain

        class Priced(Domain):
            __abstract__ = True

        class Plain(base.Entity):
            __abstract__ = True
    """,
    "app/shop/__init__.py": "from app.shop.bases import Priced\n",
    "app/shop/models.py": """
        from sqlalchemy import ForeignKey, Table
        import sqlalchemy as sa
        from sqlalchemy.orm import mapped_column

        import app.db.base
        from app.db.base import Base, Record
        from app.db.metadata import metadata
        from app.shop import Priced
        from .bases import Plain

        class Product(Priced):
            __tablename__ = "products"

        class Size(Plain):
            __tablename__: str = "sizes"

        class Color(app.db.base.Entity):
            __tablename__ = "colors"

        class Employee(Record):
            __tablename__ = "employees"

        class Manager(Employee):
            __tablename__ = "managers"
            id = mapped_column(ForeignKey("employees.id"), primary_key=True)

        class Part(Record):
            __tablename__ = "parts"
            number = mapped_column(primary_key=True)

        class Country(Base):
            __tablename__ = "countries"
            code = mapped_column(primary_key=True)

        class View(Base):
            __table__ = sa.Table("overview", metadata, sa.Column("id", primary_key=True))

        product_sizes: Table = sa.Table("product_sizes", metadata)

        class Remark:
            text = 'Table("nothing", metadata)'
    """,
    "app/shop/repository.py": """
        from app.db.repository import Repository
        from app.shop import models
        from app.shop.models import Product

        class ShopRepository(Repository[Product]):
            '''What all have.'''

        class SizeRepository(ShopRepository):
            model = models.Size

        class ProductRepository(Repository[Product]):
            model: type[Product] = Product

        class ColorView:
            model = models.Color
    """,
}
ORM_TABLES = {
    "products": ("Product", True, True, "ProductRepository"),
    "sizes": ("Size", True, False, "SizeRepository"),
    "colors": ("Color", True, False, None),
    "employees": ("Employee", True, True, None),
    "managers": ("Manager", False, True, None),
    "parts": ("Part", False, True, None),
    "countries": ("Country", False, False, None),
    "overview": ("", False, False, None),
    "product_sizes": ("product_sizes", False, False, None),
}


CORE_MODULES = {
    "app/shop/columns.py": """
        from sqlalchemy import Column

        from app.db.base import KeyColumns, RecordColumns

        class ProductColumns(RecordColumns):
            name = Column()

        class PartColumns(KeyColumns):
            number = Column(primary_key=True)
    """,
    "app/shop/tables.py": """
        import sqlalchemy as sa
        from sqlalchemy import Column, Table

        from app.db.base import KeyColumns
        from app.db.metadata import metadata
        from app.shop.columns import PartColumns, ProductColumns

        class SizeColumns(KeyColumns):
            name = Column()

        products: sa.Table = sa.Table("products", metadata, ProductColumns)
        sizes = Table("sizes", metadata, SizeColumns, comment="Sizes")
        parts = Table("parts", metadata, PartColumns)
        links = Table("links", metadata, Column("id", primary_key=True))
        names = [Table(name, metadata) for name in ("a", "b")]
    """,
    "app/shop/repository.py": """
        from app.db.repository import Repository
        from app.shop.columns import ProductColumns
        from app.shop.tables import products as all_products

        class ProductRepository(Repository[ProductColumns]):
            table = all_products
    """,
}
CORE_TABLES = {
    "products": ("products", "ProductColumns", True, True, "ProductRepository"),
    "sizes": ("sizes", "SizeColumns", True, False, None),
    "parts": ("parts", "PartColumns", False, False, None),
    "links": ("links", "", False, False, None),
}


def write(project: Path, files: Mapping[str, str]) -> None:
    """Write files, whose lines may be indented together."""
    for name, text in files.items():
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")


@pytest.mark.parametrize("variant", kinds(), ids=lambda variant: variant.id)
def test_rendered_project_is_read(rendered: Render, variant: Variant) -> None:
    folder = rendered(variant)
    project = open_project(folder / "app")
    assert project.folder == folder.resolve()
    assert project.answers == Answers(variant.database, variant.io, variant.data_access, variant.mixins)
    blog = {"users", "profiles", "posts", "post_tags", "comments", "tags"} if variant.example else set()
    assert project.tables.keys() == blog | ({"audit_log"} if "audit_log" in variant.mixins else set())
    assert set(project.routes) >= ({"/users", "/posts", "/tags"} if variant.example else set())
    assert project.operations.get("list_post_counts") == ("app.users.router" if variant.example else None)
    assert project.line_length == 100
    assert not project.records


def test_tables_of_the_orm_are_known(rendered: Render) -> None:
    tables = open_project(rendered(ORM)).tables
    repository = "app.users.repository", "UserRepository"
    assert tables["users"] == KnownTable(
        "users", "app.users.models", "User", "", repository, has_generated_key=True, is_record=True
    )
    assert (tables["tags"].has_generated_key, tables["tags"].is_record) == (True, False)
    assert tables["profiles"] == KnownTable("profiles", "app.users.models", "Profile")
    assert tables["post_tags"] == KnownTable("post_tags", "app.posts.models", "post_tags")


def test_tables_of_core_are_known(rendered: Render) -> None:
    tables = open_project(rendered(CORE)).tables
    repository = "app.users.repository", "UserRepository"
    assert tables["users"] == KnownTable(
        "users", "app.users.tables", "users", "UserColumns", repository, has_generated_key=True, is_record=True
    )
    assert (tables["tags"].has_generated_key, tables["tags"].is_record) == (True, False)
    assert tables["profiles"] == KnownTable("profiles", "app.users.tables", "profiles", "ProfileColumns")
    assert tables["audit_log"] == KnownTable("audit_log", "app.audit.log", "audit_log")


def test_own_classes_of_the_orm_are_followed(copied: Render) -> None:
    project = copied(BARE)
    write(project, ORM_MODULES)
    tables = open_project(project).tables
    assert {
        name: (table.symbol, table.has_generated_key, table.is_record, table.repository and table.repository[1])
        for name, table in tables.items()
    } == ORM_TABLES


def test_own_columns_of_core_are_followed(copied: Render) -> None:
    project = copied(Variant("sqlite", "async", "core", (), example=False))
    write(project, CORE_MODULES)
    tables = open_project(project).tables
    assert {
        name: (
            table.symbol,
            table.columns,
            table.has_generated_key,
            table.is_record,
            table.repository and table.repository[1],
        )
        for name, table in tables.items()
    } == CORE_TABLES


def test_own_table_is_what_the_resource_will_have(rendered: Render) -> None:
    names = Names("order_items", "order_item")
    table = open_project(rendered(CORE)).own_table(names)
    assert (table.module, table.symbol, table.columns) == ("app.order_items.tables", "order_items", "OrderItemColumns")
    table = open_project(rendered(ORM)).own_table(names)
    assert (table.module, table.symbol, table.columns) == ("app.order_items.models", "OrderItem", "")
    assert table.repository == ("app.order_items.repository", "OrderItemRepository")
    assert table.has_generated_key
    assert table.is_record


def test_folder_without_a_project_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"^Go to the folder of a project, or give it with --project: .* has no "):
        open_project(tmp_path)
    assert files_of(tmp_path) == {}


def test_folder_that_is_not_there_is_refused(rendered: Render) -> None:
    with pytest.raises(Refusal, match=r"^Go to the folder of a project"):
        open_project(rendered(BARE) / "typo")


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        (
            "_src_path: x\ndatabase: sqlite\n",
            "^Go to a project of this template: .* no answer to io, data_access, mixins",
        ),
        ("- a\n- b\n", "^Go to a project of this template: "),
        ("", "^Go to a project of this template: "),
        ("a: [\n", "^Restore .copier-answers.yml from your history: it is no YAML"),
        ("database: oracle\nio: sync\ndata_access: orm\nmixins: []\n", "^Use a newer version .* know database=oracle "),
        ("database: sqlite\nio: sync\ndata_access: orm\nmixins: [tenants]\n", "know mixins=tenants of"),
        ("database: sqlite\nio: sync\ndata_access: orm\nmixins: tenants\n", "know mixins=tenants of"),
        ("database: [sqlite]\nio: {}\ndata_access: orm\nmixins: []\n", r"know database=\['sqlite'\] of"),
    ],
)
def test_answers_of_another_template_are_refused(copied: Render, answers: str, message: str) -> None:
    project = copied(BARE)
    (project / ".copier-answers.yml").write_text(answers, encoding="utf-8")
    before = files_of(project)
    with pytest.raises(Refusal, match=message) as raised:
        open_project(project)
    assert "\n" not in str(raised.value)
    assert files_of(project) == before


@pytest.mark.parametrize("path", NEEDED)
def test_project_without_a_needed_file_is_refused(copied: Render, path: str) -> None:
    project = copied(BARE)
    (project / path).unlink()
    with pytest.raises(Refusal, match=f"^Update the project first, with `uvx copier update`: {path} is missing"):
        open_project(project)


def test_file_that_cannot_be_read_is_refused_by_its_line(copied: Render) -> None:
    project = copied(BARE)
    write(project, {"app/shop.py": "import os\n\ndef sell(:\n    pass\n"})
    with pytest.raises(Refusal, match=r"^Correct app/shop\.py, line 3, or use a newer Python"):
        open_project(project)
    write(project, {"app/shop.py": "import os\n\n<<<<<<< ours\nX = 1\n=======\nX = 2\n>>>>>>> theirs\n"})
    with pytest.raises(Refusal, match=r"^Resolve the conflict in app/shop\.py, line 3, first\.$"):
        open_project(project)
    (project / "app/shop.py").write_bytes("title = 'Bücher'\n".encode("latin-1"))
    with pytest.raises(Refusal, match=r"^Save app/shop\.py in UTF-8"):
        open_project(project)


def test_uncommitted_changes_are_refused(committed: Render) -> None:
    project = open_project(committed(BARE))
    require_clean(project)
    (project.folder / "notes.txt").touch()
    with pytest.raises(Refusal, match=r"^Commit or stash your changes first, or give --force: notes\.txt\.$"):
        require_clean(project)
    (project.folder / "README.md").write_text("Ours.\n", encoding="utf-8")
    git(project.folder, "add", "README.md")
    with pytest.raises(Refusal, match=r": README\.md and 1 more\.$"):
        require_clean(project)
    require_clean(project, force=True)


def test_changes_outside_of_the_project_are_none(rendered: Render, tmp_path: Path) -> None:
    project = tmp_path / "services/shop"
    shutil.copytree(rendered(BARE), project)
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message", "Start")
    (tmp_path / "notes.txt").touch()
    require_clean(open_project(project))


def test_folder_without_git_is_refused(rendered: Render, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = open_project(Path(shutil.copytree(rendered(BARE), tmp_path / "project")))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    with pytest.raises(
        Refusal, match=r"^Put the project into git first, or give --force: `git init && git add --all && "
    ):
        require_clean(project)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(Refusal, match=r"^Install git, or give --force"):
        require_clean(project)
    require_clean(project, force=True)


def test_trouble_of_git_is_shown(committed: Render) -> None:
    project = open_project(committed(BARE))
    (project.folder / ".git/config").write_text("[broken\n", encoding="utf-8")
    with pytest.raises(Refusal, match=r"^Let git work here first, or give --force: fatal: bad config line 1 "):
        require_clean(project)


def test_answers_are_facts_for_templates() -> None:
    answers = Answers("mysql", "sync", "core", ("soft_delete",))
    facts = answers.facts()
    assert (facts["database"], facts["io"], facts["soft_delete"], facts["timestamps"]) == ("mysql", "sync", True, False)
    assert (answers.kind, answers.orm, answers.is_async, answers.touched) == ("tables", False, False, False)
    assert Answers("sqlite", "async", "orm", ("timestamps",)).touched


def test_lines_are_as_long_as_the_linter_says(copied: Render) -> None:
    folder = copied(BARE)
    for text, length in {"[tool.ruff]\nline-length = 120\n": 120, "[project]\n": 88, "[": 88}.items():
        (folder / "pyproject.toml").write_text(text, encoding="utf-8")
        assert open_project(folder).line_length == length


@pytest.mark.parametrize(
    ("name", "files", "message"),
    [
        ("users", {}, r"app\.users\.models has a table users"),
        ("profiles", {}, r"app\.users\.models has a table profiles"),
        ("post_tags", {}, r"app\.posts\.models has a table post_tags"),
        ("books", {"app/books/__init__.py": ""}, "app/books is there already"),
        ("books", {"app/books.py": ""}, r"app/books\.py is there already"),
        ("books", {"tests/books/__init__.py": ""}, "tests/books is there already"),
        (
            "books",
            {"app/shelf/router.py": "import fastapi\nrouter = fastapi.APIRouter(prefix='/books')\n"},
            r"app\.shelf\.router has the routes of /books",
        ),
        ("docs", {}, r"app/main\.py uses docs for something else"),
    ],
)
def test_taken_name_is_refused(copied: Render, name: str, files: dict[str, str], message: str) -> None:
    folder = copied(ORM)
    write(folder, files)
    project = open_project(folder)
    before = files_of(folder)
    with pytest.raises(Refusal, match=f"^Choose another name: {message}.$"):
        require_free(project, Names(name, "one"))
    require_free(project, Names("zones", "zone"))
    assert files_of(folder) == before


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"app/loans/models.py": "from app.books.models import Book\n"}, r"out of app/loans/models\.py, line 1, first"),
        ({"app/loans/models.py": "import os\nimport app.books.models\n"}, r"app\.books out of .*, line 2, first"),
        ({"app/loans/models.py": "def f():\n    from app import books\n"}, "line 2, first: it is used there"),
        ({"app/loans/models.py": "from ..books import models\n"}, "line 1, first: it is used there"),
        ({"app/loans/models.py": "key = ForeignKey('books.id')\n"}, r"^Take the reference to books\.id out of "),
        (
            {"app/loans/tables.py": "ForeignKeyConstraint(['a', 'b'], ['books.id', 'books.x'])\n"},
            "the reference to books",
        ),
        ({"tests/test_shelf.py": "from app.books.schemas import BookPublic\n"}, r"tests/test_shelf\.py, line 1"),
    ],
)
def test_use_of_a_resource_is_found(copied: Render, files: dict[str, str], message: str) -> None:
    folder = copied(BARE)
    own = {"app/books/models.py": "class Book:\n    __tablename__ = 'books'\n    key = ForeignKey('books.id')\n"}
    write(folder, own | {"app/bookshops.py": "import app.bookings\nkey = ForeignKey('bookshops.id')\n"})
    gone = dict.fromkeys(own)
    require_unused(open_project(folder), BOOKS, gone)
    write(folder, files)
    with pytest.raises(Refusal, match=message):
        require_unused(open_project(folder), BOOKS, gone)
