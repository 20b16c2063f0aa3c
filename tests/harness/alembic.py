"""Runs Alembic in a project, and makes the schema that a project's tables declare."""

from pathlib import Path

from tests.harness.schema import schema_of
from tests.harness.servers import engine
from tests.harness.warm_process import Child, WarmProcess

IN_TURN = """
import shlex, sys
from alembic.config import main
for command in sys.argv[1:]:
    main(shlex.split(command))
"""
CREATE_ALL = """
import sys
from sqlalchemy import create_engine
from app.tables import metadata
engine = create_engine(sys.argv[1])
metadata.create_all(engine)
engine.dispose()
"""


class Alembic:
    """Alembic's commands in a project, on the database at a URL."""

    def __init__(self, warm_process: WarmProcess, project: Path, url: str) -> None:
        """Run them in forks of `warm_process`."""
        self._warm_process = warm_process
        self._project = project
        self._environment = {"DATABASE_URL": url}

    def __call__(self, *commands: str) -> str:
        """Run commands in turn, in one fork, and give what they print; raises CommandFailed where one fails."""
        return self._warm_process.run(["-c", IN_TURN, *commands], self._project, self._environment).output

    def start(self, *arguments: str) -> Child:
        """Run a command at the same time as others."""
        return self._warm_process.start(["-m", "alembic", *arguments], self._project, self._environment)


def declared_schema(warm_process: WarmProcess, project: Path, url: str) -> set[str]:
    """Give the schema that the project's tables make on the empty database at `url`."""
    driven = engine(url).url.render_as_string(hide_password=False)
    warm_process.run(["-c", CREATE_ALL, driven], project, {"DATABASE_URL": url})
    return schema_of(url)
