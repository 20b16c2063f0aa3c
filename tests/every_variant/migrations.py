"""What every variant's migrations must do: make what the tables declare, go down, leave nothing, and go up again."""

import io
from importlib import import_module

from alembic import command
from alembic.config import Config

from tests.harness.schema import schema_of
from tests.harness.servers import engine


def migrate(url: str) -> int:
    """Run the migrations of the project that this process is in, and give the number of checks."""
    config = Config("alembic.ini", stdout=io.StringIO())
    try:
        command.upgrade(config, "head")
        command.check(config)
        migrated = schema_of(url)
        command.downgrade(config, "base")
        assert schema_of(url) == set()
        check_declared(url, migrated)
    finally:
        command.upgrade(config, "head")
    assert schema_of(url) == migrated
    return 4


def check_declared(url: str, migrated: set[str]) -> None:
    """Compare with what the tables make: `alembic check` misses conditions, computed values, collations, triggers."""
    metadata = import_module("app.tables").metadata
    database = engine(url)
    metadata.create_all(database)
    declared = schema_of(url)
    metadata.drop_all(database)
    database.dispose()
    assert declared == migrated, "\n".join(sorted(declared ^ migrated))
    assert schema_of(url) == set()
