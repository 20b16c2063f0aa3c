"""In a project with accounts, `author:ref:users:owner` leaves a record to the user whom it belongs to."""

import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from sqlite3 import connect
from typing import Any

import pytest

from copier_fastapi_sqlalchemy.resource.changes import Change, Side, plan_addition, plan_change, plan_removal
from copier_fastapi_sqlalchemy.resource.errors import Refusal
from copier_fastapi_sqlalchemy.resource.fields import parse_fields
from copier_fastapi_sqlalchemy.resource.names import names_of
from copier_fastapi_sqlalchemy.resource.ownership import check_owner
from copier_fastapi_sqlalchemy.resource.project import open_project
from copier_fastapi_sqlalchemy.resource.record import Resource
from copier_fastapi_sqlalchemy.resource.refresh import outdated, sides
from tests.harness.commands import run_tool
from tests.harness.project_tests import run_tests
from tests.harness.servers import NewDatabase
from tests.harness.variants import Variant
from tests.harness.warm_process import WarmProcess
from tests.resource.conftest import Render, Start, commit
from tests.resource.test_change import edit, read
from tests.resource.test_commands import done, own_files, run
from tests.resource.test_every_resource import sources_of

ACCESS = "app/auth/access.py"
NO_ACCOUNTS = Variant("sqlite", "sync", "core", ())
ACCOUNTS = Variant("sqlite", "async", "orm", ("soft_delete", "timestamps"), auth="password")
BARE = Variant("sqlite", "sync", "core", (), example=False, auth="password")
BOOKS = ("title:str:200", "author:ref:users:owner")
OWNED = (("books", BOOKS),)
OPEN = (("books", ("title:str:200", "author:ref:users")),)
# Of the routes of books that belong to their author.
ROWS = """    "list_books": READER,
    "create_book": signed(Role.AUTHOR, "author_id"),
    "read_book": READER,
    "create_books": ADMIN,
    "delete_books": ADMIN,
    "update_book": own(Role.AUTHOR, "book_id", "books.author_id"),
    "delete_book": own(Role.AUTHOR, "book_id", "books.author_id"),
}
"""


def owned(*fields: str, **options: Any) -> Resource:
    """Give books with these fields."""
    return Resource(names_of("books"), parse_fields(fields), **options)


@pytest.mark.parametrize(
    ("variant", "fields", "remedy"),
    [
        (NO_ACCOUNTS, BOOKS, "Leave `owner` out of 'author': the project has no accounts"),
        (ACCOUNTS, ("title:str", "a:ref:users:owner", "b:ref:users:owner"), "Leave `owner` out of 'b': 'a' has it"),
        (ACCOUNTS, ("author:ref:users:owner",), "Add a field that can change, or leave update out with --only"),
    ],
)
def test_owner_that_cannot_be_is_refused(start: Start, variant: Variant, fields: tuple[str, ...], remedy: str) -> None:
    project = start(variant, ())
    before = own_files(project)
    refused = run(project, "add", "books", *fields)
    assert refused.exit_code == 2
    assert refused.stderr.startswith(remedy)
    assert refused.stderr.count("\n") == 1
    assert own_files(project) == before


def test_owner_needs_no_field_beside_it_without_update(start: Start) -> None:
    check_owner(owned("author:ref:users:owner", only=("create", "read")), open_project(start(ACCOUNTS, ())))


def test_author_may_write_their_own_alone(start: Start) -> None:
    project = start(BARE, ())
    output = done(project, "add", "books", *BOOKS, "--no-test")
    assert "  allow   readers read; authors create, change and delete their own; admins all\n" in output
    assert "Any author" not in output
    access = read(project, ACCESS)
    assert access.endswith(ROWS)
    assert "from app.auth.rules import Rule, others, own, signed\n" in access
    schemas = read(project, "app/books/schemas.py")
    assert "class BookCreate(Input):\n    title: Title\n    author_id: Id\n" in schemas
    assert "class BookPatch(Input):\n    title: Patchable[Title] = None\n\n" in schemas
    assert "changes.author_id" not in read(project, "app/books/repository.py")
    assert done(project, "list") == "books title:str:200 author:ref:users:owner\n"


def test_restoring_is_left_to_admins(start: Start) -> None:
    access = read(start(ACCOUNTS, OWNED), ACCESS)
    assert '    "restore_book": ADMIN,\n' in access
    assert '    "delete_book": own(' in access


def test_reference_to_users_without_owner_is_told(start: Start) -> None:
    output = done(start(ACCOUNTS, ()), "add", "books", "title:str", "author:ref:users?:null", "--no-migrate")
    advice = "`resource change books author:ref:users:owner` limits that to their own"
    assert f"  Any author may change any book: {advice}\n" in output
    assert "  allow   readers read; authors create and change any; admins all\n" in output


def test_import_tells_of_each_table_who_may_write(start: Start, tmp_path: Path) -> None:
    project = start(BARE, ())
    with closing(connect(tmp_path / "shop.db")) as database:
        database.execute("CREATE TABLE users (id INTEGER PRIMARY KEY)")
        database.execute("CREATE TABLE pens (id INTEGER PRIMARY KEY, name VARCHAR(9))")
        reference = "author_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE"
        database.execute(f"CREATE TABLE books (id INTEGER PRIMARY KEY, {reference})")
    output = done(project, "import", "books", "pens", "--from", f"sqlite:///{tmp_path}/shop.db", "--no-migrate")
    for name in ("books", "pens"):
        assert f"  allow   {name}: readers read; authors create and change any; admins all\n" in output
    assert output.count("Any author may change any") == 1
    assert '    "update_book": AUTHOR,\n' in read(project, ACCESS)


@pytest.mark.parametrize(("variant", "fields"), [(ACCOUNTS, ("title:str",)), (NO_ACCOUNTS, ("author:ref:users",))])
def test_nothing_is_told_where_nothing_can_be_limited(start: Start, variant: Variant, fields: tuple[str, ...]) -> None:
    assert "author may" not in done(start(variant, ()), "add", "books", *fields, "--no-migrate")


def test_rows_to_add_by_hand_are_told(start: Start) -> None:
    output = done(start(BARE, ()), "add", "books", *BOOKS, "--no-migrate", "--no-register")
    assert f"  Add to {ACCESS}:\n" in output
    assert '      "create_book": signed(Role.AUTHOR, "author_id"),\n' in output


def test_records_below_a_user_are_for_that_user(start: Start) -> None:
    project = start(ACCOUNTS, ())
    done(project, "add", "addresses", "street:str", "--parent", "users", "--no-migrate")
    access = read(project, ACCESS)
    assert '    "create_address": own(Role.AUTHOR, "user_id", "users.id"),\n' in access
    assert '    "update_address": own(Role.AUTHOR, "address_id", "addresses.user_id"),\n' in access
    assert '    "create_addresses": ADMIN,\n' in access
    done(project, "add", "reviews", *BOOKS, "--parent", "users", "--no-migrate", "--force")
    assert '    "create_review": signed(Role.AUTHOR, "author_id"),\n' in read(project, ACCESS)


@pytest.mark.parametrize("variant", [ACCOUNTS, BARE], ids=["with_example", "bare"])
def test_owner_is_added_and_taken_away(start: Start, rendered: Render, variant: Variant) -> None:
    project = start(variant, OPEN)
    before = own_files(project)
    output = done(project, "change", "books", "author:ref:users:owner", "--no-migrate")
    assert "authors create, change and delete their own" in output
    assert own_files(project).keys() - before.keys() == {"tests/callers.py"}
    removal = plan_removal(open_project(project), owned(*BOOKS))
    assert removal.texts[ACCESS] == read(rendered(variant), ACCESS)
    output = done(project, "change", "books", "author:ref:users", "--no-migrate", "--force")
    assert "Any author may change any book" in output
    assert own_files(project) == before


def test_edited_row_stays(start: Start) -> None:
    project = start(ACCOUNTS, OPEN)
    edit(project, ACCESS, '    "update_book": AUTHOR,\n', '    "update_book": ADMIN,\n')
    commit(project)
    output = done(project, "change", "books", "author:ref:users:owner", "--no-migrate")
    assert f"  Read the row of update_book in {ACCESS}: it is yours, and stays.\n" in output
    access = read(project, ACCESS)
    assert '    "update_book": ADMIN,\n' in access
    assert '    "create_book": signed(Role.AUTHOR, "author_id"),\n' in access


def test_refresh_takes_the_owner_away_with_the_accounts(start: Start) -> None:
    project = start(ACCOUNTS, OWNED)
    shutil.rmtree(project / "app/auth")
    opened = open_project(project)
    [recorded] = outdated(opened, [owned(*BOOKS, answers=opened.answers)])
    made = Change("resource refresh")
    plan_change(made, *sides(opened, recorded, [recorded]))
    assert '"author:ref:users",' in str(made.texts["app/books/resource.toml"])
    assert "author_id: Patchable[Id] = None" in str(made.texts["app/books/schemas.py"])
    with pytest.raises(Refusal, match="Leave `owner` out of 'author'"):
        plan_change(made, Side(recorded, opened), Side(replace(recorded, only=("read",)), opened))


def test_rows_of_all_refreshed_resources_are_there(start: Start) -> None:
    resources = (*OWNED, ("pens", ("name:str",)))
    opened = open_project(start(replace(ACCOUNTS, mixins=("soft_delete",)), resources))
    was = replace(opened.answers, mixins=())
    access = opened.folder / ACCESS
    kept = [line for line in read(opened.folder, ACCESS).splitlines(keepends=True) if "restore_" not in line]
    access.write_text("".join(kept), encoding="utf-8")
    recorded = [Resource(names_of(name), parse_fields(fields), answers=was) for name, fields in resources]
    made = Change("resource refresh")
    for one in recorded:
        plan_change(made, *sides(opened, one, recorded))
    assert '"restore_book": ADMIN,\n    "restore_pen": ADMIN,\n' in str(made.texts[ACCESS])


@pytest.fixture
def copy(project: Path, scratch: Path) -> Path:
    """Copy the project of a variant."""
    folder = scratch / "with-owner"
    shutil.rmtree(folder, ignore_errors=True)
    return Path(shutil.copytree(project, folder, ignore=shutil.ignore_patterns("*cache*")))


@pytest.fixture
def tested(copy: Path, warm_process: WarmProcess, new_database: NewDatabase) -> Callable[[], None]:
    """A way to write the revision that is missing, and to run the tests of books."""

    def test() -> None:
        run_tool(copy, "ruff", "check", "--no-cache", "--no-fix")
        run_tool(copy, "ruff", "format", "--no-cache", "--check")
        with new_database() as url:
            for arguments in (["upgrade", "head"], ["revision", "--autogenerate", "-m", "Go on"]):
                warm_process.run(["-m", "alembic", *arguments], copy, {"DATABASE_URL": url})
        with new_database() as url:
            done = run_tests(warm_process, copy, {"TEST_DATABASE_URL": url}, "tests/books", "tests/auth/test_access.py")
        assert " passed" in done.output

    return test


@pytest.fixture
def work(copy: Path, tested: Callable[[], None], warm_process: WarmProcess, mypy_cache: Path) -> Callable[[], None]:
    """A way to add books of authors to the copy, to change them there and back, and to remove them."""

    def work() -> None:
        fields = ("title:str:200:unique:search", "author:ref:users:owner", "editor:ref:users?", "tags:many:tags")
        books = owned(*fields, unique=(("title", "author"),))
        before, opened = sources_of(copy), open_project(copy)
        plan_addition(opened, books).write()
        written = sources_of(copy)
        tested()
        warm_process.run(["-m", "mypy", "--cache-dir", str(mypy_cache)], copy)
        free = replace(books, fields=parse_fields([text.removesuffix(":owner") for text in fields]))
        for one, other in ((books, free), (free, books)):
            made = Change("resource change")
            plan_change(made, Side(one, open_project(copy)), Side(other, open_project(copy)))
            assert made.conflicts == []
            made.plan("Change books", copy).write()
            tested()
        assert sources_of(copy) == written
        plan_removal(open_project(copy), books).write()
        assert sources_of(copy) == before

    return work


@pytest.mark.accounts
@pytest.mark.mixin("full_text_search")
def test_books_of_authors_with_accounts(work: Callable[[], None]) -> None:
    work()


@pytest.mark.oidc
@pytest.mark.mixin("full_text_search", "soft_delete")
def test_books_of_authors_with_an_identity_provider(work: Callable[[], None]) -> None:
    work()
