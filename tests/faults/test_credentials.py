"""The service's password is changed, or its account is locked, while clients write."""

import time

import pytest
from sqlalchemy import make_url

from tests.contract.blog import unique_word
from tests.faults.conftest import SERVED_AGAIN, Scene, Stage
from tests.faults.mortal import Mortal, execute

pytestmark = [
    pytest.mark.example,
    pytest.mark.each_database,
    pytest.mark.slow,
    pytest.mark.database("postgresql", "mysql"),
    pytest.mark.mixin("timestamps", "soft_delete", "audit_log", "optimistic_locking", "full_text_search"),
]
LASTS = 1.0  # seconds
CREATE = {
    "postgresql": "CREATE ROLE {user} LOGIN SUPERUSER PASSWORD '{password}'",
    "mysql": "CREATE USER '{user}'@'%' IDENTIFIED BY '{password}'; GRANT ALL ON *.* TO '{user}'@'%'",
}
CHANGE = {
    "postgresql": "ALTER ROLE {user} PASSWORD '{password}'",
    "mysql": "ALTER USER '{user}'@'%' IDENTIFIED BY '{password}'",
}
LOCK = {"postgresql": "ALTER ROLE {user} NOLOGIN", "mysql": "ALTER USER '{user}'@'%' ACCOUNT LOCK"}
UNLOCK = {"postgresql": "ALTER ROLE {user} LOGIN", "mysql": "ALTER USER '{user}'@'%' ACCOUNT UNLOCK"}


class Account:
    """An account of the service's own, whose name asks for a password where other accounts need none."""

    def __init__(self, server: Mortal) -> None:
        """Create it."""
        self.server, self.user = server, f"keyed_{unique_word()}"
        self.run(CREATE, "first")

    def run(self, statements: dict[str, str], password: str = "") -> None:
        """Execute the statements of the account's database."""
        chosen = statements[make_url(self.server.url).drivername].format(user=self.user, password=password)
        execute(self.server.url, *chosen.split("; "))

    def url(self, url: str, password: str) -> str:
        """Give a URL with this account."""
        return make_url(url).set(username=self.user, password=password).render_as_string(hide_password=False)

    def reach(self, url: str) -> dict[str, str]:
        """Give the setting by which a service uses this account."""
        return {"DATABASE_URL": self.url(url, "first")}


@pytest.fixture
def account(mortal_server: Mortal | None) -> Account:
    """An account of the service's own."""
    assert mortal_server
    return Account(mortal_server)


def lose_connections(scene: Scene) -> None:
    """Cut all connections, and wait until clients see that no new one is made, and for a second more."""
    assert scene.proxy
    scene.proxy.cut()
    scene.load.wait_for("503", SERVED_AGAIN)
    time.sleep(LASTS)


def test_password_is_changed_and_changed_back(stage: Stage, account: Account) -> None:
    """The password of the service's account is changed, connections are cut, and it is changed back a second later."""
    with stage(reach=account.reach) as scene:
        account.run(CHANGE, "second")
        lose_connections(scene)
        account.run(CHANGE, "first")
        scene.recover()


def test_service_gets_the_new_password(stage: Stage, account: Account) -> None:
    """The password of the service's account is changed, connections are cut, and the service is restarted with it."""
    with stage(reach=account.reach) as scene:
        account.run(CHANGE, "second")
        lose_connections(scene)
        scene.service.stop()
        url = scene.service.environment["DATABASE_URL"]
        scene.service.environment["DATABASE_URL"] = account.url(url, "second")
        scene.service.start()
        scene.recover()


def test_account_is_locked(stage: Stage, account: Account) -> None:
    """The service's account is locked, connections are cut, and it is unlocked a second later."""
    with stage(reach=account.reach) as scene:
        account.run(LOCK)
        lose_connections(scene)
        account.run(UNLOCK)
        scene.recover()
