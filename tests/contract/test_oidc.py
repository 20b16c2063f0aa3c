"""Tokens of an identity provider: which are valid, whose they are, what they allow, and the known tricks against them.

What needs no service and no database, each project proves itself, in tests/auth.
"""

import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from hmac import digest
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from httpx2 import Client, Response
from sqlalchemy import Engine

from tests.harness.identity_provider import IdentityProvider, Key
from tests.harness.service import SERVICE_LOG, calling
from tests.harness.warm_process import WarmProcess

from .blog import concurrently, new_email, new_user, unique_word
from .callers import (
    AUTH,
    Caller,
    bearer,
    check_an_admin_stays,
    check_roles,
    check_row_that_is_being_added_is_nobodys,
    refused,
    routes_without_a_token,
)

pytestmark = [pytest.mark.oidc, pytest.mark.example]

PAUSE = 0.3  # seconds after which the service asks for an unknown key anew: see tests/harness/serve.py


@dataclass
class Users:
    """Calls the routes of the service with tokens of the provider."""

    api: Client
    provider: IdentityProvider

    def new(self, role: str = "reader") -> Caller:
        """Let a subject call for the first time."""
        subject, email = unique_word(), new_email()
        claims: dict[str, Any] = {"roles": [role], "name": "Someone", "email": email, "email_verified": True}
        headers = bearer(self.provider.token(subject, **claims))
        user = self.me(headers).json()
        return {"id": user["id"], "email": email, "subject": subject, "headers": headers}

    def me(self, headers: dict[str, str]) -> Response:
        """Ask who calls."""
        return self.api.get(f"{AUTH}/me", headers=headers)


@pytest.fixture
def users(api: Client, identity_provider: IdentityProvider) -> Users:
    """The users of the service, by their tokens."""
    return Users(api, identity_provider)


def encode(value: object) -> str:
    """Write a part of a token."""
    return encode_bytes(json.dumps(value).encode())


def encode_bytes(value: bytes) -> str:
    """Write bytes as a part of a token."""
    return urlsafe_b64encode(value).rstrip(b"=").decode()


def sign_with_secret(provider: IdentityProvider, secret: bytes) -> str:
    """Sign a token by HS256, with a secret that everyone knows."""
    head = encode({"alg": "HS256", "typ": "JWT", "kid": provider.keys[0].id})
    text = f"{head}.{encode(provider.claims('ada', roles=['admin']))}"
    return f"{text}.{encode_bytes(digest(secret, text.encode(), sha256))}"


def pem_of(key: Key) -> bytes:
    """Write a public key as applications have it in their settings."""
    return key.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def promoted(provider: IdentityProvider) -> str:
    """Change the claims of a token, and leave its signature."""
    head, _, signature = provider.token("ada").split(".")
    return f"{head}.{encode(provider.claims('ada', roles=['admin']))}.{signature}"


def unsigned(provider: IdentityProvider, algorithm: str) -> str:
    """Write a token that has no signature."""
    head = encode({"alg": algorithm, "typ": "JWT", "kid": provider.keys[0].id})
    return f"{head}.{encode(provider.claims('ada', roles=['admin']))}."


INVALID: dict[str, Callable[[IdentityProvider], str]] = {
    "no-token": lambda _: "x",
    "no-json": lambda _: "eyJhbGciOiJSUzI1NiJ9.x.x",
    "none": lambda provider: unsigned(provider, "none"),
    "None": lambda provider: unsigned(provider, "None"),
    "unsigned": lambda provider: unsigned(provider, "RS256"),
    "public-key-as-secret": lambda provider: sign_with_secret(provider, pem_of(provider.keys[0])),
    "published-key-as-secret": lambda provider: sign_with_secret(
        provider, json.dumps(provider.keys[0].public).encode()
    ),
    "empty-secret": lambda provider: sign_with_secret(provider, b""),
    "changed-claims": promoted,
    "key-of-another": lambda provider: provider.token("ada", Key(provider.keys[0].id)),
    "unknown-key": lambda provider: provider.token("ada", Key()),
    "expired": lambda provider: provider.token("ada", exp=int(time.time()) - 60),
    "without-an-end": lambda provider: provider.token("ada", exp=None),
    "not-yet-valid": lambda provider: provider.token("ada", nbf=int(time.time()) + 600),
    "issued-in-the-future": lambda provider: provider.token("ada", iat=int(time.time()) + 600),
    "another-audience": lambda provider: provider.token("ada", aud="another-service"),
    "no-audience": lambda provider: provider.token("ada", aud=None),
    "another-issuer": lambda provider: provider.token("ada", iss="https://login.example.com"),
    "issuer-with-a-slash": lambda provider: provider.token("ada", iss=f"{provider.issuer}/"),
    "no-subject": lambda provider: provider.token("ada", sub=None),
    "huge": lambda provider: provider.token("ada", more="x" * 8192),
}


@pytest.mark.parametrize("kind", INVALID)
def test_invalid_token_is_401(users: Users, kind: str) -> None:
    token = INVALID[kind](users.provider)
    refused(users.me(bearer(token)), 401)
    response = users.api.get("/api/v1/posts", headers=bearer(token))
    refused(response, 401)
    assert response.headers["www-authenticate"] == "Bearer"


def test_valid_token_says_who_calls(users: Users) -> None:
    user = users.new("author")
    me = users.me(user["headers"]).json()
    assert me == {"id": user["id"], "email": user["email"], "name": "Someone", "role": "author"}
    both = users.provider.token(user["subject"], aud=["another-service", users.provider.claims("")["aud"]])
    assert users.me(bearer(both)).json()["id"] == user["id"]


def test_every_route_needs_a_token(api: Client) -> None:
    assert routes_without_a_token(api) == set()


def test_role_decides_what_may_be_called(users: Users) -> None:
    check_roles(users.api, users.new)


def test_row_that_is_being_added_is_nobodys(users: Users, db: Engine) -> None:
    check_row_that_is_being_added_is_nobodys(users.api, db, users.new)


@pytest.mark.locks
def test_one_of_two_admins_who_remove_each_other_stays(users: Users, db: Engine) -> None:
    check_an_admin_stays(users.api, db, users.new)


def test_token_in_the_url_is_not_read(users: Users) -> None:
    token = users.new("admin")["headers"]["Authorization"].removeprefix("Bearer ")
    for name in ("token", "access_token", "authorization"):
        assert users.api.get(f"{AUTH}/me", params={name: token}).status_code in {401, 422}
    for scheme in ("", "Basic ", "Token "):
        refused(users.me({"Authorization": scheme + token}), 401)


def test_token_of_a_new_key_is_valid_and_unknown_keys_are_asked_for_seldom(users: Users) -> None:
    user = users.new()
    provider, old, new = users.provider, users.provider.keys[0], Key()
    provider.keys[:] = [new]
    time.sleep(PAUSE + 0.1)
    fetches, started = provider.fetches, time.monotonic()
    assert users.me(bearer(provider.token(user["subject"]))).json()["id"] == user["id"]
    for number in range(5):
        unknown = replace(new, id=f"unknown{number}")
        refused(users.me(bearer(provider.token(user["subject"], unknown))), 401)
    refused(users.me(bearer(provider.token(user["subject"], old))), 401)
    assert 1 <= provider.fetches - fetches <= 1 + (time.monotonic() - started) / PAUSE


def test_known_keys_serve_on_while_the_provider_is_down(users: Users) -> None:
    user = users.new()
    users.provider.is_down = True
    try:
        refused(users.me(bearer(users.provider.token("ada", Key()))), 401)
        assert users.me(user["headers"]).status_code == httpx2.codes.OK
    finally:
        users.provider.is_down = False


@pytest.mark.database("sqlite")
def test_service_without_keys_is_503_until_the_provider_is_up(
    warm_process: WarmProcess,
    project: Path,
    service_environment: dict[str, str],
    identity_provider: IdentityProvider,
    tmp_path: Path,
) -> None:
    headers = bearer(identity_provider.token(unique_word()))
    identity_provider.is_down = True
    try:
        with calling(warm_process, project, service_environment, tmp_path) as api:
            response = api.get("/auth/me", headers=headers)
            refused(response, 503)
            refused(api.get("/auth/me"), 401)
            identity_provider.is_down = False
            time.sleep(int(response.headers["retry-after"]))
            assert api.get("/auth/me", headers=headers).status_code == httpx2.codes.OK
    finally:
        identity_provider.is_down = False


def test_first_requests_at_once_make_one_user(users: Users) -> None:
    email = new_email()
    headers = bearer(users.provider.token(unique_word(), email=email, email_verified=True))
    found = concurrently([lambda: users.me(headers)] * 8)
    assert {response.status_code for response in found} == {httpx2.codes.OK}
    assert len({response.json()["id"] for response in found}) == 1
    admin = users.new("admin")["headers"]
    assert users.api.get("/api/v1/users", params={"search": email}, headers=admin).json()["total"] == 1


def test_email_of_another_user_gives_no_access_to_them(users: Users) -> None:
    owner = users.new("admin")
    for is_verified in (True, False):
        token = users.provider.token(unique_word(), email=owner["email"], email_verified=is_verified)
        me = users.me(bearer(token)).json()
        assert me["id"] != owner["id"]
        assert me["role"] == "reader"
        assert me["email"].endswith("@no-email.invalid")
    assert users.me(owner["headers"]).json()["email"] == owner["email"]


def test_deactivated_user_is_out_until_activated(users: Users) -> None:
    user, admin = users.new(), users.new("admin")
    url = f"/api/v1/users/{user['id']}"
    for is_active in (False, True):
        response = users.api.patch(url, json={"is_active": is_active}, headers=admin["headers"])
        assert response.status_code == httpx2.codes.OK
        newest = bearer(users.provider.token(user["subject"], roles=["admin"]))
        assert users.me(newest).status_code == (200 if is_active else 403)


def test_deleted_user_is_out_whatever_the_token(users: Users, mixins: frozenset[str]) -> None:
    user, admin = users.new(), users.new("admin")
    url = f"/api/v1/users/{user['id']}"
    assert users.api.delete(url, headers=admin["headers"]).status_code == httpx2.codes.NO_CONTENT
    later = int(time.time()) + 5
    newest = bearer(users.provider.token(user["subject"], roles=["admin"], iat=later))
    for headers in (user["headers"], newest):
        refused(users.me(headers), 403)
    if "soft_delete" in mixins:
        assert users.api.post(f"{url}/restore", headers=admin["headers"]).status_code == httpx2.codes.OK
        assert users.me(user["headers"]).json()["id"] == user["id"]


def test_caller_is_the_actor(users: Users, mixins: frozenset[str], request: pytest.FixtureRequest) -> None:
    admin = users.new("admin")
    headers = {**admin["headers"], "X-Actor": "root"}
    created = users.api.post("/api/v1/users", json=new_user(), headers=headers).json()
    if "audit_log" in mixins:
        query = {"table_name": "users", "record_id": created["id"]}
        [entry] = users.api.get("/api/v1/audit", params=query, headers=headers).json()["items"]
        assert entry["actor"] == str(admin["id"])
    log = request.config.stash[SERVICE_LOG].read_text(encoding="utf-8")
    assert f"actor={admin['id']}" in log
    assert admin["headers"]["Authorization"].removeprefix("Bearer ") not in log
