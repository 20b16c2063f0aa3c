"""An identity provider to test and to develop with: `python -m tests.auth.provider`.

It asks nobody for a password: whoever logs in says who they are.
"""

import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from secrets import token_urlsafe
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from app.settings import Settings

LIFETIME = 600
CURVES = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}
USERS = {"ann": ["admin"], "arthur": ["author"], "rita": ["reader"]}
PAGE = """\
<!doctype html>
<title>Log in</title>
<h1>Log in as</h1>
{links}
"""


class Key:
    """A private key, and its public one as the provider publishes it."""

    def __init__(self, key_id: str, algorithm: str = "RS256", bits: int = 2048) -> None:
        self.id, self.algorithm = key_id, algorithm
        self.private: Any
        if algorithm in CURVES:
            self.private = ec.generate_private_key(CURVES[algorithm])
            public = ECAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        else:
            self.private = rsa.generate_private_key(public_exponent=65537, key_size=bits)
            public = RSAAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        self.public = {**public, "kid": key_id, "alg": algorithm, "use": "sig"}


class Provider:
    """What a provider publishes, and the tokens that it signs."""

    def __init__(self, audience: str, *keys: Key) -> None:
        self.issuer = ""
        self.audience = audience
        self.role_claim = "roles"
        self.keys = list(keys)
        self.documents: dict[str, Any] = {}  # by path, instead of its own
        self.redirects: dict[str, str] = {}
        self.requests: list[str] = []
        self.codes: dict[str, tuple[str, str]] = {}

    def claims(self, subject: str, **more: Any) -> dict[str, Any]:
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": subject,
            "iat": now,
            "exp": now + LIFETIME,
            "name": subject.capitalize(),
            "email": f"{subject}@example.com",
            "email_verified": True,
            **more,
        }
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, subject: str, *, key: Key | None = None, **more: Any) -> str:
        """Return a token that is valid but for the key and the claims that are given."""
        signer = key or self.keys[0]
        headers = {"kid": signer.id} if signer.id else {}
        claims = self.claims(subject, **more)
        return jwt.encode(claims, signer.private, signer.algorithm, headers=headers)

    def document(self, path: str) -> Any:
        if path in self.documents:
            return self.documents[path]
        if path == "/keys":
            return {"keys": [key.public for key in self.keys]}
        if path == "/.well-known/openid-configuration":
            base = self.issuer.removesuffix("/")
            return {
                "issuer": self.issuer,
                "jwks_uri": f"{base}/keys",
                "authorization_endpoint": f"{base}/authorize",
                "token_endpoint": f"{base}/token",
                "grant_types_supported": ["authorization_code"],
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": [self.keys[0].algorithm],
                "code_challenge_methods_supported": ["S256"],
                "scopes_supported": ["openid", "profile", "email"],
            }
        return None

    def login_page(self, asked: dict[str, str]) -> str:
        """Return a link for each user, with a code that is worth a token to who has the secret."""
        links = []
        for name in USERS:
            code = token_urlsafe()
            self.codes[code] = name, asked.get("code_challenge", "")
            query = urlencode({"code": code, "state": asked.get("state", "")})
            url = escape(f"{asked.get('redirect_uri', '')}?{query}")
            links.append(f'<p><a id="{name}" href="{url}">{name}</a></p>')
        return PAGE.format(links="\n".join(links))

    def token_for(self, asked: dict[str, str]) -> dict[str, Any]:
        name, challenge = self.codes.pop(asked.get("code", ""), ("", ""))
        digest = sha256(asked.get("code_verifier", "").encode()).digest()
        if not name or urlsafe_b64encode(digest).rstrip(b"=").decode() != challenge:
            return {"error": "invalid_grant"}
        roles: dict[str, Any] = {self.role_claim: USERS[name]}
        token = self.token(name, **roles)
        return {"access_token": token, "token_type": "Bearer", "expires_in": LIFETIME}


class Handler(BaseHTTPRequestHandler):
    provider: Provider

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        path = parts.path.removeprefix(urlsplit(self.provider.issuer).path.removesuffix("/"))
        self.provider.requests.append(path)
        if path == "/authorize":
            page = self.provider.login_page(_first_values(parts.query))
            self._respond(200, "text/html", page.encode())
            return
        if path in self.provider.redirects:
            self.send_response(302)
            self.send_header("Location", self.provider.redirects[path])
            self.end_headers()
            return
        document = self.provider.document(path)
        self._respond(404 if document is None else 200, "application/json", _encode(document))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        answer = self.provider.token_for(_first_values(body))
        self._respond(400 if "error" in answer else 200, "application/json", _encode(answer))

    def do_OPTIONS(self) -> None:
        self._respond(204, "text/plain", b"")

    def log_message(self, *_arguments: Any) -> None:
        """Log nothing: the queries have codes."""

    def _respond(self, status: int, media_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Access-Control-Allow-Headers", "*")
        self.end_headers()
        self.wfile.write(body)


def _first_values(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query).items()}


def _encode(document: Any) -> bytes:
    return document if isinstance(document, bytes) else json.dumps(document).encode()


@contextmanager
def serve(provider: Provider, port: int = 0) -> Iterator[ThreadingHTTPServer]:
    """Serve the provider in a thread, at an address that is its issuer then."""
    handler = type("ProviderHandler", (Handler,), {"provider": provider})
    with ThreadingHTTPServer(("localhost", port), handler) as server:
        provider.issuer = provider.issuer or f"http://localhost:{server.server_port}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def provider_of(settings: Settings) -> Provider:
    """Return the provider that the settings name, with a new key."""
    key = Key(token_urlsafe(8), settings.oidc_algorithms[0])
    provider = Provider(settings.oidc_audience, key)
    provider.issuer, provider.role_claim = settings.oidc_issuer, settings.oidc_role_claim
    return provider


def main() -> None:
    settings = Settings()
    with serve(provider_of(settings), urlsplit(settings.oidc_issuer).port or 80):
        print(f"Log in at {settings.oidc_issuer} by /docs; Ctrl+C ends it.")  # noqa: T201
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
