"""The commands `copier-fastapi-sqlalchemy resource …`."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from copier_fastapi_sqlalchemy.resource.changes import (
    Change,
    Side,
    entry_of,
    plan_addition,
    plan_change,
    plan_removal,
    router_path,
)
from copier_fastapi_sqlalchemy.resource.code import read_text
from copier_fastapi_sqlalchemy.resource.edits import FieldChange, change_resource, changes_between
from copier_fastapi_sqlalchemy.resource.errors import Refusal
from copier_fastapi_sqlalchemy.resource.fields import parse_fields
from copier_fastapi_sqlalchemy.resource.fill import Fill, literal_of
from copier_fastapi_sqlalchemy.resource.interrupts import interrupts_held
from copier_fastapi_sqlalchemy.resource.names import Names, names_of
from copier_fastapi_sqlalchemy.resource.ownership import advice_of, rules_of, summary_of
from copier_fastapi_sqlalchemy.resource.plan import Plan
from copier_fastapi_sqlalchemy.resource.project import (
    ACCESS,
    Project,
    open_project,
    require_clean,
    require_free,
    take_back,
)
from copier_fastapi_sqlalchemy.resource.record import Resource, from_toml
from copier_fastapi_sqlalchemy.resource.refresh import lost_mixins, outdated, sides
from copier_fastapi_sqlalchemy.resource.register import MAIN
from copier_fastapi_sqlalchemy.resource.revision import Review, column_of, review_of
from copier_fastapi_sqlalchemy.resource.shape import parse_only, parse_paging
from copier_fastapi_sqlalchemy.resource.steps import (
    INTERRUPTED,
    REVISIONS,
    Step,
    StepFailed,
    migrate,
    run_steps,
    run_tests,
    serve_command,
    still_to_do,
    write_revision,
)
from copier_fastapi_sqlalchemy.resource.view import View

NAME = typer.Argument(metavar="NAME", help="Its name in the plural, as in order_items.", show_default=False)
FIELDS = typer.Argument(metavar="FIELD...", help="Its fields, each `name:type`.", show_default=False)
EDITS = typer.Argument(metavar="EDIT...", help="`+name:type`, `-name` or `name:type`.", show_default=False)
NAMES = typer.Argument(metavar="NAME...", help="Their names in the plural.", show_default="all resources")
SINGULAR = typer.Option(metavar="NAME", help="The name of one record, where English doesn't tell.", show_default=False)
UNIQUE = typer.Option(metavar="FIELD,FIELD", help="Fields that are unique together.", show_default=False)
NO_UNIQUE = typer.Option(metavar="FIELD,FIELD", help="Fields that no longer are.", show_default=False)
FILL = typer.Option(metavar="FIELD=VALUE", help="What rows that are there get in a new field.", show_default=False)
ONLY = typer.Option(metavar="ROUTE,ROUTE", help="These routes alone, as in read,list.", show_default="all")
PAGING = typer.Option(metavar="pages|cursor", help="How its list is paged.", show_default="pages")
PARENT = typer.Option(metavar="TABLE", help="The table whose rows its own belong to.", show_default=False)
PROJECT = typer.Option(metavar="FOLDER", help="The project.", show_default="this folder")
FORCE = typer.Option("--force", help="Go on with uncommitted changes.")
DRY_RUN = typer.Option("--dry-run", help="Print the changes, and write nothing.")
NO_REGISTER = typer.Option("--no-register", help="Leave app/main.py as it is.")
NO_FORMAT = typer.Option("--no-format", help="Don't format the files that are edited.")
NO_MIGRATE = typer.Option("--no-migrate", help="Write no revision, and run no test.")
TABLES = typer.Argument(metavar="TABLE...", help="Their names in the database.", show_default=False)
FROM = typer.Option("--from", metavar="URL", help="The database.", show_default="that of the project")
SINGULARS = typer.Option(metavar="TABLE=NAME", help="The name of one record of a table.", show_default=False)
NO_TEST = typer.Option("--no-test", help="Don't run the new tests.")

app = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown")


@app.callback()
def resource() -> None:
    """Add a resource to a project, list those that were added, change or remove one: table, routes and tests.

    ```sh
    copier-fastapi-sqlalchemy resource add books title:str:200 isbn:str:13:unique
    copier-fastapi-sqlalchemy resource import authors
    copier-fastapi-sqlalchemy resource list
    copier-fastapi-sqlalchemy resource change books '+isbn10:str:10?' -isbn
    copier-fastapi-sqlalchemy resource refresh
    copier-fastapi-sqlalchemy resource remove books
    ```
    """


@app.command()
def add(
    name: Annotated[str, NAME],
    fields: Annotated[list[str], FIELDS],
    singular: Annotated[str | None, SINGULAR] = None,
    unique: Annotated[list[str] | None, UNIQUE] = None,
    parent: Annotated[str | None, PARENT] = None,
    only: Annotated[str | None, ONLY] = None,
    paging: Annotated[str | None, PAGING] = None,
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
    copier-fastapi-sqlalchemy resource add addresses city:str --parent users
    copier-fastapi-sqlalchemy resource add events note:str \
      --only create,read,list --paging cursor
    copier-fastapi-sqlalchemy resource add notes body:text author:ref:users:owner
    copier-fastapi-sqlalchemy resource add books title:str --dry-run | less
    ```

    A field is `name:type`, with `?` behind the type if it can be null. The types: `str:200`, `text`, `int`, `bigint`,
    `bool`, `float`, `decimal:10,2`, `date`, `datetime`, `time`, `interval`, `uuid`, `json`, `bytes`, `email`, `url`,
    `enum:draft,out`, `ref:users`, `many:tags`. What can follow: `:unique`, `:index`, `:search`, `:secret`; for `ref`
    also `:cascade`, `:restrict`, `:null`; for one to users, in a project with accounts, `:owner`: authors change only
    their own; and `=default` at the end.

    With `--parent users`, addresses are listed and made below `/users/{user_id}/addresses`, and go with their user. The
    routes of `--only`: create, read, list, update, delete, bulk. A list has pages with numbers, which can be sorted,
    or with `--paging cursor` goes from the newest to the oldest at the same cost at any depth.

    It exits with 0 if all went well, 1 if a command in the project failed, and 2 if it wrote nothing.
    """
    with _errors_reported():
        opened, names = open_project(project), names_of(name, singular)
        groups, routes = tuple(tuple(group.split(",")) for group in unique or []), parse_only(only)
        new = Resource(
            names,
            parse_fields(fields),
            groups,
            only=routes,
            paging=parse_paging(paging, routes),
            parent=parent or "",
            form=opened.form,
        )
        require_free(opened, names)
        require_clean(opened, force=force or dry_run)
        plan = plan_addition(opened, new, register=not no_register, formatted=not no_format)
        revision = write_revision(plan.title, makes=names.plural)
        steps = [migrate(), revision, migrate(), run_tests(f"tests/{names.plural}")]
        runs = 0 if no_migrate else 3 if no_test or no_register else 4
        access = _access(opened, plan, [new], is_by_hand=no_register)
        notes = [*(_by_hand("Add to", names) if no_register else []), *access.by_hand, *access.advice]
        if dry_run:
            typer.echo(plan.diff(), nl=False)
        else:
            look = f"Look at it: {serve_command(plan.folder)}, then http://127.0.0.1:8000/docs"
            _carry_out(plan, steps, runs, notes, access.lines, [look])


@app.command(name="list")
def list_resources(project: Annotated[Path, PROJECT] = Path()) -> None:
    """List the resources that were added, each with its fields."""
    with _errors_reported():
        records = open_project(project).records
        if not records:
            typer.echo("No resource was added to this project: `resource add --help` has examples.")
        for text in records.values():
            recorded = from_toml(text)
            fields = [field.text for field in recorded.fields]
            typer.echo(" ".join([recorded.names.plural, *fields, *recorded.options]))


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
        recorded = _recorded(opened, name)
        require_clean(opened, force=force or dry_run)
        plan = plan_removal(opened, recorded, register=not no_register, formatted=not no_format)
        steps = [migrate(), write_revision(plan.title), migrate()]
        notes = _by_hand("Take out of", recorded.names) if no_register else []
        if dry_run:
            typer.echo(plan.diff(), nl=False)
        else:
            _carry_out(plan, steps, 0 if no_migrate else 2, notes)


@dataclass(frozen=True)
class _Access:
    """Who may call the routes of resources: lines about it, rows to add by hand, and advice."""

    lines: list[str]
    by_hand: list[str]
    advice: list[str]


def _access(project: Project, plan: Plan, resources: Sequence[Resource], *, is_by_hand: bool = False) -> _Access:
    """Say who may do what, where the plan changes that, or its rows are left to do by hand."""
    lines, rows, advice = list[str](), list[str](), list[str]()
    is_told = ACCESS in plan.texts or (is_by_hand and project.has_accounts)
    for one in resources if is_told else ():
        path = router_path(one.names)
        rules = rules_of(one, project, plan.texts.get(path) or read_text(project.folder, path))
        of = f"{one.names.plural}: " if len(resources) > 1 else ""
        lines.append(f"  {'allow':7} {of}{summary_of(rules, one.names)}")
        rows += [f'    "{name}": {rule},' for name, rule in rules.items()]
        advice += advice_of(one, project, rules)
    by_hand = [f"Add to {ACCESS}:", *rows] if is_told and is_by_hand else []
    return _Access([] if by_hand else lines, by_hand, advice)


def _carry_out(
    plan: Plan,
    steps: Sequence[Step],
    runs: int,
    notes: Sequence[str],
    access: Sequence[str] = (),
    last: Sequence[str] = (),
) -> None:
    """Show a plan, write its files, run the first `runs` of the steps, and say what is left to do."""
    folder = plan.folder
    for line in (*plan.lines(), *access, *(f"  {'run':7} {step.shown(folder)}" for step in steps[:runs])):
        typer.echo(line)
    with interrupts_held():
        plan.write()
        try:
            revisions = run_steps(folder, steps[:runs], typer.echo)
        except StepFailed as failed:
            if not any(path.startswith(REVISIONS) for path in plan.texts):  # whose first step ran one, maybe
                failed.undo += take_back(folder)
            raise
        losing = [name for step in steps if step.review for name in step.review.losing]
        what = f" ({', '.join(losing)} may lose values)" if losing else ""
        typer.echo("\nNext:")
        for line in (
            *notes,
            *(f"Read it: {path}{what}" for path in revisions),
            *still_to_do(steps[runs:], folder),
            f'Commit it: git add --all && git commit -m "{plan.title}"',
            *last,
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


@app.command(context_settings={"ignore_unknown_options": True})
def change(
    name: Annotated[str, NAME],
    edits: Annotated[list[str] | None, EDITS] = None,
    unique: Annotated[list[str] | None, UNIQUE] = None,
    no_unique: Annotated[list[str] | None, NO_UNIQUE] = None,
    only: Annotated[str | None, ONLY] = None,
    paging: Annotated[str | None, PAGING] = None,
    fill: Annotated[list[str] | None, FILL] = None,
    project: Annotated[Path, PROJECT] = Path(),
    *,
    force: Annotated[bool, FORCE] = False,
    dry_run: Annotated[bool, DRY_RUN] = False,
    no_migrate: Annotated[bool, NO_MIGRATE] = False,
    no_test: Annotated[bool, NO_TEST] = False,
) -> None:
    r"""Change the fields of a resource: merge what it would be written as now into what you made of it.

    ```sh
    copier-fastapi-sqlalchemy resource change books \
      '+isbn10:str:10?' -status title:str:300
    copier-fastapi-sqlalchemy resource change books +pages:int --fill pages=0
    copier-fastapi-sqlalchemy resource change books \
      --unique title,isbn --dry-run | less
    copier-fastapi-sqlalchemy resource change books --only read,list
    ```

    `+name:type` adds a field at the end, `-name` removes one, and `name:type` without a sign gives the field of that
    name another type and other options: those that you leave out are taken away. How a field is written:
    `resource add --help`.

    A field can't be renamed this way: to remove it and add another loses its values. Replace its name in the resource's
    packages and in resource.toml, let Alembic write a revision, and put `alter_column(…, new_column_name=…)` there in
    place of the column that it adds and the one that it drops.

    A field that can't be null needs a value for the rows that are there: its default, or that of `--fill`.

    `--only` names all routes that it has after that, of create, read, list, update, delete and bulk.

    Where you have edited what changes, both are left in the file between marks of git, and nothing is run. A revision
    that loses values is written and shown, and not run.

    It exits with 0 if all went well, 1 if there are conflicts or a command in the project failed, and 2 if it wrote
    nothing.
    """
    with _errors_reported():
        opened = open_project(project)
        old = _recorded(opened, name)
        if old.answers and old.answers != opened.answers:
            raise Refusal(f"Run `resource refresh {name}` first: it was written for other answers of the project.")
        above = View(old, opened).parent
        names = [above.names.singular, above.column] if above else []
        new = change_resource(old, edits or [], unique or [], no_unique or [], only, paging, names, opened.form)
        require_clean(opened, force=force or dry_run)
        made = Change("resource change")
        plan_change(made, Side(old, opened), Side(new, opened))
        plan = made.plan(f"Change {new.names.labels}", opened.folder)
        differing = changes_between(old, new)
        fills = _fills(differing, fill or [], opened, is_asked=not dry_run and not no_migrate)
        review = review_of(opened, old, new, fills)
        new_fields = ", ".join(pair.name for pair in differing if pair.before is None)
        revision = write_revision(plan.title, review, new_fields)
        steps = [migrate(), revision, migrate(), run_tests(f"tests/{name}")]
        runs = 0 if no_migrate else 2 if review.losing else 3 if no_test else 4
        access = _access(opened, plan, [new])
        made.notes += access.advice
        _finish_change(plan, made, steps, runs, access.lines, is_dry=dry_run)


@app.command()
def refresh(
    names: Annotated[list[str] | None, NAMES] = None,
    project: Annotated[Path, PROJECT] = Path(),
    *,
    force: Annotated[bool, FORCE] = False,
    dry_run: Annotated[bool, DRY_RUN] = False,
    no_migrate: Annotated[bool, NO_MIGRATE] = False,
    no_test: Annotated[bool, NO_TEST] = False,
) -> None:
    """Bring resources to the project's answers, after `copier update` has changed one.

    ```sh
    uvx copier update --data io=sync
    git add --all && git commit -m "Serve without coroutines"
    copier-fastapi-sqlalchemy resource refresh
    ```

    What each would be written as now is merged into what you made of it, as `resource change` does. With another
    `data_access`, `models.py` becomes `tables.py`, or the other way round: what you edited there is left for you to
    carry over.

    It exits with 0 if all went well, 1 if there are conflicts or a command in the project failed, and 2 if it wrote
    nothing.
    """
    with _errors_reported():
        opened = open_project(project)
        recorded = outdated(opened, [_recorded(opened, name) for name in dict.fromkeys(names or opened.records)])
        if not recorded:
            typer.echo("Nothing to do: each resource was written for the answers that the project has.")
            return
        require_clean(opened, force=force or dry_run)
        made = Change("resource refresh")
        for one in recorded:
            plan_change(made, *sides(opened, one, recorded))
        plan = made.plan(f"Refresh {', '.join(one.names.labels for one in recorded)}", opened.folder)
        befores = [one.answers for one in recorded if one.answers]
        losing = tuple(f"columns of {mixin}" for before in befores for mixin in lost_mixins(before, opened.answers))
        review = Review("", opened.answers.database, losing=tuple(dict.fromkeys(losing)))
        tests = [run_tests(f"tests/{one.names.plural}") for one in recorded]
        steps = [migrate(), write_revision(plan.title, review), migrate(), *tests]
        runs = 3 if no_test else len(steps)
        runs = 2 if losing else runs
        if any(before.database != opened.answers.database for before in befores):
            steps, runs = tests, 0
            made.notes.append("Write one revision anew instead of the old ones: docs/updating.md, Another database.")
        runs = 0 if no_migrate else runs
        _finish_change(plan, made, steps, runs, is_dry=dry_run)


def _recorded(project: Project, name: str) -> Resource:
    """Give a resource that was added; raises Refusal if it wasn't."""
    if name not in project.records:
        known = ", ".join(project.records) or "there are none"
        raise Refusal(f"Name a resource that was added ({known}): {name!r} isn't one.")
    return from_toml(project.records[name])


def _fills(
    changes: Sequence[FieldChange], given: Sequence[str], project: Project, *, is_asked: bool
) -> tuple[Fill, ...]:
    """Give the values for rows that are there: as given, as defaults, or as asked for on a terminal."""
    values = {name: value for name, _, value in (text.partition("=") for text in given)}
    needing = {pair.after.name: pair for pair in changes if pair.after and pair.needs_value}
    for text in given:
        name = text.partition("=")[0]
        if "=" not in text:
            raise Refusal(f"Write --fill {name}=VALUE.")
        if name not in needing:
            known = ", ".join(needing) or "none here"
            raise Refusal(f"Leave out --fill {name}: what needs a value is a field that can't be null ({known}).")
    fills = []
    for name, pair in needing.items():
        if pair.after is None:
            continue
        value = values.get(name, pair.after.default)
        if value is None and is_asked and has_terminal():
            value = typer.prompt(f"Value of {name} ({pair.after.text}) for the rows that are there", err=True)
        if value is None and is_asked:
            other = "add it as one that" if pair.before is None else "leave it so that it"
            raise Refusal(f"Give --fill {name}=VALUE for the rows that are there, or {other} can be null.")
        if value is not None:
            literal = literal_of(pair.after, value, project.answers.database)
            fills.append(Fill(column_of(pair.after), literal, is_new=pair.before is None))
    return tuple(fills)


def has_terminal() -> bool:
    """Tell whether somebody can answer."""
    return sys.stdin.isatty()


def _finish_change(
    plan: Plan,
    made: Change,
    steps: Sequence[Step],
    runs: int,
    access: Sequence[str] = (),
    *,
    is_dry: bool,
) -> None:
    """Show the plan and carry it out, up to the conflicts, if there are any."""
    if is_dry:
        typer.echo(plan.diff(), nl=False)
        for line in (*made.notes, *(f"Conflict: {place}" for place in made.conflicts)):
            typer.echo(line, err=True)
        return
    if not made.conflicts:
        _carry_out(plan, steps, runs, made.notes, access)
        return
    for line in (*plan.lines(), *access):
        typer.echo(line)
    with interrupts_held():
        plan.write()
        typer.echo("\nConflicts:", err=True)
        for line in (*made.conflicts, *made.notes, "Nothing was run. Resolve the conflicts, and go on with:"):
            typer.echo(f"  {line}" if line in made.conflicts else line, err=True)
        _fail("\n".join(f"  {line}" for line in still_to_do(steps, plan.folder)), 1)


@contextmanager
def _errors_reported() -> Iterator[None]:
    """End with the error's message and status where something can't be done; Ctrl-C doesn't cut the message off."""
    with interrupts_held() as held:
        try:
            with held.released():
                yield
            held.end()
        except Refusal as error:
            _fail(str(error), error.exit_code)
        except StepFailed as error:
            if error.output:
                typer.echo(error.output, err=True)
            typer.echo(f"{error}\nThe files are written. {error.first} on with:", err=True)
            lines = [f"  {line}" for line in error.remaining]
            lines += [f"Or undo it, and all that isn't committed: {error.undo}"] if error.undo else []
            _fail("\n".join(lines), error.exit_code)
        except KeyboardInterrupt:
            _fail("Interrupted: nothing was written.", INTERRUPTED)


def _fail(message: str, exit_code: int) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(exit_code)


@app.command(name="import")
def import_tables(
    tables: Annotated[list[str], TABLES],
    url: Annotated[str | None, FROM] = None,
    singular: Annotated[list[str] | None, SINGULARS] = None,
    project: Annotated[Path, PROJECT] = Path(),
    *,
    force: Annotated[bool, FORCE] = False,
    dry_run: Annotated[bool, DRY_RUN] = False,
    no_register: Annotated[bool, NO_REGISTER] = False,
    no_format: Annotated[bool, NO_FORMAT] = False,
    no_migrate: Annotated[bool, NO_MIGRATE] = False,
    no_test: Annotated[bool, NO_TEST] = False,
) -> None:
    r"""Write resources for tables that a database has, with their rows.

    ```sh
    copier-fastapi-sqlalchemy resource import authors books
    copier-fastapi-sqlalchemy resource import books \
      --from postgresql://app@localhost/shop --dry-run | less
    copier-fastapi-sqlalchemy resource import staff \
      --singular staff=employee
    ```

    It reads the database of the project, as DATABASE_URL in the environment or `.env` has it, or that of `--from`,
    and shows the fields as you would type them for `resource add`. What no field can express is said: the column stays
    in the table and in the model, and no body has it. A table is refused if no row could be inserted then.

    A table of two references alone, such as book_tags, becomes `tags:many:tags` of books.

    The first revision makes the tables where they are missing, for tests and colleagues, and drops none with rows.
    Where they are there, it gives constraints and indexes the project's names. If it has to change the type of a
    column, nothing is run: read it first. What is left, such as the columns of a mixin, goes into a second revision.

    It exits with 0 if all went well, 1 if a command in the project failed, and 2 if it wrote nothing.
    """
    from copier_fastapi_sqlalchemy.resource.importing import plan_import  # noqa: PLC0415 - it loads Alembic
    from copier_fastapi_sqlalchemy.resource.reflection import read_database  # noqa: PLC0415

    with _errors_reported():
        opened = open_project(project)
        require_clean(opened, force=force or dry_run)
        singulars = {name: one for name, _, one in (text.partition("=") for text in singular or [])}
        reflected = read_database(opened, url, os.environ)
        made = plan_import(opened, reflected, tables, singulars, register=not no_register, formatted=not no_format)
        for line in made.lines():
            typer.echo(line, err=dry_run)
        if dry_run:
            typer.echo(made.plan.diff(), nl=False)
            return
        typer.echo()
        kept = made.kept if reflected.is_own else ()
        review = Review("", opened.answers.database, kept=kept)
        tests = [run_tests(f"tests/{one.names.plural}") for one in made.imports]
        steps = [migrate(), write_revision(f"Complete {made.plan.title.lower()}", review), migrate(), *tests]
        runs = (
            0 if no_migrate or (made.conversions and reflected.is_own) else 3 if no_test or no_register else len(steps)
        )
        notes = [line for one in made.imports for line in _by_hand("Add to", one.names)] if no_register else []
        notes += [f"Read it: {made.revision}"]
        notes += [f"Read the first revision, which changes columns: {text}" for text in made.conversions]
        imported = [one.resource for one in made.imports]
        access = _access(opened, made.plan, imported, is_by_hand=no_register)
        _carry_out(made.plan, steps, runs, [*notes, *access.by_hand, *access.advice], access.lines)
