"""The commands `copier-fastapi-sqlalchemy resource …`."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from copier_fastapi_sqlalchemy.resource.changes import entry_of, plan_addition, plan_removal
from copier_fastapi_sqlalchemy.resource.errors import Refusal
from copier_fastapi_sqlalchemy.resource.fields import parse_fields
from copier_fastapi_sqlalchemy.resource.names import Names, names_of
from copier_fastapi_sqlalchemy.resource.plan import Plan
from copier_fastapi_sqlalchemy.resource.project import open_project, require_clean, require_free
from copier_fastapi_sqlalchemy.resource.record import Resource, from_toml
from copier_fastapi_sqlalchemy.resource.register import MAIN
from copier_fastapi_sqlalchemy.resource.steps import (
    INTERRUPTED,
    Step,
    StepFailed,
    migrate,
    run_steps,
    run_tests,
    serve_command,
    write_revision,
)

NAME = typer.Argument(metavar="NAME", help="Its name in the plural, as in order_items.", show_default=False)
FIELDS = typer.Argument(metavar="FIELD...", help="Its fields, each `name:type`.", show_default=False)
SINGULAR = typer.Option(metavar="NAME", help="The name of one record, where English doesn't tell.", show_default=False)
UNIQUE = typer.Option(metavar="FIELD,FIELD", help="Fields that are unique together.", show_default=False)
PROJECT = typer.Option(metavar="FOLDER", help="The project.", show_default="this folder")
FORCE = typer.Option("--force", help="Go on with uncommitted changes.")
DRY_RUN = typer.Option("--dry-run", help="Print the changes, and write nothing.")
NO_REGISTER = typer.Option("--no-register", help="Leave app/main.py as it is.")
NO_FORMAT = typer.Option("--no-format", help="Don't format the files that are edited.")
NO_MIGRATE = typer.Option("--no-migrate", help="Write no revision, and run no test.")
NO_TEST = typer.Option("--no-test", help="Don't run the new tests.")

app = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown")


@app.callback()
def resource() -> None:
    """Add a resource to a project, list those that were added, or remove one: table, routes and tests.

    ```sh
    copier-fastapi-sqlalchemy resource add books title:str:200 isbn:str:13:unique
    copier-fastapi-sqlalchemy resource list
    copier-fastapi-sqlalchemy resource remove books
    ```
    """


@app.command()
def add(
    name: Annotated[str, NAME],
    fields: Annotated[list[str], FIELDS],
    singular: Annotated[str | None, SINGULAR] = None,
    unique: Annotated[list[str] | None, UNIQUE] = None,
    project: Annotated[Path, PROJECT] = Path(),
    *,
    force: Annotated[bool, FORCE] = False,
    dry_run: Annotated[bool, DRY_RUN] = False,
    no_register: Annotated[bool, NO_REGISTER] = False,
    no_format: Annotated[bool, NO_FORMAT] = False,
    no_migrate: Annotated[bool, NO_MIGRATE] = False,
    no_test: Annotated[bool, NO_TEST] = False,
) -> None:
    r"""Write a resource, let Alembic write its revision, and run its tests.

    ```sh
    copier-fastapi-sqlalchemy resource add books \
      title:str:200 isbn:str:13:unique 'summary:text?' price:decimal:10,2 \
      status:enum:draft,out=draft author:ref:users tags:many:tags
    copier-fastapi-sqlalchemy resource add loans \
      book:ref:books:restrict day:date --unique book,day
    copier-fastapi-sqlalchemy resource add books title:str --dry-run | less
    ```

    A field is `name:type`, with `?` behind the type if it can be null. The types: `str:200`, `text`, `int`, `bigint`,
    `bool`, `float`, `decimal:10,2`, `date`, `datetime`, `time`, `interval`, `uuid`, `json`, `bytes`, `email`, `url`,
    `enum:draft,out`, `ref:users`, `many:tags`. What can follow: `:unique`, `:index`, `:search`, `:secret`; for `ref`
    also `:cascade`, `:restrict`, `:null`; and `=default` at the end.

    It exits with 0 if all went well, 1 if a command in the project failed, and 2 if it wrote nothing.
    """
    with _errors_reported():
        opened, names = open_project(project), names_of(name, singular)
        new = Resource(names, parse_fields(fields), tuple(tuple(group.split(",")) for group in unique or []))
        require_free(opened, names)
        require_clean(opened, force=force or dry_run)
        plan = plan_addition(opened, new, register=not no_register, formatted=not no_format)
        steps = [migrate(), write_revision(plan.title), migrate(), run_tests(f"tests/{names.plural}")]
        runs = 0 if no_migrate else 3 if no_test or no_register else 4
        notes = _by_hand("Add to", names) if no_register else []
        if dry_run:
            typer.echo(plan.diff(), nl=False)
        else:
            _carry_out(plan, steps, runs, notes)
            typer.echo(f"  Look at it: {serve_command(plan.folder)}, then http://127.0.0.1:8000/docs")


@app.command(name="list")
def list_resources(project: Annotated[Path, PROJECT] = Path()) -> None:
    """List the resources that were added, each with its fields."""
    with _errors_reported():
        records = open_project(project).records
        if not records:
            typer.echo("No resource was added to this project: `resource add --help` has examples.")
        for text in records.values():
            recorded = from_toml(text)
            together = [f"--unique {','.join(group)}" for group in recorded.unique]
            typer.echo(" ".join([recorded.names.plural, *(field.text for field in recorded.fields), *together]))


@app.command()
def remove(
    name: Annotated[str, NAME],
    project: Annotated[Path, PROJECT] = Path(),
    *,
    force: Annotated[bool, FORCE] = False,
    dry_run: Annotated[bool, DRY_RUN] = False,
    no_register: Annotated[bool, NO_REGISTER] = False,
    no_format: Annotated[bool, NO_FORMAT] = False,
    no_migrate: Annotated[bool, NO_MIGRATE] = False,
) -> None:
    """Delete a resource that was added, and let Alembic write the revision that drops its table.

    ```sh
    copier-fastapi-sqlalchemy resource remove books --dry-run | less
    copier-fastapi-sqlalchemy resource remove books
    ```

    It deletes all of `app/books/` and `tests/books/`, which git can bring back. The table stays in the database, with
    its rows, until you have read the revision and run it.
    """
    with _errors_reported():
        opened = open_project(project)
        if name not in opened.records:
            known = ", ".join(opened.records) or "there are none"
            raise Refusal(f"Name a resource that was added ({known}): {name!r} isn't one.")
        recorded = from_toml(opened.records[name])
        require_clean(opened, force=force or dry_run)
        plan = plan_removal(opened, recorded, register=not no_register, formatted=not no_format)
        steps = [migrate(), write_revision(plan.title), migrate()]
        notes = _by_hand("Take out of", recorded.names) if no_register else []
        if dry_run:
            typer.echo(plan.diff(), nl=False)
        else:
            _carry_out(plan, steps, 0 if no_migrate else 2, notes)


def _carry_out(plan: Plan, steps: Sequence[Step], runs: int, notes: Sequence[str]) -> None:
    """Show a plan, write its files, run the first `runs` of the steps, and say what is left to do."""
    folder = plan.folder
    for line in (*plan.lines(), *(f"  {'run':7} {step.shown(folder)}" for step in steps[:runs])):
        typer.echo(line)
    plan.write()
    revisions = run_steps(folder, steps[:runs], typer.echo)
    typer.echo("\nNext:")
    for line in (
        *notes,
        *(f"Read it: {path}" for path in revisions),
        *(f"Run it: {step.shown(folder)}" for step in steps[runs:]),
        f'Commit it: git add --all && git commit -m "{plan.title}"',
    ):
        typer.echo(f"  {line}")


def _by_hand(verb: str, names: Names) -> list[str]:
    """Say which lines concern a resource in app/main.py."""
    name = names.plural
    return [
        f"{verb} {MAIN}:",
        f"    {entry_of(names).import_line}",
        f'    app.include_router({name}, prefix="/api/v1")',
    ]


@contextmanager
def _errors_reported() -> Iterator[None]:
    """End with the error's message and status where something can't be done."""
    try:
        yield
    except Refusal as error:
        _fail(str(error), error.exit_code)
    except StepFailed as error:
        typer.echo(error.output, err=True)
        typer.echo(f"{error}\nThe files are written. Go on with:", err=True)
        _fail("\n".join(f"  {command}" for command in error.remaining), error.exit_code)
    except KeyboardInterrupt:
        _fail("Interrupted: nothing was written.", INTERRUPTED)


def _fail(message: str, exit_code: int) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(exit_code)
