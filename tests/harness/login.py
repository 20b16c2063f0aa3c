"""Logs in by "Authorize" in a service's documentation page: `make picture` writes docs/identity-provider.png of it.

And docs/accounts.png, of a service with accounts of its own.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import httpx2

from tests.harness.browser import PATIENCE, Browser, Page, browsing
from tests.harness.commands import clean_environment
from tests.harness.programs import BROWSERS
from tests.harness.rendering import render_variant, snapshot
from tests.harness.scratch import scratch_folder
from tests.harness.servers import find, free_port
from tests.harness.service import NO_CERTIFICATES, serving
from tests.harness.variants import OIDC, ROOT, Variant
from tests.harness.warm_process import WarmProcess

OF_PROVIDER, OF_ACCOUNTS = ROOT / "docs/identity-provider.png", ROOT / "docs/accounts.png"
VARIANT = Variant("sqlite", "async", "orm", ("timestamps",), auth=OIDC)
ACCOUNT = {"email": "ada@example.com", "password": "a sentence of many words"}
# What Swagger's field takes for a user's typing.
TYPE = """(field => {{
  Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(field, {text!r})
  field.dispatchEvent(new Event("input", {{bubbles: true}}))
}})(document.querySelector({selector!r}))"""


@dataclass
class Login:
    """The documentation page, after the login, and the picture of it."""

    page: Page
    picture: bytes

    def call(self, operation: str) -> str:
        """Try an operation out, and give the text of what it answers."""
        block = f"#operations-{operation}"
        self.page.click(".modal-ux .close-modal")
        for button in (".opblock-summary-control", ".try-out__btn", ".execute"):
            self.page.click(f"{block} {button}")
        text: str = self.page.wait_for(f"document.querySelector('{block} .live-responses-table')?.innerText")
        return text


@contextmanager
def logged_in(warm_process: WarmProcess, project: Path, program: Path, folder: Path, name: str) -> Iterator[Login]:
    """Log in at the provider of the project's own tests, and give the page."""
    folder.mkdir()
    issuer = f"http://localhost:{free_port()}"
    environment = {"DATABASE_URL": f"sqlite:///{folder / 'app.db'}", "OIDC_ISSUER": issuer}
    warm_process.run(["-m", "alembic", "upgrade", "head"], project, environment)
    provider = warm_process.start(["-m", "tests.auth.provider"], project, environment, folder / "provider.log")
    try:
        wait_for(issuer)
        with (
            serving(warm_process, project, environment, folder) as address,
            browsing(program, folder / "profile") as browser,
            browser.page("/docs", f"{address}/docs") as page,
        ):
            log_in(browser, page, name)
            yield Login(page, page.picture())
    finally:
        warm_process.stop(provider)


def wait_for(issuer: str) -> None:
    """Wait until the provider answers; raise TimeoutError where it never does."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with suppress(httpx2.TransportError):
            httpx2.get(f"{issuer}/keys", verify=NO_CERTIFICATES).raise_for_status()
            return
        time.sleep(0.05)
    raise TimeoutError(f"{issuer} doesn't answer")


def log_in(browser: Browser, page: Page, name: str) -> None:
    """Follow the dialog as a user does."""
    open_dialog(page)
    page.click(".modal-ux button.authorize")
    with browser.page("/authorize?") as provider:
        provider.click(f"#{name}")
    page.wait_for("document.querySelector('.modal-ux')?.innerText.includes('Logout')")


def open_dialog(page: Page) -> None:
    """Open the dialog; again while it is empty, as it is where the page hasn't heard of the provider yet."""
    deadline = time.monotonic() + PATIENCE
    while True:
        page.click(".auth-wrapper .authorize")
        if "PKCE" in page.wait_for("document.querySelector('.modal-ux')?.innerText"):
            return
        if time.monotonic() > deadline:
            raise TimeoutError("the dialog doesn't offer the provider")
        page.click(".modal-ux .close-modal")
        time.sleep(0.2)


def picture_of_accounts(warm_process: WarmProcess, project: Path, program: Path, folder: Path) -> bytes:
    """Log in with a password, give the token to the page, and let it ask who calls; give what that looks like."""
    folder.mkdir()
    environment = {"DATABASE_URL": f"sqlite:///{folder / 'app.db'}"}
    warm_process.run(["-m", "alembic", "upgrade", "head"], project, environment)
    create = [sys.executable, "-m", "app", "create-admin", ACCOUNT["email"]]
    subprocess.run(
        create, cwd=project, env=clean_environment(**environment), input=ACCOUNT["password"], text=True, check=True
    )
    with (
        serving(warm_process, project, environment, folder) as address,
        browsing(program, folder / "profile") as browser,
        browser.page("/docs", f"{address}/docs") as page,
    ):
        response = httpx2.post(f"{address}/api/v1/auth/login", json=ACCOUNT, verify=NO_CERTIFICATES)
        page.click(".auth-wrapper .authorize")
        page.wait_for("!!document.querySelector('.modal-ux input')")
        page.run(TYPE.format(selector=".modal-ux input", text=response.raise_for_status().json()["token"]))
        page.click(".modal-ux button.authorize")
        page.wait_for("document.querySelector('.modal-ux')?.innerText.includes('Logout')")
        login = Login(page, b"")
        login.call("auth-read_me")
        page.run("document.querySelector('#operations-auth-read_me .responses-wrapper').scrollIntoView()")
        return page.picture()


def main() -> None:
    """Write the picture."""
    program = find(*BROWSERS)
    if program is None:
        raise SystemExit("Install Chromium first: apt-get install chromium.")
    with scratch_folder() as folder, WarmProcess(folder / "logs") as warm_process:
        source = snapshot(folder / "source")
        project = render_variant(source, VARIANT, folder / "project")
        with logged_in(warm_process, project, program, folder / "login", "arthur") as login:
            OF_PROVIDER.write_bytes(login.picture)
        project = render_variant(source, replace(VARIANT, auth="password"), folder / "accounts")
        OF_ACCOUNTS.write_bytes(picture_of_accounts(warm_process, project, program, folder / "account"))
    for picture in (OF_PROVIDER, OF_ACCOUNTS):
        print(f"{picture.relative_to(ROOT)}: {picture.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main()
