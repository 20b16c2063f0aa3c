"""A resource is entered in the lists of a project where it belongs, and taken out again without a trace."""

import subprocess
from itertools import permutations
from pathlib import Path

import pytest

from copier_fastapi_sqlalchemy.resource.errors import Refusal
from copier_fastapi_sqlalchemy.resource.register import (
    MAIN,
    TABLES,
    Entry,
    add_to_main,
    add_to_tables,
    bound_names,
    correct_tag,
    remove_from_main,
    remove_from_tables,
)
from tests.harness.commands import tool
from tests.harness.variants import Variant
from tests.resource.conftest import Render, kinds

BOOKS = Entry("books", "Books, each with its ISBN.")
LONG = Entry("warehouse_order_items", "Items of the orders of each warehouse, with “prices”.")
HEAD = '''"""The application."""

from fastapi import Depends, FastAPI

from app.audit.router import router as audit
from app.users.router import router as users

'''
TAGS = """TAGS = [
    {"name": "users", "description": "Users."},
    {"name": "health", "description": "Whether the service lives and can serve."},
]
"""
# What owners make of ROUTERS, and what `books` makes of that.
ROUTERS = {
    "ROUTERS = (users, posts)": "ROUTERS = (users, posts, books)",
    "ROUTERS = (users,)": "ROUTERS = (users, books)",
    "ROUTERS = (audit,)  # ours": "ROUTERS = (books, audit)  # ours",
    "ROUTERS = [users, audit]": "ROUTERS = [users, books, audit]",
    "ROUTERS = [audit, users]": "ROUTERS = [audit, users, books]",
    "ROUTERS = users, audit": "ROUTERS = users, books, audit",
    "ROUTERS = (*blog.ROUTERS, api.make(1, 2))": "ROUTERS = (*blog.ROUTERS, api.make(1, 2), books)",
    "ROUTERS: list[APIRouter] = []": "ROUTERS = [books]",
    "ROUTERS: tuple[APIRouter, ...] = ()": "ROUTERS = (books,)",
    "ROUTERS: Sequence[APIRouter] = ()": "ROUTERS: Sequence[APIRouter] = (books,)",
    "ROUTERS: list[APIRouter] = [users]": "ROUTERS: list[APIRouter] = [users, books]",
    "ROUTERS = (\n    users,  # who\n    posts,  # what\n)": (
        "ROUTERS = (\n    users,  # who\n    posts,  # what\n    books,\n)"
    ),
    "ROUTERS = [\n    users,\n    # the log\n    audit,\n]": (
        "ROUTERS = [\n    users,\n    books,\n    # the log\n    audit,\n]"
    ),
    "ROUTERS = [\n    users,\n    posts  # last\n]": "ROUTERS = [\n    users,\n    posts,  # last\n    books\n]",
    "ROUTERS = [\n    users, posts,\n    tags, audit\n]": "ROUTERS = [\n    users, posts,\n    tags, books, audit\n]",
    "ROUTERS = [\n    users, posts\n]": "ROUTERS = [\n    users, posts, books\n]",
    "ROUTERS = [\n    # none yet\n]": "ROUTERS = [\n    # none yet\n    books,\n]",
    "ROUTERS = (\n    users,\n    posts)": "ROUTERS = (\n    users,\n    posts, books)",
}
WIDE = f"ROUTERS = ({', '.join(f'router_of_part_{number}' for number in range(5))})"
# What owners make of TAGS.
TAG_LISTS = [
    TAGS,
    'TAGS = [{"name": "health", "description": "Whether the service lives and can serve."}]\n',
    'TAGS = [\n    {"name": "health"},\n    {"name": "users"},\n]\n',
    'TAGS = [\n    {"name": "users"},  # who\n    # Ours.\n    {"name": "audit"},\n    {"name": "health"}\n]\n',
    'TAGS = [\n    Tag("users"),\n    {\n        "name": "health",\n        "description": TEXT,\n    },\n]\n',
    "TAGS: list[dict[str, str]] = []\n",
    "",
]


def ruff(project: Path, name: str, text: str) -> str:
    """Give what a project's linter and formatter make of a file."""
    options = ["--no-cache", "--quiet", "--stdin-filename", name, "-"]
    for arguments in (["check", "--select", "E,F,I", "--fix"], ["format"]):
        command = [tool("ruff"), *arguments, *options]
        text = subprocess.run(command, cwd=project, input=text, capture_output=True, text=True, check=True).stdout
    return text


@pytest.mark.parametrize("variant", kinds(), ids=lambda variant: variant.id)
def test_rendered_files_stay_formatted_and_come_back(rendered: Render, variant: Variant) -> None:
    project = rendered(variant)
    kind = "models" if variant.data_access == "orm" else "tables"
    main, tables = (project / MAIN).read_text(encoding="utf-8"), (project / TABLES).read_text(encoding="utf-8")
    with_books, with_both = add_to_main(main, BOOKS), add_to_main(add_to_main(main, LONG), BOOKS)
    with_table = add_to_tables(tables, f"app.books.{kind}")
    assert ruff(project, MAIN, with_books) == with_books
    assert ruff(project, MAIN, with_both) == with_both
    assert ruff(project, TABLES, with_table) == with_table
    assert "(books," in with_books or ", books" in with_books
    assert BOOKS.import_line in with_books
    assert BOOKS.description in with_books
    assert add_to_main(with_books, BOOKS) == with_books
    assert remove_from_main(with_books, BOOKS) == main
    assert remove_from_main(remove_from_main(with_both, LONG), BOOKS) == main
    assert remove_from_main(remove_from_main(with_both, BOOKS), LONG) == main
    assert remove_from_tables(with_table, f"app.books.{kind}") == tables


@pytest.mark.parametrize("routers", ROUTERS)
def test_edited_routers_get_the_resource_and_come_back(routers: str) -> None:
    imports = HEAD.replace("Depends", "APIRouter, Depends") if "APIRouter" in routers else HEAD
    main = f"{imports}{routers}\n{TAGS}"
    added = add_to_main(main, BOOKS)
    assert f"\n{ROUTERS[routers]}\n" in added
    assert ("APIRouter" in added.split("ROUTERS")[0]) == ("APIRouter" in ROUTERS[routers])
    assert remove_from_main(added, BOOKS) == main


@pytest.mark.parametrize("tags", TAG_LISTS)
@pytest.mark.parametrize("entry", [BOOKS, LONG], ids=lambda entry: entry.name)
def test_edited_tags_get_the_resource_and_come_back(tags: str, entry: Entry) -> None:
    main = f"{HEAD}ROUTERS = (users,)\n{tags}"
    added = add_to_main(main, entry)
    assert added.count(entry.description) == (1 if tags else 0)
    assert remove_from_main(added, entry) == main


def test_resource_comes_before_audit_and_health() -> None:
    main = f'{HEAD}ROUTERS = (users, audit)\nTAGS = [{{"name": "audit"}}, {{"name": "health"}}]\n'
    added = add_to_main(main, BOOKS)
    assert "(users, books, audit)" in added
    assert added.index('"books"') < added.index('"audit"')


def test_tag_is_that_of_the_router() -> None:
    main = f"{HEAD}ROUTERS = (users,)\n{TAGS}"
    added = add_to_main(main, LONG)
    assert '"name": "warehouse-order-items"' in added
    assert "import router as warehouse_order_items" in added
    former = added.replace('"warehouse-order-items"', '"warehouse_order_items"')
    assert correct_tag(former, LONG) == added
    assert add_to_main(former, LONG) == former
    assert remove_from_main(former, LONG) == main


@pytest.mark.parametrize(
    "tags",
    [
        'TAGS = tags_of("warehouse_order_items")\n',
        "",
        'TAGS = [{"name": "warehouse_order_items"}, {"name": "warehouse-order-items"}]\n',
        'TAGS = [{"name": WAREHOUSE, "description": "warehouse_order_items"}]\n',
    ],
)
def test_tags_of_an_owner_are_left_alone(tags: str) -> None:
    main = f"{HEAD}ROUTERS = (users, warehouse_order_items)\n{tags}"
    assert correct_tag(main, LONG) == main


def test_lines_are_broken_where_they_get_too_long() -> None:
    main = f"{HEAD}{WIDE}\n{TAGS}"
    added = add_to_main(main, BOOKS)
    assert "    router_of_part_4,\n    books,\n)\n" in added
    assert max(map(len, added.splitlines())) <= 100
    assert remove_from_main(added, BOOKS) == main
    assert "router_of_part_4, books)\n" in add_to_main(main, BOOKS, 120)


@pytest.mark.parametrize("order", list(permutations(["books", "author_notes", "zones"])))
def test_several_resources_leave_in_any_order(order: tuple[str, ...]) -> None:
    main = f"{HEAD}ROUTERS = (users, audit)\n{TAGS}"
    entries = {name: Entry(name, f"{name.capitalize()}.") for name in order}
    added = main
    for name in sorted(order):
        added = add_to_main(added, entries[name])
    for name in order:
        added = remove_from_main(added, entries[name])
    assert added == main


@pytest.mark.parametrize(
    "imports",
    [
        "from app.audit.router import router as audit\nfrom app.users.router import router as users\n",
        "from app.audit.router import (\n    router as a,\n)\nfrom app.users.router import (  # who\n    users,\n)\n",
        "# Ours.\nfrom app.users.router import router as users\n",
        "from app.audit.router import router as audit  # last\n",
        "import app.tables\nfrom app.audit.router import router as audit\n",
        "import app.tables\n\n# Theirs.\nfrom app.zones.router import router as zones\n",
        "",
    ],
)
def test_imports_stay_sorted_and_come_back(imports: str) -> None:
    main = f'"""The application."""\n\nfrom fastapi import FastAPI\n\n{imports}\nROUTERS = (users,)\n'
    added = add_to_main(main, BOOKS)
    lines = [line for line in added.splitlines() if line.startswith("from app.")]
    assert BOOKS.import_line in lines
    assert lines == sorted(lines)
    assert not imports or remove_from_main(added, BOOKS) == main


def test_numbers_in_names_are_sorted_as_numbers() -> None:
    main = "from app.part10.router import router as part10\n\nROUTERS = (part10,)\n"
    added = add_to_main(main, Entry("part9", "Parts."))
    assert added.startswith("from app.part9.router")


def test_name_of_an_import_of_several_is_taken_out() -> None:
    main = "from app.books.router import (\n    other,\n    router as books,\n)\n\nROUTERS = (books,)\n"
    removed = remove_from_main(main, BOOKS)
    assert "from app.books.router import (\n    other,\n)\n" in removed
    assert "from fastapi import APIRouter\n" in removed
    assert removed.endswith("ROUTERS: tuple[APIRouter, ...] = ()\n")


@pytest.mark.parametrize(
    ("tables", "expected"),
    [
        ("import app.audit.log\nimport app.users.models\n", "import app.audit.log\nimport app.books.models\n"),
        ("import app.audit.log  # noqa: F401\n", "import app.books.models  # noqa: F401\n"),
        ("# Ours.\nimport app.users.models\n", "# Ours.\nimport app.books.models\nimport app.users.models\n"),
        ("import os\n\n# Ours.\nimport app.users.models\n", "\n\nimport app.books.models\n# Ours.\n"),
        ("from app.db.metadata import metadata\n", "import app.books.models\nfrom app.db"),
        ('"""Tables."""\n', '"""Tables."""\n\nimport app.books.models\n'),
        ("", "import app.books.models\n"),
    ],
)
def test_table_is_imported_where_imports_are_sorted(tables: str, expected: str) -> None:
    added = add_to_tables(tables, "app.books.models")
    assert expected in added
    assert add_to_tables(added, "app.books.models") == added
    if "app." in tables:
        assert remove_from_tables(added, "app.books.models") == tables


def test_table_that_is_imported_otherwise_is_not_imported_again() -> None:
    for tables in ("from app.books import models as books\n", "import app.audit.log, app.books.models\n"):
        assert add_to_tables(tables, "app.books.models") == tables
        assert "books" not in remove_from_tables(tables, "app.books.models")


@pytest.mark.parametrize(
    "main",
    [
        f"{HEAD}{TAGS}",
        f"{HEAD}ROUTERS = BLOG + OURS\n{TAGS}",
        f"{HEAD}ROUTERS = make_routers()\n{TAGS}",
        f"{HEAD}ROUTERS: tuple[APIRouter, ...]\n{TAGS}",
        f"{HEAD}ROUTERS = (users,)\nTAGS = tags_of(ROUTERS)\n",
        f"{HEAD}ROUTERS = (\n    users,\n    (audit),\n)\n{TAGS}",
    ],
)
def test_list_that_cannot_be_read_is_refused(main: str) -> None:
    with pytest.raises(Refusal, match=r"^Give --no-register.*app/main\.py.*\.$"):
        add_to_main(main, BOOKS)


def test_broken_file_is_refused_by_its_line() -> None:
    with pytest.raises(
        Refusal, match=r"^Correct app/main\.py, line 3, or use a newer Python: Python 3\.\d+ can't read"
    ):
        add_to_main("import os\n\nROUTERS = (users\n", BOOKS)
    with pytest.raises(Refusal, match=r"^Correct app/tables\.py, or use "):
        add_to_tables("import os\0\n", "app.books.models")


def test_names_of_the_top_level_are_found() -> None:
    main = f"{HEAD}ROUTERS, (a, *b) = (users,), x\nfor c in a:\n    pass\ndef d(e): f = 1\nclass G: pass\nimport h.i\n"
    assert bound_names(main) == {"Depends", "FastAPI", "audit", "users", "ROUTERS", "a", "b", "c", "d", "G", "h"}
