"""Accounts can be switched on in a project that has users, and off again: its rows stay."""

import re
import time
from pathlib import Path

import httpx2
import pytest

from tests.harness.alembic import Alembic, declared_schema
from tests.harness.commands import check_code
from tests.harness.schema import schema_of
from tests.harness.servers import NewDatabase
from tests.harness.service import NO_CERTIFICATES, serving
from tests.harness.variants import Variant
from tests.harness.warm_process import WarmProcess
from tests.updates.project import Project, check_kept, rows_of

USER = "mara@example.com"  # of the example's seed
PASSWORD = "a long enough password"


@pytest.mark.each_database
@pytest.mark.base
def test_accounts_are_switched_on_and_off_with_data(
    variant: Variant,
    template: Path,
    new_database: NewDatabase,
    tmp_path: Path,
    warm_process: WarmProcess,
    mypy_cache: Path,
) -> None:
    project = Project.copy(template, variant, tmp_path / "project")
    with new_database() as url, new_database() as another_url, new_database() as test_url:
        alembic = Alembic(warm_process, project.folder, url)
        alembic("upgrade head")
        warm_process.run(["-m", "app.seed"], project.folder, {"DATABASE_URL": url})
        schema, before, files = schema_of(url), rows_of(url), project.files()

        assert project.update(auth="password") == set()
        project.revise(alembic, "Add accounts")
        assert schema_of(url) == declared_schema(warm_process, project.folder, another_url)
        check_kept(before, rows_of(url))
        if variant.database == "sqlite":  # one is as good as another
            check_code(project.folder, mypy_cache)
            project.check_tests(warm_process, test_url)
        log = tmp_path / "service.log"
        with (
            serving(warm_process, project.folder, {"DATABASE_URL": url}, tmp_path, log) as address,
            httpx2.Client(base_url=f"{address}/api/v1", timeout=30, verify=NO_CERTIFICATES) as api,
        ):
            check_login(api, log)
        project.commit("Have accounts")

        assert project.update(auth="none") == set()
        project.revise(alembic, "Have no accounts")
        assert schema_of(url) == schema
        check_kept(before, rows_of(url))
        assert {name: text for name, text in project.files().items() if not name.startswith(".ruff_cache/")} == files


def check_login(api: httpx2.Client, log: Path) -> None:
    """Check that a user of before gets a password by mail, and that posts need a login now."""
    assert api.get("/posts").status_code == httpx2.codes.UNAUTHORIZED
    api.post("/auth/forgotten-password", json={"email": USER}).raise_for_status()
    deadline = time.monotonic() + 10
    while not (tokens := re.findall(r"#token=(mailed_[\w-]+)", log.read_text(encoding="utf-8"))):
        assert time.monotonic() < deadline, "no mail is in the log"
        time.sleep(0.02)
    api.put("/auth/password", json={"token": tokens[0], "password": PASSWORD}).raise_for_status()
    session = api.post("/auth/login", json={"email": USER, "password": PASSWORD}).raise_for_status().json()
    headers = {"Authorization": f"Bearer {session['token']}"}
    assert api.get("/posts", headers=headers).raise_for_status().json()["items"]
