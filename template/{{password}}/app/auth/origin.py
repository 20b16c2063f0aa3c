"""Whether a request with a cookie comes from a page that may send it."""

import re

from fastapi import HTTPException, Request

from app.settings import Settings

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


def require_same_origin(request: Request) -> None:
    """Raise a 403 where a page of another origin makes a browser send its cookie to write.

    Every browser says where a request comes from, in `Sec-Fetch-Site` or in `Origin`. A page whose
    origin CORS_ORIGINS or CORS_ORIGIN_PATTERN allows, with CORS_CREDENTIALS, may write too: one of
    the same site, such as another subdomain, to which browsers send a cookie that is SameSite=Lax.
    """
    if request.method not in SAFE_METHODS and not _is_allowed(request):
        raise HTTPException(403, "A page of another origin can't use the session's cookie.")


def _is_allowed(request: Request) -> bool:
    origin = request.headers.get("origin", "")
    settings = request.app.state.settings
    if settings.cors_credentials and origin and _is_of_cors(origin, settings):
        return True
    if (site := request.headers.get("sec-fetch-site")) is not None:
        return site in ("same-origin", "none")
    return origin.partition("://")[2] == request.headers.get("host")


def _is_of_cors(origin: str, settings: Settings) -> bool:
    is_named = origin.lower() in settings.cors_origins
    return is_named or re.fullmatch(settings.cors_origin_pattern, origin) is not None
