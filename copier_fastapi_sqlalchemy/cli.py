"""The command line: `copier-fastapi-sqlalchemy COMMAND`."""

import logging
import sys
from typing import Annotated, NoReturn

import typer
from sqlalchemy.exc import DBAPIError

from copier_fastapi_sqlalchemy.move_data import MoveError, UsageError, describe, is_full, is_temporary, move
from copier_fastapi_sqlalchemy.resource.commands import app as resource

OLD = typer.Argument(metavar="OLD_URL", envvar="OLD_DATABASE_URL", help="The database to read.", show_default=False)
NEW = typer.Argument(metavar="NEW_URL", envvar="NEW_DATABASE_URL", help="The database to fill.", show_default=False)
ROOM = "Make room for the new database, and run the same command again: it continues where it stopped"
RETRY = "Run the same command again: it continues where it stopped."

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode="markdown")
app.add_typer(resource, name="resource")


@app.callback()
def main() -> None:
    """Commands for projects made with the copier-fastapi-sqlalchemy template."""
    logging.basicConfig(handlers=[logging.NullHandler()])  # each command reports its errors itself


@app.command()
def move_data(old_url: Annotated[str | None, OLD] = None, new_url: Annotated[str | None, NEW] = None) -> None:
    r"""Copy every row of one database to another, and compare each copy with the original.

    SQLite, PostgreSQL, MySQL and MariaDB, from any to any. Stop the service and migrate the new database first:

    ```sh
    DATABASE_URL=postgresql://app:password@localhost/app alembic upgrade head
    copier-fastapi-sqlalchemy move-data \
      sqlite:///./app.db postgresql://app:password@localhost/app
    ```

    A URL that is neither given nor in the environment is asked for, and not shown while you type.

    After an interruption, run it again: no row is added twice, changed or deleted. It exits with 0 if all rows were
    moved, 1 if one couldn't be, 2 if a URL is wrong, and 130 if you stop it.
    """
    try:
        urls = _given_or_prompted(old_url, "OLD_URL"), _given_or_prompted(new_url, "NEW_URL")
        typer.echo(move(*urls))
    except MoveError as error:
        _fail(str(error), error.exit_code)
    except DBAPIError as error:
        if is_full(error):
            _fail(f"{ROOM} ({describe(error)}).", 1)
        _fail(f"{describe(error)}. {RETRY if is_temporary(error) else 'Correct that first.'}", 1)
    except (KeyboardInterrupt, typer.Abort):
        _fail(f"Interrupted. {RETRY}", 130)


def _given_or_prompted(url: str | None, name: str) -> str:
    """Give `url`, or ask for it on a terminal; raises UsageError where there is none."""
    if url:
        return url
    if not sys.stdin.isatty():
        raise UsageError(f"{name} is missing. `copier-fastapi-sqlalchemy move-data --help` has an example.")
    return str(typer.prompt(f"{name} (not shown)", hide_input=True, err=True))


def _fail(message: str, exit_code: int) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(exit_code)
