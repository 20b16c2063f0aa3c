"""What resources share says why it refuses a value."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from copier_fastapi_sqlalchemy.resource.render import TEMPLATES
from tests.harness.commands import clean_environment, run
from tests.resource.values import NUMBERS

MESSAGES = """
import json, sys
from importlib import import_module
from pydantic import TypeAdapter, ValidationError
adapter = TypeAdapter(getattr(import_module(sys.argv[1]), sys.argv[2]))
for value in json.loads(sys.argv[3]):
    try:
        adapter.validate_python(value)
        print(repr(value)[:20], "is taken")
    except ValidationError as error:
        print(error.errors()[0]["msg"])
"""


@pytest.fixture(scope="module")
def shared(scratch: Path) -> Path:
    """A folder with the modules that resources share."""
    folder = scratch / "shared"
    shutil.copytree(TEMPLATES / "support/web", folder / "app/web")
    return folder


@pytest.mark.parametrize(
    ("module", "name"),
    [("dates", "Date"), ("moments", "Moment"), ("times", "TimeOfDay"), ("intervals", "Interval")],
)
def test_number_is_no_date_or_time(shared: Path, module: str, name: str) -> None:
    command = [sys.executable, "-c", MESSAGES, f"app.web.{module}", name, json.dumps(NUMBERS)]
    messages = run(command, shared, clean_environment(PYTHONPATH=str(shared))).splitlines()
    assert messages == ["Value error, a date or time is a text as ISO 8601 has it, and no number"] * len(NUMBERS)
