"""What every variant's migrations must do: go up, miss nothing, go down, leave nothing, and go up again."""

import io

from alembic import command
from alembic.config import Config

from tests.harness.schema import schema_of


def migrate(url: str) -> int:
    """Run the migrations of the project that this process is in, and give the number of checks."""
    config = Config("alembic.ini", stdout=io.StringIO())
    try:
        command.upgrade(config, "head")
        command.check(config)
        up = schema_of(url)
        command.downgrade(config, "base")
        assert schema_of(url) == set()
    finally:
        command.upgrade(config, "head")
    assert schema_of(url) == up
    return 3
