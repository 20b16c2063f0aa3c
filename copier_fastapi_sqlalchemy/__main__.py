"""Runs the commands as `python -m copier_fastapi_sqlalchemy`."""

from copier_fastapi_sqlalchemy.cli import app

app(prog_name="copier-fastapi-sqlalchemy")
