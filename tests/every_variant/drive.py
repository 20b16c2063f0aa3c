"""Migrates the database of the project that it runs in there and back, then drives its service, all in one process.

Run as `python drive.py ANSWERS RESULT` with `DATABASE_URL` set; ANSWERS are the variant's, as JSON. What each step came
to is written to RESULT.
"""

import gc
import inspect
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import pytest
from _pytest.assertion import install_importhook
from _pytest.config import get_config
from fastapi import FastAPI, Header
from sqlalchemy.pool import QueuePool

sys.path.insert(0, str(Path(__file__).parents[2]))  # `tests` is ours; the project's own are not imported
install_importhook(get_config()).mark_rewrite("tests.contract", "tests.every_variant")  # failures say what differed

from tests.contract.blog import Blog  # noqa: E402
from tests.contract.schemas import Schemas  # noqa: E402
from tests.contract.storage import Storage  # noqa: E402
from tests.every_variant import first_model  # noqa: E402
from tests.every_variant.checks import checks_for, parameters_of  # noqa: E402
from tests.every_variant.client import client_of  # noqa: E402
from tests.every_variant.migrations import migrate  # noqa: E402
from tests.harness.servers import engine  # noqa: E402
from tests.harness.variants import NO_AUTH, Variant  # noqa: E402


class ChecksFailed(Exception):
    """Checks failed; the text has the traceback of each, and ends with their names."""


def drive(url: str, answers: dict[str, Any]) -> int:
    """Run the checks that the variant can run, and give their number.

    Raises:
        ChecksFailed: some of them failed.

    """
    chosen = [(check, given) for check in checks_for(answers) for given in parameters_of(check)]
    failed: dict[str, str] = {}
    database = engine(url, QueuePool)
    settings = import_module("app.settings").Settings()
    app = import_module("app.main").create_app(settings)
    if answers["auth"] != NO_AUTH:
        let_admin_call(app)
    with ExitStack() as stack:
        if not answers["example"]:
            first_model.include(app, stack.enter_context(first_model.migrated(answers)), answers)
        api = stack.enter_context(client_of(app))
        fixtures = {
            "api": api,
            "blog": Blog(api),
            "mixins": frozenset(answers["mixins"]),
            "schemas": Schemas(answers),
            "stored": Storage(database, hides="soft_delete" in answers["mixins"]),
            "variant": Variant(**answers),
        }
        for check, given in chosen:
            values = fixtures | given
            try:
                check(**{name: values[name] for name in inspect.signature(check).parameters})
            except (Exception, pytest.fail.Exception):  # noqa: BLE001 - told with the others
                failed[f"{check.__name__}{given or ''}"] = traceback.format_exc()
    database.dispose()
    if failed:
        names = f"{len(failed)} of {len(chosen)} checks failed: {', '.join(failed)}"
        raise ChecksFailed("\n".join([*failed.values(), names]))
    return len(chosen)


def let_admin_call(app: FastAPI) -> None:
    """Take every request for an admin's, whose id is the X-Actor by which checks of the audit log tell their own rows.

    The checks are about the resources, not about who may call them.
    """
    dependencies, caller, role = map(import_module, ("app.auth.dependencies", "app.auth.caller", "app.users.role"))

    others = {field.name: "" for field in fields(caller.Caller) if field.name not in {"id", "role"}}

    async def identify(x_actor: Annotated[str, Header()] = "admin") -> Any:
        return dependencies.Identity(caller.Caller(id=x_actor, role=role.Role.ADMIN, **others))

    app.dependency_overrides[dependencies.identify] = identify


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
    """Take the steps, and collect no garbage, as the process ends soon."""
    gc.disable()
    answers, url = json.loads(sys.argv[1]), os.environ["DATABASE_URL"]
    outcomes = {"migrate": outcome_of(lambda: migrate(url)), "drive": outcome_of(lambda: drive(url, answers))}
    Path(sys.argv[2]).write_text(json.dumps(outcomes), encoding="utf-8")


main()
