from io import StringIO
from pathlib import Path

from alembic import command
from alembic.config import Config

from app.settings import Settings
from app.tables import metadata

ROOT = Path(__file__).parent.parent


def test_the_revisions_can_be_written_as_sql(settings: Settings) -> None:
    script = StringIO()
    config = Config(ROOT / "alembic.ini", output_buffer=script, attributes={"settings": settings})
    command.upgrade(config, "head", sql=True)
    for name in metadata.tables:
        assert f"CREATE TABLE {name} (" in script.getvalue()
