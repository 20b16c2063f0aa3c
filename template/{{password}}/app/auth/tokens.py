"""Random tokens: a client has the token, and the database its digest alone."""

import re
from hashlib import sha256
from secrets import token_urlsafe

# The prefix tells people, and scanners for leaked secrets, what a token is.
SESSION = "session_"
MAILED = "mailed_"
SESSION_TOKEN = re.compile(rf"{SESSION}[\w-]{{43}}", re.ASCII)


def new_token(prefix: str) -> str:
    return prefix + token_urlsafe(32)


def is_session_token(text: str) -> bool:
    return SESSION_TOKEN.fullmatch(text) is not None


def digest_of(text: str) -> str:
    """Return what the database keeps of a token; a random one needs no slow hash."""
    return sha256(text.encode()).hexdigest()
