"""An identity provider of the tests' own: it publishes its keys by OpenID Connect Discovery, and signs tokens."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from jwt.algorithms import RSAAlgorithm

AUDIENCE = "example-service"  # of a project with the default name
DISCOVERY = "/.well-known/openid-configuration"
LIFETIME = 600


@dataclass
class Key:
    """A key that tokens are signed with."""

    id: str = field(default_factory=lambda: uuid4().hex)
    private: RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))

    @property
    def public(self) -> dict[str, Any]:
        """The public key, as the provider publishes it."""
        found: dict[str, Any] = RSAAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        return {**found, "kid": self.id, "use": "sig", "alg": "RS256"}


class IdentityProvider(ThreadingHTTPServer):
    """Publishes `keys`, and counts in `fetches` how often they were asked for; where it `is_down`, it answers 503."""

    def __init__(self) -> None:
        """Listen on a free port."""
        super().__init__(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server_port}"
        self.keys = [Key()]
        self.fetches = 0
        self.is_down = False

    def document(self, path: str) -> dict[str, Any] | None:
        """Give what is published under a path."""
        if self.is_down:
            return None
        if path == DISCOVERY:
            return {"issuer": self.issuer, "jwks_uri": f"{self.issuer}/keys"}
        self.fetches += 1
        return {"keys": [key.public for key in self.keys]}

    def claims(self, subject: str, **changes: Any) -> dict[str, Any]:
        """Give the claims of a valid token but for the changes, of which None takes a claim out."""
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": AUDIENCE, "sub": subject, "iat": now, "exp": now + LIFETIME, **changes}
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, subject: str, key: Key | None = None, **changes: Any) -> str:
        """Sign a token that is valid but for the changes and the key."""
        signer = key or self.keys[0]
        return jwt.encode(self.claims(subject, **changes), signer.private, "RS256", headers={"kid": signer.id})


class Handler(BaseHTTPRequestHandler):
    """Sends a document."""

    server: IdentityProvider

    def do_GET(self) -> None:
        """Answer with what is published."""
        document = self.server.document(self.path)
        body = json.dumps(document).encode()
        self.send_response(200 if document else 503)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Stay silent."""


@contextmanager
def providing() -> Iterator[IdentityProvider]:
    """Give a provider that listens."""
    with IdentityProvider() as provider:
        thread = Thread(target=provider.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield provider
        finally:
            provider.shutdown()
