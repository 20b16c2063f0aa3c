"""The commands add, list and remove a resource, and write nothing where they refuse.

What they render is tested elsewhere: here a few short files stand for it, and a script for the project's `dev.py`.
"""

import shutil
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from copier_fastapi_sqlalchemy.cli import app
from copier_fastapi_sqlalchemy.resource import changes
from copier_fastapi_sqlalchemy.resource.others import ENV, leave_alone
from copier_fastapi_sqlalchemy.resource.project import Project, take_back
from copier_fastapi_sqlalchemy.resource.record import Resource
from tests.harness.rendering import files_of
from tests.harness.variants import Variant
from tests.resource.conftest import DEV, Render
from tests.updates.releases import git

ORM = Variant("sqlite", "async", "orm", ("timestamps",))
BARE = Variant("postgresql", "sync", "core", (), example=False)
SHARED = "app/db/decimals.py"
FIELDS = ["title:str:200", "isbn:str:13:unique"]


def render(resource: Resource, project: Project) -> dict[str, str]:
    """Give short files of a resource."""
    names = resource.names
    package, kind = f"app/{names.plural}", project.answers.kind
    columns = f"class {names.class_name}Columns(RecordColumns):\n    pass\n\n\n"
    table = f'{columns}{names.plural} = Table("{names.plural}", metadata, {names.class_name}Columns)\n'
    model = f'class {names.class_name}(Record):\n    __tablename__ = "{names.plural}"\n'
    base = "Record" if project.answers.orm else "RecordColumns"
    return {
        f"{package}/__init__.py": "",
        f"{package}/{kind}.py": f"from app.db.base import {base}\n\n\n{model if project.answers.orm else table}",
        f"{package}/router.py": f'router = APIRouter(prefix="/{names.path}")\n',
        f"{package}/resource.toml": resource.to_toml(),
        SHARED: "EXACT = 1\n",
        f"tests/{names.plural}/__init__.py": "",
        f"tests/{names.plural}/test_router.py": f"from app.{names.plural}.router import router\n",
    }


@pytest.fixture
def committed(copied: Render, monkeypatch: pytest.MonkeyPatch) -> Render:
    """Copy a rendered project into a repository, with a script for its `dev.py` that notes what is run."""
    monkeypatch.setattr(changes, "render", render)
    for key in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{key}_NAME", "owner")

    def of(variant: Variant) -> Path:
        project = copied(variant)
        (project / "dev.py").write_text(DEV, encoding="utf-8")
        (project / "migrations/versions").mkdir(exist_ok=True)
        with (project / ".gitignore").open("a", encoding="utf-8") as ignored:
            ignored.write("commands.txt\nfailing.txt\n")
        git(project, "init", "--quiet")
        commit(project)
        return project

    return of


@pytest.fixture
def project(committed: Render) -> Path:
    """A project with the ORM and the example."""
    return committed(ORM)


def commit(project: Path) -> None:
    """Commit all."""
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "Go on")


def run(project: Path, *arguments: str) -> Result:
    """Run a command on a project; an exception that it doesn't handle fails the test."""
    result = CliRunner().invoke(app, ["resource", *arguments, "--project", str(project)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def done(project: Path, *arguments: str) -> str:
    """Run a command that succeeds, and give what it prints."""
    result = run(project, *arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


def commands(project: Path) -> list[str]:
    """Give the commands that were run in a project, and forget them."""
    path = project / "commands.txt"
    found = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    path.unlink(missing_ok=True)
    return found


def own_files(project: Path) -> dict[str, bytes]:
    """Give the files of a project but for git's."""
    return {name: content for name, content in files_of(project).items() if not name.startswith(".git/")}


def test_resource_is_added(project: Path) -> None:
    before = own_files(project)
    output = done(project, "add", "books", *FIELDS)
    after = own_files(project)
    assert after.keys() - before.keys() == {
        *("app/books/__init__.py", "app/books/models.py", "app/books/resource.toml", "app/books/router.py"),
        *("tests/books/__init__.py", "tests/books/test_router.py", SHARED),
        *("migrations/versions/1_new.py", "commands.txt"),
    }
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"app/main.py", "app/tables.py"}
    assert b"import app.books.models\n" in after["app/tables.py"]
    assert b"ROUTERS = (users, posts, comments, tags, books)\n" in after["app/main.py"]
    assert b'{"name": "books", "description": "Books."},\n' in after["app/main.py"]
    assert commands(project) == [
        "run alembic upgrade head",
        "run alembic revision --autogenerate -m Add books",
        "run alembic upgrade head",
        "test tests/books",
    ]
    plan, _, rest = output.partition("\n$ ")
    assert plan.startswith(f"Add books in {project}:\n  write ")
    assert "\n  write   app/books/: __init__.py, models.py, resource.toml, router.py\n" in plan
    assert "\n  edit    app/: main.py, tables.py\n" in plan
    assert "\n  run     python3 dev.py test tests/books\n" in plan
    assert rest.endswith(
        "\nNext:\n"
        "  Read it: migrations/versions/1_new.py\n"
        '  Commit it: git add --all && git commit -m "Add books"\n'
        "  Look at it: python3 dev.py serve, then http://127.0.0.1:8000/docs\n"
    )


def test_first_resource_of_a_project_is_added(committed: Render) -> None:
    project = committed(BARE)
    done(project, "add", "order_items", "title:str", "--singular", "line")
    main = (project / "app/main.py").read_text(encoding="utf-8")
    assert "\nROUTERS = (order_items,)\n" in main
    assert '    {"name": "order-items", "description": "Order items."},\n' in main
    assert "class LineColumns" in (project / "app/order_items/tables.py").read_text(encoding="utf-8")
    assert commands(project)[1] == "run alembic revision --autogenerate -m Add order items"


def test_dry_run_shows_what_would_be_written(project: Path, tmp_path: Path) -> None:
    (project / "notes.txt").touch()
    before = own_files(project)
    diff = done(project, "add", "books", *FIELDS, "--dry-run")
    assert own_files(project) == before
    other = Path(shutil.copytree(project, tmp_path / "other"))
    subprocess.run(["git", "apply", "-"], cwd=other, input=diff.encode(), check=True)
    done(project, "add", "books", *FIELDS, "--no-migrate", "--force")
    assert own_files(project) == own_files(other)
    assert commands(project) == []


def test_steps_that_are_left_out_are_named(project: Path) -> None:
    output = done(project, "add", "books", *FIELDS, "--no-test")
    assert [command.split()[2] for command in commands(project)] == ["upgrade", "revision", "upgrade"]
    assert "\n  Run it: python3 dev.py test tests/books\n" in output
    output = done(project, "add", "loans", "day:date", "--no-migrate", "--force")
    assert commands(project) == []
    assert "\n  Run it: python3 dev.py run alembic revision --autogenerate -m 'Add loans'\n" in output


def test_main_is_left_as_it_is(project: Path) -> None:
    main = project / "app/main.py"
    text = main.read_text(encoding="utf-8").replace("ROUTERS = (users,", "ROUTERS = BLOG = OURS + (users,")
    main.write_text(text, encoding="utf-8")
    commit(project)
    refused = run(project, "add", "books", *FIELDS)
    assert refused.stderr.startswith("Give --no-register, which says what to add to app/main.py by hand: line ")
    output = done(project, "add", "books", *FIELDS, "--no-register")
    assert main.read_text(encoding="utf-8") == text
    assert (
        "\nNext:\n"
        "  Add to app/main.py:\n"
        "      from app.books.router import router as books\n"
        '      app.include_router(books, prefix="/api/v1")\n'
    ) in output
    assert commands(project)[-1] == "run alembic upgrade head"
    assert "  Run it: python3 dev.py test tests/books\n" in output


def test_edits_are_not_formatted_on_request(project: Path) -> None:
    (project / "pyproject.toml").write_text("[tool.ruff]\nunknown = 1\n", encoding="utf-8")
    commit(project)
    assert "give --no-format" in run(project, "add", "books", *FIELDS).stderr
    done(project, "add", "books", *FIELDS, "--no-format")


def test_resources_are_listed_as_they_were_added(project: Path) -> None:
    assert done(project, "list").startswith("No resource was added to this project: ")
    done(project, "add", "books", *FIELDS)
    options = ["--unique", "day,book", "--parent", "books", "--only", "read,list", "--paging", "cursor"]
    done(project, "add", "loans", "day:date", *options, "--force")
    assert done(project, "list") == (f"books title:str:200 isbn:str:13:unique\nloans day:date {' '.join(options)}\n")


def test_removed_resource_leaves_what_was_before(project: Path) -> None:
    before = own_files(project)
    done(project, "add", "books", *FIELDS)
    commands(project)
    commit(project)
    output = done(project, "remove", "books")
    assert commands(project) == ["run alembic upgrade head", "run alembic revision --autogenerate -m Remove books"]
    after = own_files(project)
    assert {name for name in after if name not in before} == {
        "migrations/versions/1_new.py",
        "migrations/versions/2_new.py",
    }
    assert {name: content for name, content in after.items() if name in before} == before
    assert not (project / "app/books").exists()
    assert not (project / "tests/books").exists()
    assert "\n  delete  app/books/: __init__.py, models.py, resource.toml, router.py\n" in output
    assert output.endswith(
        "\nNext:\n"
        "  Read it: migrations/versions/2_new.py\n"
        "  Run it: python3 dev.py run alembic upgrade head\n"
        '  Commit it: git add --all && git commit -m "Remove books"\n'
    )


def test_shared_file_stays_while_it_is_imported(project: Path) -> None:
    done(project, "add", "books", *FIELDS)
    path = project / "app/users/prices.py"
    path.write_text("from app.db.decimals import EXACT\n", encoding="utf-8")
    done(project, "remove", "books", "--force", "--dry-run")
    assert (project / "app/books").exists()
    done(project, "remove", "books", "--force")
    assert (project / SHARED).exists()
    path.unlink()
    (project / SHARED).write_text("OURS = 1\n", encoding="utf-8")
    done(project, "add", "books", *FIELDS, "--force")
    assert (project / SHARED).read_text(encoding="utf-8") == "OURS = 1\n"
    done(project, "remove", "books", "--force", "--no-migrate")
    assert (project / SHARED).exists()


REFUSED = {
    "add books title:str --unknown": "No such option: --unknown",
    "add books": "Missing argument 'FIELD...'",
    "add books title:str --only read,lists": "Choose routes among create, read, list, update, delete, bulk in --only",
    "add books title:str --only delete,bulk": "Add list to --only: the answers of bulk have no keys.",
    "add books title:str --paging offset": "Choose --paging pages or cursor: there is no 'offset'.",
    "add books title:words": "Give 'title' one of these types: ",
    "add Books title:str": "Name the resource in lower case",
    "add ls title:str": "Name the record (--singular) in lower case, as in order_items, with 2 to 40 letters: not 'l'.",
    "add classes title:str": "Give the record (--singular) another name: 'class' has a meaning of its own",
    "add books state:enum:1st,2nd": "Give 'state' its values, each once, as in state:enum:draft,in_print: each",
    "add users title:str": "Choose another name: app.users.models has a table users.",
    "add docs title:str": "Give the resource another name: 'docs' has a meaning of its own",
    "remove books": "Name a resource that was added (there are none): 'books' isn't one.",
}


@pytest.mark.parametrize("command", REFUSED)
def test_refusal_writes_nothing(project: Path, command: str) -> None:
    before = own_files(project)
    result = run(project, *command.split())
    assert result.exit_code == 2
    assert REFUSED[command] in result.stderr
    assert result.stdout == ""
    assert own_files(project) == before


def test_uncommitted_changes_are_refused_unless_forced(project: Path) -> None:
    (project / "notes.txt").touch()
    before = own_files(project)
    result = run(project, "add", "books", *FIELDS)
    assert result.exit_code == 2
    assert result.stderr == "Commit or stash your changes first, or give --force: notes.txt.\n"
    assert own_files(project) == before
    done(project, "add", "books", *FIELDS, "--force")
    result = run(project, "remove", "books")
    assert result.stderr.startswith("Commit or stash your changes first, or give --force: app/main.py and ")
    assert (project / "app/books").exists()


def test_folder_without_a_project_is_refused(tmp_path: Path) -> None:
    for command in (["add", "books", *FIELDS], ["list"], ["remove", "books"]):
        result = run(tmp_path, *command)
        assert result.exit_code == 2
        assert result.stderr.startswith("Go to the folder of a project, or give it with --project: ")
        assert result.stderr.count("\n") == 1


def test_used_resource_is_not_removed(project: Path) -> None:
    done(project, "add", "books", *FIELDS)
    path = project / "app/users/shelf.py"
    path.write_text("from app.books.models import Book\n", encoding="utf-8")
    commit(project)
    before = own_files(project)
    result = run(project, "remove", "books")
    assert result.exit_code == 2
    assert result.stderr == "Take app.books out of app/users/shelf.py, line 1, first: it is used there.\n"
    assert own_files(project) == before


def test_failed_step_leaves_the_files_and_says_how_to_go_on(project: Path) -> None:
    (project / "failing.txt").write_text("autogenerate", encoding="utf-8")
    result = run(project, "add", "books", *FIELDS)
    assert result.exit_code == 1
    assert "INFO  [alembic] Working …\n" in result.stderr
    assert result.stderr.endswith(
        "`python3 dev.py run alembic revision --autogenerate -m 'Add books'` ended with 1:"
        " sqlalchemy.exc.OperationalError: no such table: users\n"
        "The files are written. Go on with:\n"
        "  Run it: python3 dev.py run alembic revision --autogenerate -m 'Add books'\n"
        "  Read the revision that it wrote\n"
        "  Run it: python3 dev.py run alembic upgrade head\n"
        "  Run it: python3 dev.py test tests/books\n"
        f"Or undo it, and all that isn't committed: {take_back(project)}\n"
    )
    assert (project / "app/books/models.py").exists()


def test_table_that_no_revision_touches_is_refused(project: Path) -> None:
    env = project / ENV
    env.write_text(leave_alone(env.read_text(encoding="utf-8"), {"staff"}), encoding="utf-8")
    commit(project)
    before = own_files(project)
    result = run(project, "add", "staff", "name:str", "--singular", "staff_member")
    assert result.exit_code == 2
    assert result.stderr == (
        "Choose another name, or take 'staff' out of OTHERS in migrations/env.py and import the table if it is there:"
        " no revision touches those of other programs.\n"
    )
    assert own_files(project) == before


def test_new_table_without_a_revision_is_a_failure(project: Path) -> None:
    (project / "failing.txt").write_text("empty", encoding="utf-8")
    result = run(project, "add", "books", *FIELDS)
    assert (result.exit_code, " made nothing of books: " in result.stderr) == (1, True)


def test_interruption_writes_nothing(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(changes, "render", interrupt)
    before = own_files(project)
    result = run(project, "add", "books", *FIELDS)
    assert (result.exit_code, result.stderr) == (130, "Interrupted: nothing was written.\n")
    assert own_files(project) == before


@pytest.mark.parametrize("command", ["", "add", "remove"])
def test_help_has_examples(command: str) -> None:
    result = CliRunner().invoke(app, ["resource", *command.split(), "--help"])
    assert result.exit_code == 0
    assert f"copier-fastapi-sqlalchemy resource {command or 'list'}" in result.stdout
