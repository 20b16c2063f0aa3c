"""Migrates the database of the project that it runs in there and back, then drives its service, all in one process.

Run as `python drive.py ANSWERS RESULT` with `DATABASE_URL` set; ANSWERS are the variant's, as JSON. What each step came
to is written to RESULT.
"""

import io
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from _pytest.assertion import install_importhook
from _pytest.config import get_config
from alembic import command
from alembic.config import Config
from sqlalchemy.pool import QueuePool

sys.path.insert(0, str(Path(__file__).parents[2]))  # `tests` is ours; the project's own are not imported
install_importhook(get_config()).mark_rewrite("tests.sweep.crud")  # an assertion that fails says what it compared

from tests.contract.blog import Blog  # noqa: E402
from tests.contract.shapes import Shapes  # noqa: E402
from tests.contract.storage import Storage  # noqa: E402
from tests.schema import schema_of  # noqa: E402
from tests.servers import engine  # noqa: E402
from tests.sweep.client import client_of  # noqa: E402
from tests.sweep.crud import CHECKS, Service  # noqa: E402


def migrate(url: str) -> int:
    """Go up, check, down, and up again, and give the number of commands."""
    config = Config("alembic.ini", stdout=io.StringIO())
    try:
        command.upgrade(config, "head")
        command.check(config)
        up = schema_of(url)
        command.downgrade(config, "base")
        assert schema_of(url) == set(), "a downgrade leaves something behind"
    finally:
        command.upgrade(config, "head")
    assert schema_of(url) == up, "going up again leads elsewhere"
    return 4


def drive(url: str, answers: dict[str, Any]) -> int:
    """Run the checks whose needs the variant has, and give their number; raise all that failed."""
    features = frozenset(answers["mixins"]) | ({"example"} if answers["example"] else set())
    chosen = [check for needs, check in CHECKS if needs <= features]
    failed = []
    database = engine(url, QueuePool)
    settings = import_module("app.settings").Settings()
    with client_of(import_module("app.main").create_app(settings)) as api:
        stored = Storage(database, hides="soft_delete" in features)
        service = Service(api, Blog(api), Shapes(answers), stored, features)
        for check in chosen:
            try:
                check(service)
            except Exception as error:  # noqa: BLE001 - told with the others
                error.add_note(f"in {check.__name__}")
                failed.append(error)
    database.dispose()
    if failed:
        raise ExceptionGroup(f"{len(failed)} of {len(chosen)} checks failed", failed)
    return len(chosen)


def outcome_of(work: Callable[[], int]) -> dict[str, Any]:
    """Say what a step came to."""
    started, checks, failed = time.perf_counter(), 0, ""
    try:
        checks = work()
    except Exception:  # noqa: BLE001 - told by the test
        failed = traceback.format_exc()
    return {"checks": checks, "seconds": time.perf_counter() - started, "failed": failed}


def main() -> None:
    """Take the steps."""
    answers, url = json.loads(sys.argv[1]), os.environ["DATABASE_URL"]
    outcomes = {"migrate": outcome_of(lambda: migrate(url)), "drive": outcome_of(lambda: drive(url, answers))}
    Path(sys.argv[2]).write_text(json.dumps(outcomes), encoding="utf-8")


main()
