"""A change of a resource is merged into what its owner has made of the files."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from copier_fastapi_sqlalchemy.resource import commands
from copier_fastapi_sqlalchemy.resource.changes import plan_addition
from copier_fastapi_sqlalchemy.resource.fields import parse_fields
from copier_fastapi_sqlalchemy.resource.former import NOW, WITH_EQUAL_ROWS, WITH_NUMBERS
from copier_fastapi_sqlalchemy.resource.names import names_of
from copier_fastapi_sqlalchemy.resource.others import ENV, leave_alone
from copier_fastapi_sqlalchemy.resource.project import open_project
from copier_fastapi_sqlalchemy.resource.record import Resource
from copier_fastapi_sqlalchemy.resource.render import render
from tests.harness.commands import clean_environment
from tests.harness.commands import run as run_in
from tests.harness.variants import ROOT, Variant
from tests.resource.conftest import Render, Start, add_all, commit, copy_with_dev
from tests.resource.test_commands import commands as commands_of
from tests.resource.test_commands import done, own_files, run
from tests.updates.releases import RELEASES, git

ORM = Variant("sqlite", "async", "orm", ("timestamps",))
CORE = Variant("postgresql", "sync", "core", ("soft_delete", "audit_log"))
SEARCHED = Variant("postgresql", "async", "orm", ("optimistic_locking", "full_text_search"))
BOOKS = (("books", ("title:str:200:unique", "status:enum:draft,out=draft", "price:decimal:10,2", "author:ref:users")),)
FORMER = (
    "loans",
    (
        *("fee:decimal:5,2:index", "site:url?", "opens_at:time:index", "lasts:interval", "extra:json", "cover:bytes"),
        *("starts_at:datetime", "day:date:index", "url:str:unique", "user:ref:users"),
    ),
)
OF_SEARCHED = ("title:str:search", "email:str", "contact:email:index")
TITLES = (("books", ("title:str",)),)
CHANGE = ("change", "books", "+isbn10:str:10?", "-status", "title:str:300:unique", "+day:date?:index")
ALL_STEPS = ["run alembic upgrade head", "run alembic revision --autogenerate -m Change books"]
ALL_STEPS += ["run alembic upgrade head", "test tests/books"]


def edit(project: Path, path: str, old: str, new: str) -> None:
    """Replace a text that is there once."""
    text = (project / path).read_text(encoding="utf-8")
    assert text.count(old) == 1, (path, old)
    (project / path).write_text(text.replace(old, new), encoding="utf-8")


def read(project: Path, path: str) -> str:
    return (project / path).read_text(encoding="utf-8")


@pytest.mark.parametrize("variant", [ORM, CORE], ids=str)
def test_edits_of_every_file_are_kept(start: Start, variant: Variant) -> None:
    project, table = start(variant, BOOKS), f"app/books/{'models' if variant.data_access == 'orm' else 'tables'}.py"
    edits = {}
    for name in (
        table,
        *(f"app/books/{name}.py" for name in ("schemas", "repository", "router")),
        "tests/books/test_router.py",
    ):
        edits[name] = "\n\ndef ours() -> int:\n    return 1\n"
        path = project / name
        path.write_text(read(project, name) + edits[name], encoding="utf-8")
    edit(project, "app/books/schemas.py", "import AfterValidator, ", "import AfterValidator, BaseModel, ")
    edit(project, "app/books/schemas.py", "class BookCreate(Input):\n", "class BookCreate(BaseModel):\n")
    commit(project)
    done(project, "change", "books", "+isbn10:str:10?", "price:decimal:12,2", "+day:date?:index")
    for name, text in edits.items():
        assert read(project, name).endswith(text)
    schemas = read(project, "app/books/schemas.py")
    assert "from datetime import date\n" in schemas
    assert "class BookCreate(BaseModel):\n" in schemas
    assert "    day: Date | None = None\n" in schemas
    assert "isbn10" in read(project, table)
    assert '"day"' in read(project, "tests/books/test_router.py")
    assert '    "isbn10:str?:10",\n' in read(project, "app/books/resource.toml")
    assert commands_of(project) == ALL_STEPS


@pytest.mark.parametrize("variant", [ORM, CORE], ids=str)
def test_change_there_and_back_leaves_what_was_before(start: Start, variant: Variant) -> None:
    project = start(variant, BOOKS)
    before = own_files(project)
    done(project, *CHANGE, "--no-migrate")
    assert not (project / "app/books/enums.py").exists()
    output = done(
        project,
        *(
            "change",
            "books",
            "-isbn10",
            "-day",
            "title:str:200:unique",
            "-price",
            "-author",
            "+status:enum:draft,out=draft",
        ),
        *("--force", "--no-migrate"),
    )
    done(project, "change", "books", "+price:decimal:10,2", "+author:ref:users", "--force", "--no-migrate")
    assert own_files(project) == before
    assert "\n  write   app/books/: enums.py\n" in output


@pytest.mark.parametrize("variant", [ORM, CORE], ids=str)
def test_routes_and_paging_are_changed_there_and_back(start: Start, variant: Variant) -> None:
    project = start(variant, BOOKS)
    before = own_files(project)
    for shape in (["--only", "read,list"], ["--only", "list,delete,bulk", "--paging", "cursor"], ["--only", "update"]):
        done(project, "change", "books", *shape, "--force", "--no-migrate")
        assert ("def update_book" in read(project, "app/books/router.py")) == ("update" in shape)
        assert "BookCreate" not in read(project, "app/books/schemas.py")
    back = ("--only", "create,read,list,update,delete,bulk", "--paging", "pages")
    done(project, "change", "books", *back, "--force", "--no-migrate")
    assert own_files(project) == before


def test_dry_run_shows_the_changes(start: Start) -> None:
    project = start(ORM, BOOKS)
    before = own_files(project)
    diff = done(project, *CHANGE, "--dry-run")
    assert own_files(project) == before
    assert "deleted file mode 100644\n--- a/app/books/enums.py\n" in diff
    (project / "change.diff").write_text(diff, encoding="utf-8")
    git(project, "apply", "change.diff")
    (project / "change.diff").unlink()
    after = own_files(project)
    git(project, "reset", "--quiet", "--hard")
    done(project, *CHANGE, "--no-migrate", "--force")
    assert own_files(project) == after


def test_revision_that_loses_values_is_not_run(start: Start) -> None:
    project = start(ORM, BOOKS)
    output = done(project, *CHANGE)
    assert commands_of(project) == ALL_STEPS[:2]
    assert "_new.py (status may lose values)\n  Run it: python3 dev.py run alembic upgrade head\n" in output


def test_revision_that_does_more_is_not_run(start: Start) -> None:
    project = start(ORM, BOOKS)
    (project / "failing.txt").write_text("drop", encoding="utf-8")
    result = run(project, "change", "books", "+day:date?")
    assert result.exit_code == 1
    assert "does more than was asked for: drop_table('notes', 'x'). Read it, and correct it.\n" in result.stderr
    assert commands_of(project) == ALL_STEPS[:2]


def test_empty_revision_is_deleted(start: Start) -> None:
    project = start(ORM, BOOKS)
    (project / "failing.txt").write_text("empty", encoding="utf-8")
    output = done(project, "change", "books", "title:str:200:unique:secret")
    assert "\n  no revision: the database stays as it is (" in output
    assert [*project.glob("migrations/versions/*_new.py")] == []
    assert commands_of(project) == ALL_STEPS


def test_conflicts_are_listed_and_nothing_is_run(start: Start) -> None:
    project = start(ORM, BOOKS)
    edit(project, "app/books/schemas.py", "max_length=200", "max_length=100")
    edit(project, "app/books/models.py", "String(200)", "String(100)")
    commit(project)
    result = run(project, "change", "books", "title:str:300:unique", "-status", "+pages:int", "--fill", "pages=3")
    assert result.exit_code == 1
    lines = {}
    for name in ("models.py", "schemas.py"):
        text = read(project, f"app/books/{name}").splitlines()
        lines[name] = text.index("<<<<<<< yours") + 1
        assert {"||||||| before", ">>>>>>> resource change"} <= {*text}
    assert result.stderr == (
        "\nConflicts:\n"
        f"  app/books/models.py:{lines['models.py']}\n"
        f"  app/books/schemas.py:{lines['schemas.py']}\n"
        "Nothing was run. Resolve the conflicts, and go on with:\n"
        "  Run it: python3 dev.py run alembic upgrade head\n"
        "  Run it: python3 dev.py run alembic revision --autogenerate -m 'Change books'\n"
        "  Give pages in the revision server_default=sa.text('3'), and take it away after that\n"
        "  Read the revision that it wrote: status may lose values\n"
        "  Run it: python3 dev.py run alembic upgrade head\n"
        "  Run it: python3 dev.py test tests/books\n"
    )
    assert commands_of(project) == []
    assert "pages" in read(project, "app/books/repository.py")
    again = run(project, "change", "books", "-pages", "--force")
    assert again.exit_code == 2
    assert again.stderr.startswith("Resolve the conflict in app/books/models.py, line ")


@pytest.mark.parametrize("failing", ["", "upgrade"])
def test_what_a_revision_needs_is_said_where_it_is_not_written(start: Start, failing: str) -> None:
    project = start(ORM, BOOKS)
    (project / "failing.txt").write_text(failing or "nothing", encoding="utf-8")
    result = run(
        project, "change", "books", "+pages:int=3", "price:decimal:12,3", *([] if failing else ["--no-migrate"])
    )
    said = result.stderr if failing else result.stdout
    assert (
        "  Give pages in the revision server_default=sa.text('3'), and take it away after that\n"
        "  Begin the revision with: op.execute('UPDATE books SET price = price * 10')\n"
        "  Begin its downgrade with: op.execute('UPDATE books SET price = round(price / 10.0)')\n"
        "  Read the revision that it wrote\n"
    ) in said


def test_association_that_no_revision_touches_is_refused(start: Start) -> None:
    project = start(ORM, BOOKS)
    env = project / ENV
    env.write_text(leave_alone(env.read_text(encoding="utf-8"), {"book_tags"}), encoding="utf-8")
    result = run(project, "change", "books", "+tags:many:tags", "--force")
    assert (result.exit_code, "take 'book_tags' out of OTHERS" in result.stderr) == (2, True)


def test_moved_file_and_edited_leftover_are_named(start: Start) -> None:
    project = start(ORM, BOOKS)
    (project / "app/books/router.py").unlink()
    (project / "app/books/repository.py").rename(project / "app/books/shelves.py")
    with (project / "app/books/enums.py").open("a", encoding="utf-8") as enums:
        enums.write("\n\nOURS = 1\n")
    commit(project)
    output = done(project, *CHANGE)
    assert not (project / "app/books/repository.py").exists()
    assert "  Delete app/books/enums.py, unless you need it: it has edits of yours, and no use otherwise.\n" in output
    assert "  Make these changes by hand where you moved app/books/repository.py to:\n" in output
    assert '    -    "status": Book.status,\n' in output
    assert "router.py" not in output.partition("\n$")[0].replace("test_router.py", "")


def test_file_of_a_project_is_merged_with_a_new_one(start: Start) -> None:
    project = start(ORM, TITLES)
    (project / "app/books/enums.py").write_text("OURS = 1\n", encoding="utf-8")
    commit(project)
    result = run(project, "change", "books", "+status:enum:draft,out=draft")
    assert (result.exit_code, "\n  app/books/enums.py:1\n" in result.stderr) == (1, True)
    assert "OURS = 1\n" in read(project, "app/books/enums.py")


def test_shared_files_come_and_go_with_their_use(start: Start) -> None:
    project = start(ORM, TITLES)
    shared = [project / f"app/{folder}/decimals.py" for folder in ("db", "web")]
    done(project, "change", "books", "+price:decimal:10,2?", "--no-migrate")
    assert all(path.exists() for path in shared)
    add_all(project, (("loans", ("fee:decimal:5,2",)),))
    done(project, "change", "books", "-price", "--no-migrate", "--force")
    assert all(path.exists() for path in shared)
    done(project, "change", "loans", "+day:date", "-fee", "--no-migrate", "--force")
    assert not any(path.exists() for path in shared)


@pytest.mark.parametrize(
    ("version", "command", "variant"),
    [
        ("1.1.0", "change", ORM),
        ("1.1.0", "refresh", CORE),
        ("1.2.0", "change", CORE),
        ("1.2.0", "refresh", ORM),
        ("1.4.0", "change", CORE),
        ("1.4.0", "refresh", ORM),
        ("1.5.0", "change", CORE),
        ("1.5.0", "refresh", ORM),
        ("1.5.0", "change", SEARCHED),
        ("1.5.0", "refresh", SEARCHED),
    ],
    ids=str,
)
def test_resource_of_a_former_version_gets_the_form_of_now(
    rendered: Render, start: Start, tmp_path: Path, variant: Variant, command: str, version: str
) -> None:
    project, new = start(variant, ()), copy_with_dev(rendered, variant, tmp_path / "new")
    name, fields = FORMER[0], [*FORMER[1], *(OF_SEARCHED if variant == SEARCHED else ())]
    add_with_release(version, tmp_path / version, project, name, fields)
    assert ("def plain_number" in read(project, "app/loans/schemas.py")) == (version == "1.1.0")
    path = project / "app/loans/router.py"
    path.write_text(read(project, "app/loans/router.py") + "\n\nOURS = 1\n", encoding="utf-8")
    commit(project)
    changed = {"change": ("+note:str?", "-site"), "refresh": ()}[command]
    done(project, command, name, *changed, "--no-migrate")
    left = [field for field in fields if f"-{field.partition(':')[0]}" not in changed]
    add_all(new, ((name, (*left, *(text[1:] for text in changed if text.startswith("+")))),))
    path.write_text(read(project, "app/loans/router.py").removesuffix("\n\nOURS = 1\n"), encoding="utf-8")
    assert own_files(project) == own_files(new)
    assert done(project, "refresh", "--force").startswith("Nothing to do: ")


@pytest.mark.parametrize("command", ["change", "refresh"])
@pytest.mark.parametrize("is_edited", [False, True])
def test_tag_of_two_words_becomes_that_of_the_router(start: Start, command: str, *, is_edited: bool) -> None:
    project = start(ORM, (("stock_items", ("title:str",)),))
    now = read(project, "app/main.py")
    edit(project, "app/main.py", '"stock-items"', '"stock_items"')
    if command == "refresh":
        edit(project, "app/stock_items/resource.toml", f"form = {NOW}\n", f"form = {NOW - 1}\n")
    if is_edited:
        edit(project, "app/stock_items/router.py", 'tags=["stock-items"]', 'tags=["stock_items"]')
    commit(project)
    former = read(project, "app/main.py")
    changed = {"change": ("stock_items", "+note:str?"), "refresh": ()}[command]
    done(project, command, *changed, "--no-migrate")
    assert read(project, "app/main.py") == (former if is_edited else now)


@pytest.mark.parametrize(
    ("path", "field", "form", "was"),
    [
        ("app/web/intervals.py", "lasts:interval", WITH_NUMBERS, "no_bool"),
        ("app/web/numbers.py", "day:date", WITH_EQUAL_ROWS, "isdecimal"),
        ("app/web/times.py", "at:time", WITH_EQUAL_ROWS, "[time, AfterValidator"),
        ("app/web/binary.py", "cover:bytes", WITH_EQUAL_ROWS, "PlainSerializer\n"),
    ],
)
def test_shared_file_of_a_former_version_is_replaced(start: Start, path: str, field: str, form: int, was: str) -> None:
    project = start(ORM, (("loans", (field,)),))
    now = read(project, path)
    former = render(Resource(names_of("loans"), parse_fields([field]), form=form), open_project(project))[path]
    assert was in former
    assert was not in now
    for text, after in ((former, now), (f"{former}\nOURS = 1\n", f"{former}\nOURS = 1\n")):
        (project / path).write_text(text, encoding="utf-8")
        plan = plan_addition(open_project(project), Resource(names_of("books"), parse_fields([field])))
        assert plan.texts.get(path, text) == after


def add_with_release(version: str, folder: Path, project: Path, name: str, fields: Sequence[str]) -> None:
    """Add a resource with the command of a version that was published."""
    archive = ["git", "archive", RELEASES[version], "copier_fastapi_sqlalchemy", "macros"]
    content = subprocess.run(archive, cwd=ROOT, capture_output=True, check=True).stdout
    folder.mkdir()
    subprocess.run(["tar", "--extract"], cwd=folder, input=content, check=True)
    command = ["-m", "copier_fastapi_sqlalchemy", "resource", "add", name, *fields, "--project", str(project)]
    run_in([sys.executable, *command, "--no-migrate"], folder, clean_environment(PYTHONPATH=str(folder)))


REFUSED = {
    "loans +day:date": "Name a resource that was added (books): 'loans' isn't one.",
    "books": "Give a change: books is as that would make it.",
    "books -pages": "Name a field of books (title, status, price, author): 'pages' isn't one.",
    "books +day:date --no-tets": "Leave out --no-tets: there is no such option.",
    "books +day:date": "Give --fill day=VALUE for the rows that are there, or add it as one that can be null.",
    "books +day:date --fill day=soon": "Give --fill day a value of its type, date, as in --fill 'day=2026-01-31': ",
    "books +day:date --fill day": "Write --fill day=VALUE.",
    "books +day:date? --fill day=2026-01-31": "Leave out --fill day: what needs a value is a field that can't be null",
    "books +reader:ref:readers?": "Let 'reader' refer to a table of the project: ",
    "books --only create": "Add read to --only: the answer to create has the address of what it made.",
    "books --only read --paging cursor": "Add list to --only, or leave --paging out: nothing else has pages.",
    "books --paging pages": "Give a change: books is as that would make it.",
    "books +title:str": "Write `title:str` without +: books has a field 'title' already.",
}


def test_refusal_writes_nothing(start: Start) -> None:
    project = start(ORM, BOOKS)
    before = own_files(project)
    for command, message in REFUSED.items():
        result = run(project, "change", *command.split())
        assert (result.exit_code, result.stdout) == (2, ""), command
        assert result.stderr.startswith(message)
        assert result.stderr.count("\n") == 1
    assert own_files(project) == before
    (project / "notes.txt").touch()
    result = run(project, *CHANGE)
    assert result.stderr == "Commit or stash your changes first, or give --force: notes.txt.\n"
    assert own_files(project).keys() - before.keys() == {"notes.txt"}


def test_resource_of_other_answers_is_refused(start: Start) -> None:
    project = start(ORM, BOOKS)
    edit(project, "app/books/resource.toml", 'io = "async"', 'io = "sync"')
    result = run(project, *CHANGE, "--force")
    assert result.exit_code == 2
    assert result.stderr == "Run `resource refresh books` first: it was written for other answers of the project.\n"


def test_value_is_asked_for_on_a_terminal(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    project = start(ORM, BOOKS)
    monkeypatch.setattr(commands, "has_terminal", lambda: True)
    asked: list[str] = []

    def prompt(text: str, **_: object) -> str:
        asked.append(text)
        return "3"

    monkeypatch.setattr("typer.prompt", prompt)
    done(project, "change", "books", "+pages:int", "+copies:int=0")
    assert asked == ["Value of pages (pages:int) for the rows that are there"]


def test_help_says_what_a_sign_means(start: Start) -> None:
    result = run(start(ORM, BOOKS), "change", "books", "-status", "--help")
    assert result.exit_code == 0
    assert "-status title:str:300" in result.stdout
