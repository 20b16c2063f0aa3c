"""Migrates the database of the project that it runs in, to which resources were added, and drives them over HTTP.

Run as `python drive.py MIXINS RESOURCES CHECKS RESULT` with `DATABASE_URL` set; the project's mixins, the names of what
was added and those of the checks to run, if not of all, are JSON. What each step came to is written to RESULT.
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

import pytest
from _pytest.assertion import install_importhook
from _pytest.config import get_config
from alembic import command
from alembic.config import Config
from sqlalchemy.pool import QueuePool

sys.path.insert(0, str(Path(__file__).parents[2]))  # `tests` is ours; the project's own are not imported
install_importhook(get_config()).mark_rewrite("tests.contract", "tests.resource.contract")  # failures say what differed

from copier_fastapi_sqlalchemy.resource.record import from_toml  # noqa: E402
from tests.contract.blog import Blog  # noqa: E402
from tests.contract.storage import Storage  # noqa: E402
from tests.every_variant.client import client_of  # noqa: E402
from tests.harness.servers import engine  # noqa: E402
from tests.resource.contract import checks_for  # noqa: E402
from tests.resource.records import NoRoute, Records  # noqa: E402


class ChecksFailed(Exception):
    """Checks failed; the text has the traceback of each, and ends with their names."""


def migrate() -> int:
    """Write a revision for the resources, run it, and see that nothing is left to do; give the number of checks."""
    config = Config("alembic.ini", stdout=io.StringIO())
    config.set_section_option("post_write_hooks", "hooks", "")  # it is linted elsewhere
    command.upgrade(config, "head")
    command.revision(config, "Add resources", autogenerate=True)
    command.upgrade(config, "head")
    command.check(config)
    return 1


def drive(url: str, mixins: frozenset[str], names: list[str], chosen: list[str]) -> int:
    """Run the checks of each resource, or those that are chosen, and give their number.

    Raises:
        ChecksFailed: some of them failed.

    """
    failed: dict[str, str] = {}
    count = 0
    database = engine(url, QueuePool)
    app = import_module("app.main").create_app(import_module("app.settings").Settings())
    with client_of(app) as client:
        blog, stored, document = Blog(client), Storage(database, hides="soft_delete" in mixins), app.openapi()
        added: dict[str, Records] = {}
        for name in names:
            resource = from_toml(Path(f"app/{name}/resource.toml").read_text(encoding="utf-8"))
            added[name] = records = Records(blog, stored, document, resource, mixins, dict(added))
            for title, check in checks_for(records).items():
                if chosen and title not in chosen:
                    continue
                count += 1
                try:
                    check(records)
                except NoRoute:
                    count -= 1
                except (Exception, pytest.fail.Exception):  # noqa: BLE001 - told with the others
                    failed[f"{title}({name})"] = traceback.format_exc()
                for other in reversed(added.values()):
                    other.clear()
    database.dispose()
    if failed:
        names_of_failed = f"{len(failed)} of {count} checks failed: {', '.join(failed)}"
        raise ChecksFailed("\n".join([*failed.values(), names_of_failed]))
    return count


def outcome_of(work: Callable[[], int]) -> dict[str, Any]:
    """Say what a step came to."""
    started, checks, failed = time.perf_counter(), 0, ""
    try:
        checks = work()
    except ChecksFailed as error:
        failed = str(error)
    except Exception:  # noqa: BLE001 - told by the test
        failed = traceback.format_exc()
    return {"checks": checks, "seconds": time.perf_counter() - started, "failed": failed}


def main() -> None:
    """Take the steps."""
    mixins, names, chosen = map(json.loads, sys.argv[1:4])
    url = os.environ["DATABASE_URL"]
    migrated = outcome_of(migrate)
    driven = migrated if migrated["failed"] else outcome_of(lambda: drive(url, frozenset(mixins), names, chosen))
    Path(sys.argv[4]).write_text(json.dumps({"migrate": migrated, "drive": driven}), encoding="utf-8")


main()
