"""Each way to authenticate can be switched on in a project that has users, and off again: its rows stay."""

import re
import time
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.harness.alembic import Alembic, declared_schema
from tests.harness.commands import check_code
from tests.harness.identity_provider import IdentityProvider
from tests.harness.schema import schema_of
from tests.harness.servers import NewDatabase
from tests.harness.service import NO_CERTIFICATES, calling, serving
from tests.harness.variants import Variant
from tests.harness.warm_process import WarmProcess
from tests.updates.project import Project, check_kept, rows_of

USER = "mara@example.com"  # of the example's seed
PASSWORD = "a long enough password"
SUBJECT = "248289761001"


@pytest.mark.each_database
@pytest.mark.base
def test_accounts_are_switched_on_then_to_a_provider_then_off_with_data(
    variant: Variant,
    template: Path,
    new_database: NewDatabase,
    identity_provider: IdentityProvider,
    tmp_path: Path,
    warm_process: WarmProcess,
    mypy_cache: Path,
) -> None:
    project = Project.copy(template, variant, tmp_path / "project")
    with new_database() as url, new_database() as test_url:
        environment = {"DATABASE_URL": url, "OIDC_ISSUER": identity_provider.issuer}
        alembic = Alembic(warm_process, project.folder, url)
        alembic("upgrade head")
        warm_process.run(["-m", "app.seed"], project.folder, environment)
        schema, files = schema_of(url), project.files()

        def switch(auth: str) -> None:
            before = {name: rows for name, rows in rows_of(url).items() if not name.startswith("auth_")}
            assert project.update(auth=auth) == set()
            project.revise(alembic, f"Have {auth}")
            with new_database() as another_url:
                assert schema_of(url) == declared_schema(warm_process, project.folder, another_url)
            check_kept(before, rows_of(url))

        switch("password")
        if variant.database == "sqlite":  # one is as good as another
            check_code(project.folder, mypy_cache)
            project.check_tests(warm_process, test_url)
        log = tmp_path / "service.log"
        with (
            serving(warm_process, project.folder, environment, tmp_path, log) as address,
            httpx2.Client(base_url=f"{address}/api/v1", timeout=30, verify=NO_CERTIFICATES) as api,
        ):
            check_login(api, log)
        project.commit("Have accounts")

        switch("oidc")
        assert "auth_passwords" not in rows_of(url)
        link = ["-m", "app", "link-user", USER, SUBJECT]
        warm_process.run(link, project.folder, environment)
        with calling(warm_process, project.folder, environment, tmp_path) as api:
            check_token(api, identity_provider)
        project.commit("Have an identity provider")

        switch("none")
        assert schema_of(url) == schema
        assert files_of(project) == files


@pytest.mark.each_database
@pytest.mark.base
@pytest.mark.database("sqlite")
def test_provider_is_switched_on_and_off(
    variant: Variant, template: Path, new_database: NewDatabase, tmp_path: Path, warm_process: WarmProcess
) -> None:
    project = Project.copy(template, variant, tmp_path / "project")
    with new_database() as url, new_database() as another_url:
        alembic = Alembic(warm_process, project.folder, url)
        alembic("upgrade head")
        warm_process.run(["-m", "app.seed"], project.folder, {"DATABASE_URL": url})
        schema, before, files = schema_of(url), rows_of(url), project.files()

        assert project.update(auth="oidc") == set()
        project.revise(alembic, "Have an identity provider")
        assert schema_of(url) == declared_schema(warm_process, project.folder, another_url)
        check_kept(before, rows_of(url))
        project.commit("Have an identity provider")

        assert project.update(auth="none") == set()
        project.revise(alembic, "Have none")
        assert schema_of(url) == schema
        check_kept(before, rows_of(url))
        assert files_of(project) == files


def files_of(project: Project) -> dict[str, bytes]:
    """Read the project's files, without what its tools have left."""
    return {name: text for name, text in project.files().items() if not name.startswith(".ruff_cache/")}


def check_token(api: httpx2.Client, provider: IdentityProvider) -> None:
    """Check that a user of before, who was linked, calls with a token, and that another subject is a new user."""
    assert api.get("/posts").status_code == httpx2.codes.UNAUTHORIZED
    email: dict[str, Any] = {"email": USER, "email_verified": True}
    found = []
    for subject in (SUBJECT, "another"):
        headers = {"Authorization": f"Bearer {provider.token(subject, **email)}"}
        found.append(api.get("/auth/me", headers=headers).raise_for_status().json())
    linked, new = found
    assert linked["email"] == USER
    assert new["id"] > linked["id"]
    assert new["email"] != USER


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
