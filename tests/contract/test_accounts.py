"""Accounts: logging in and out, sessions, mailed tokens, who may call what, and the known tricks against them."""

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from threading import Barrier
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from httpx2 import Client, Response
from sqlalchemy import Engine, column, literal_column, select, table, text

from tests.harness.service import NO_CERTIFICATES, SERVICE_LOG

from .blog import new_email, new_user, statuses
from .callers import (
    AUTH,
    DEMOTION,
    bearer,
    check_an_admin_stays,
    check_roles,
    check_row_that_is_being_added_is_nobodys,
    refused,
    routes_without_a_token,
)
from .problems import check_problem

pytestmark = [pytest.mark.accounts, pytest.mark.example]

PASSWORD = "a long enough password"
WRONG = "wrong"
COOKIE = "__Host-session"
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
LIMIT = 10
AT_ONCE = 12  # passwords that are checked or waited for: a further one is a 503
SESSIONS = table("auth_sessions", column("digest"))


class Accounts:
    """Calls the routes of accounts, and reads mails in the service's log."""

    def __init__(self, api: Client, db: Engine, request: pytest.FixtureRequest) -> None:
        """Call with `api`, and look into `db`."""
        self.api = api
        self.db = db
        self.log = request.config.stash[SERVICE_LOG]

    def execute(self, statement: str, **values: object) -> None:
        """Change the database, past the service."""
        with self.db.begin() as connection:
            connection.execute(text(statement), values)

    def mailed_token(self, path: str, email: str, **fields: str) -> str:
        """Ask for a mail, and give the token in it."""
        before = len(self.log.read_text(encoding="utf-8"))
        response = self.api.post(f"{AUTH}/{path}", json={"email": email, **fields})
        assert response.status_code == httpx2.codes.ACCEPTED, response.text
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            log = self.log.read_text(encoding="utf-8")[before:]
            if found := re.search(rf"Mail to {email}:[^#]*#token=(mailed_[\w-]{{43}})", log):
                return found[1]
            time.sleep(0.02)
        raise AssertionError("no mail is in the log")

    def set_password(self, token: str, password: str = PASSWORD) -> Response:
        """Use a mailed token."""
        return self.api.put(f"{AUTH}/password", json={"token": token, "password": password})

    def new(self, role: str = "reader") -> dict[str, Any]:
        """Register, and give the account's id, email and the headers of its requests."""
        email = new_email()
        token = self.mailed_token("register", email, name="Someone")
        assert self.set_password(token).status_code == httpx2.codes.NO_CONTENT
        self.execute("UPDATE users SET role = :role WHERE email = :email", role=role, email=email)
        self.execute("DELETE FROM auth_attempts")
        headers = self.log_in(email)
        return {"id": self.me(headers).json()["id"], "email": email, "headers": headers}

    def add_expired_sessions(self, user_id: int) -> list[str]:
        """Add sessions of a user that have expired, as copies of one, and give their digests."""
        digests = [letter * 64 for letter in "xyz"]  # which come after the digests of tokens
        for digest in digests:
            self.execute(
                "INSERT INTO auth_sessions (user_id, digest, user_agent, address, created_at, expires_at)"
                " SELECT user_id, :digest, user_agent, address, created_at, created_at FROM auth_sessions"
                " WHERE user_id = :user_id AND digest < 'x'",
                digest=digest,
                user_id=user_id,
            )
        return digests

    def try_password(self, email: str, password: str = WRONG, **fields: object) -> Response:
        """Try to log in."""
        return self.api.post(f"{AUTH}/login", json={"email": email, "password": password, **fields})

    def log_in(self, email: str, password: str = PASSWORD) -> dict[str, str]:
        """Log in, and give the headers of the session's requests."""
        response = self.try_password(email, password)
        assert response.status_code == httpx2.codes.OK, response.text
        return bearer(response.json()["token"])

    def me(self, headers: dict[str, str]) -> Response:
        """Ask who calls."""
        return self.api.get(f"{AUTH}/me", headers=headers)


def rows_alone(db: Engine) -> Engine:
    """Lock the rows that a statement finds, and none of those that MySQL reads for it, nor the gaps between."""
    return db.execution_options(isolation_level="READ COMMITTED")


@pytest.fixture
def accounts(api: Client, db: Engine, request: pytest.FixtureRequest) -> Iterator[Accounts]:
    """The accounts of the service, of which none has been tried yet."""
    made = Accounts(api, db, request)
    made.execute("DELETE FROM auth_attempts")
    yield made
    api.cookies.clear()


def test_login_gives_a_session_until_logout(accounts: Accounts) -> None:
    account = accounts.new()
    assert accounts.me(account["headers"]).json()["email"] == account["email"]
    assert accounts.api.post(f"{AUTH}/logout", headers=account["headers"]).status_code == httpx2.codes.NO_CONTENT
    refused(accounts.me(account["headers"]), 401)


@pytest.mark.parametrize("token", ["x", "session_" + "x" * 43, "session_" + "x" * 8000, "eyJhbGciOiJub25lIn0.e30."])
def test_token_of_no_session_is_401(accounts: Accounts, token: str) -> None:
    response = accounts.me(bearer(token))
    refused(response, 401)
    assert response.headers["www-authenticate"] == "Bearer"


def test_unknown_email_gets_the_response_of_a_wrong_password(accounts: Accounts) -> None:
    account = accounts.new()
    known = refused(accounts.try_password(account["email"]), 401)
    assert known == refused(accounts.try_password(new_email()), 401)
    bodies = [
        accounts.api.post(f"{AUTH}/{path}", json={"email": email, **fields}).json()
        for path, fields in (("forgotten-password", {}), ("register", {"name": "Someone"}))
        for email in (account["email"], new_email())
    ]
    assert len({str(body) for body in bodies}) == 1


def test_unknown_email_takes_as_long_as_a_wrong_password(accounts: Accounts) -> None:
    emails = {"known": accounts.new()["email"], "unknown": new_email()}
    seconds: dict[str, list[float]] = {kind: [] for kind in emails}
    for _ in range(LIMIT - 1):
        for kind, email in emails.items():
            started = time.perf_counter()
            refused(accounts.try_password(email), 401)
            seconds[kind].append(time.perf_counter() - started)
    known, unknown = (min(values) for values in seconds.values())  # other processes only add to it
    assert 0.5 < unknown / known < 2


@pytest.mark.usefixtures("accounts")
def test_attempts_at_once_are_no_more_than_attempts_in_turn(service: str) -> None:
    email = new_email()
    together = Barrier(AT_ONCE)

    def attempt(_number: int) -> int:
        with Client(base_url=service, timeout=30, verify=NO_CERTIFICATES) as client:
            try:
                client.get("/health/live").raise_for_status()  # so that each has a connection
            except Exception:
                together.abort()
                raise
            together.wait(30)
            body = {"email": email, "password": "wrong"}
            return client.post(f"{AUTH}/login", json=body).status_code

    with ThreadPoolExecutor(AT_ONCE) as pool:
        statuses = list(pool.map(attempt, range(AT_ONCE)))
    assert statuses.count(401) == LIMIT
    assert statuses.count(429) == AT_ONCE - LIMIT


def test_throttled_login_says_when_to_try_again(accounts: Accounts) -> None:
    account = accounts.new()
    accounts.execute("DELETE FROM auth_sessions WHERE user_id <> :id", id=account["id"])
    accounts.execute("UPDATE auth_sessions SET address = '192.0.2.1'")  # the owner is elsewhere
    for _ in range(LIMIT):
        refused(accounts.try_password(account["email"]), 401)
    response = accounts.try_password(account["email"], PASSWORD)
    refused(response, 429)
    assert 0 < int(response.headers["retry-after"]) <= 15 * 60 + 1
    assert accounts.me(account["headers"]).status_code == httpx2.codes.OK


@pytest.mark.database("postgresql", "mysql")
@pytest.mark.locks
def test_old_attempts_are_forgotten_without_a_wait(accounts: Accounts) -> None:
    attempts = table("auth_attempts", column("subject"), column("tries"), column("since"))
    since = datetime(2001, 1, 1)  # noqa: DTZ001 - as both databases take it
    subjects = [uuid4().hex for _ in range(3)]
    rows = [{"subject": subject, "tries": 1, "since": since} for subject in subjects]
    with accounts.db.begin() as connection:
        connection.execute(attempts.delete())
        connection.execute(attempts.insert(), rows)
    with rows_alone(accounts.db).begin() as connection:
        connection.execute(select(attempts).where(attempts.c.subject == subjects[0]).with_for_update())
        refused(accounts.try_password(new_email()), 401)
        left = {*connection.scalars(select(attempts.c.subject))}
    assert left.intersection(subjects) == {subjects[0]}


@pytest.mark.database("postgresql", "mysql")
@pytest.mark.locks
def test_expired_sessions_are_deleted_without_a_wait(accounts: Accounts) -> None:
    accounts.execute("DELETE FROM auth_sessions")
    gone, other = accounts.new(), accounts.new()
    expired = accounts.add_expired_sessions(gone["id"])
    with rows_alone(accounts.db).begin() as connection:
        connection.execute(select(SESSIONS).where(SESSIONS.c.digest == expired[0]).with_for_update())
        accounts.log_in(other["email"])
        left = {*connection.scalars(select(SESSIONS.c.digest))}
    assert left.intersection(expired) == {expired[0]}


def test_login_deletes_sessions_of_others_that_have_expired(accounts: Accounts) -> None:
    accounts.execute("DELETE FROM auth_sessions")
    gone, other = accounts.new(), accounts.new()
    expired = accounts.add_expired_sessions(gone["id"])
    accounts.log_in(other["email"])
    with accounts.db.begin() as connection:
        left = {*connection.scalars(select(SESSIONS.c.digest))}
    assert left.isdisjoint(expired)
    assert accounts.me(gone["headers"]).status_code == httpx2.codes.OK


def test_rotated_token_is_worth_nothing(accounts: Accounts) -> None:
    old = accounts.new()["headers"]
    response = accounts.api.post(f"{AUTH}/token", headers=old)
    assert response.headers["cache-control"] == "no-store"
    refused(accounts.me(old), 401)
    assert accounts.me(bearer(response.json()["token"])).status_code == httpx2.codes.OK


def test_sessions_are_listed_and_ended(accounts: Accounts) -> None:
    account = accounts.new()
    other = accounts.log_in(account["email"])
    items = accounts.api.get(f"{AUTH}/sessions", headers=account["headers"]).json()["items"]
    assert [item["is_current"] for item in items] == [False, True]
    assert not any("token" in name or "digest" in name for item in items for name in item)
    stranger = accounts.new()["headers"]
    url = f"{AUTH}/sessions/{items[0]['id']}"
    refused(accounts.api.delete(url, headers=stranger), 404)
    assert accounts.api.delete(url, headers=account["headers"]).status_code == httpx2.codes.NO_CONTENT
    refused(accounts.me(other), 401)
    third = accounts.log_in(account["email"])
    assert accounts.api.delete(f"{AUTH}/sessions", headers=account["headers"]).status_code == httpx2.codes.NO_CONTENT
    refused(accounts.me(third), 401)
    assert accounts.me(account["headers"]).status_code == httpx2.codes.OK


def test_session_expires(accounts: Accounts) -> None:
    account = accounts.new()
    accounts.execute("UPDATE auth_sessions SET expires_at = created_at WHERE user_id = :id", id=account["id"])
    refused(accounts.me(account["headers"]), 401)


def test_mailed_token_is_used_once_and_ends_sessions_and_other_tokens(accounts: Accounts) -> None:
    account = accounts.new()
    first, second = (accounts.mailed_token("forgotten-password", account["email"]) for _ in range(2))
    assert accounts.set_password(first, "another long password").status_code == httpx2.codes.NO_CONTENT
    refused(accounts.me(account["headers"]), 401)
    for token in (first, second, "mailed_" + "x" * 43):
        refused(accounts.set_password(token), 400)
    refused(accounts.try_password(account["email"], PASSWORD), 401)
    accounts.log_in(account["email"], "another long password")


def test_mailed_token_expires(accounts: Accounts) -> None:
    token = accounts.mailed_token("register", new_email(), name="Someone")
    accounts.execute("UPDATE auth_mailed_tokens SET expires_at = '2001-01-01 00:00:00'")
    refused(accounts.set_password(token), 400)


def test_database_has_no_token_and_no_password(accounts: Accounts) -> None:
    account = accounts.new()
    mailed = accounts.mailed_token("forgotten-password", account["email"])
    with accounts.db.connect() as connection:
        tables = ("auth_passwords", "auth_sessions", "auth_mailed_tokens", "auth_attempts")
        rows: list[Any] = [
            connection.execute(select(literal_column("*")).select_from(table(name))).all() for name in tables
        ]
    kept = repr(rows)
    token = account["headers"]["Authorization"].removeprefix("Bearer ")
    for secret in (PASSWORD, token, token.removeprefix("session_"), mailed.removeprefix("mailed_")):
        assert secret not in kept
    assert "$argon2id$" in kept
    log = accounts.log.read_text(encoding="utf-8")
    assert token not in log
    assert PASSWORD not in log


def test_cookie_is_for_the_same_origin(accounts: Accounts, service: str) -> None:
    account = accounts.new()
    refused(accounts.try_password(account["email"], PASSWORD, cookie=True), 403)
    body = {"email": account["email"], "password": PASSWORD, "cookie": True}
    fixed = "session_" + "x" * 43
    headers = {**SAME_ORIGIN, "Cookie": f"{COOKIE}={fixed}"}
    response = accounts.api.post(f"{AUTH}/login", json=body, headers=headers)
    assert response.json()["token"] is None
    cookie = response.headers["set-cookie"]
    attributes = {part.strip().partition("=")[0].lower() for part in cookie.split(";")[1:]}
    assert {"httponly", "secure", "samesite", "path"} <= attributes
    assert "domain" not in attributes
    pair = cookie.partition(";")[0]
    assert fixed not in pair
    url = f"{AUTH}/token"
    for origin in ({}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://a.test"}):
        refused(accounts.api.post(url, headers={"Cookie": pair, **origin}), 403)
    assert accounts.me({"Cookie": pair, "Sec-Fetch-Site": "cross-site"}).status_code == httpx2.codes.OK
    rotated = accounts.api.post(url, headers={"Cookie": pair, "Origin": service, "Authorization": "Basic YTpi"})
    assert rotated.json()["token"] is None
    refused(accounts.me({"Cookie": pair}), 401)


def test_token_in_the_url_is_no_login(accounts: Accounts) -> None:
    token = accounts.new()["headers"]["Authorization"].removeprefix("Bearer ")
    for name in ("token", "access_token", COOKIE):
        assert accounts.api.get(f"{AUTH}/me", params={name: token}).status_code in {401, 422}


def test_every_route_but_the_open_ones_needs_a_token(api: Client) -> None:
    assert routes_without_a_token(api) == {"register_user", "request_password_reset", "set_password", "log_in"}


def test_role_decides_what_may_be_called(accounts: Accounts) -> None:
    check_roles(accounts.api, accounts.new)


def test_row_that_is_being_added_is_nobodys(accounts: Accounts) -> None:
    check_row_that_is_being_added_is_nobodys(accounts.api, accounts.db, accounts.new)


@pytest.mark.locks
def test_one_of_two_admins_who_remove_each_other_stays(accounts: Accounts) -> None:
    check_an_admin_stays(accounts.api, accounts.db, accounts.new, DEMOTION)


def test_deactivated_user_is_out_for_good(accounts: Accounts) -> None:
    user, admin = accounts.new(), accounts.new("admin")
    url = f"/api/v1/users/{user['id']}"
    for is_active in (False, True):
        response = accounts.api.patch(url, json={"is_active": is_active}, headers=admin["headers"])
        assert response.status_code == httpx2.codes.OK
        refused(accounts.me(user["headers"]), 401)
        assert accounts.try_password(user["email"], PASSWORD).status_code == (200 if is_active else 401)


@pytest.mark.locks
def test_changes_of_a_user_at_once_meet_no_deadlock(accounts: Accounts, mixins: frozenset[str]) -> None:
    admin, user = accounts.new("admin")["headers"], accounts.new()
    url, body = f"/api/v1/users/{user['id']}", {"ids": [user["id"]]}
    call = partial(accounts.api.request, headers=admin)
    for is_active in (False, True) * 4:
        accounts.execute("UPDATE users SET is_active = :yes WHERE id = :id", yes=True, id=user["id"])
        accounts.log_in(user["email"])
        accounts.execute("UPDATE auth_sessions SET expires_at = created_at WHERE user_id = :id", id=user["id"])
        changes = [
            partial(call, "PATCH", url, json={"is_active": is_active}),
            partial(call, "PATCH", "/api/v1/users/bulk", json={"is_active": is_active, **body}),
            partial(accounts.try_password, user["email"], PASSWORD),
            partial(accounts.try_password, user["email"], PASSWORD),
        ]
        if "soft_delete" in mixins:
            changes.append(partial(call, "POST", f"{url}/restore"))
        assert statuses(changes).keys() <= {200, 401}


@pytest.mark.locks
def test_mailed_tokens_of_an_email_used_at_once_meet_no_deadlock(accounts: Accounts) -> None:
    for _ in range(4):
        email = new_email()
        tokens = [accounts.mailed_token("register", email, name="Someone") for _ in range(3)]
        found = statuses(partial(accounts.set_password, token) for token in tokens)
        assert found == {204: 1, 400: 2}


def test_deleted_user_is_out_for_good(accounts: Accounts, mixins: frozenset[str]) -> None:
    user, admin = accounts.new(), accounts.new("admin")
    url = f"/api/v1/users/{user['id']}"
    assert accounts.api.delete(url, headers=admin["headers"]).status_code == httpx2.codes.NO_CONTENT
    refused(accounts.me(user["headers"]), 401)
    refused(accounts.try_password(user["email"], PASSWORD), 401)
    if "soft_delete" in mixins:
        assert accounts.api.post(f"{url}/restore", headers=admin["headers"]).status_code == httpx2.codes.OK
        refused(accounts.me(user["headers"]), 401)
        accounts.log_in(user["email"])


def test_caller_is_the_actor(accounts: Accounts, mixins: frozenset[str]) -> None:
    admin = accounts.new("admin")
    headers = {**admin["headers"], "X-Actor": "root"}
    created = accounts.api.post("/api/v1/users", json=new_user(), headers=headers).json()
    if "audit_log" in mixins:
        query = {"table_name": "users", "record_id": created["id"]}
        [entry] = accounts.api.get("/api/v1/audit", params=query, headers=headers).json()["items"]
        assert entry["actor"] == str(admin["id"])
        log = accounts.api.get("/api/v1/audit", params={"limit": 100}, headers=headers).text
        assert "$argon2" not in log
        user = accounts.new()
        assert accounts.set_password(accounts.mailed_token("forgotten-password", user["email"])).is_success
        query = {"table_name": "auth_passwords", "record_id": user["id"]}
        entries = accounts.api.get("/api/v1/audit", params=query, headers=headers).json()["items"]
        assert [entry["actor"] for entry in entries] == [str(user["id"]), None]
    assert f"actor={admin['id']}" in accounts.log.read_text(encoding="utf-8")


def test_invalid_password_is_not_repeated(accounts: Accounts) -> None:
    response = accounts.set_password("x", "s3cret")
    check_problem(response, 422)
    assert "s3cret" not in response.text
    refused(accounts.try_password("nobody", "s3cret"), 422)
    long = "s3cret" * 100
    assert long not in accounts.try_password(new_email(), long).text


def test_mail_goes_to_one_address_alone(accounts: Accounts) -> None:
    for email in ("a@example.com\nBcc: b@example.com", "a@example.com, b@example.com", "a@example.com\r\n\r\nx"):
        response = accounts.api.post(f"{AUTH}/register", json={"email": email, "name": "Someone"})
        check_problem(response, 422)
