"""Which pages of other origins may call the service: none, unless a setting names them."""

from typing import Any

from app.settings import Settings

METHODS = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
EXPOSED = ("ETag", "Location", "Retry-After", "X-Request-ID")


def cors_options(settings: Settings) -> dict[str, Any] | None:
    """Return the options of CORSMiddleware; None where no origin is allowed."""
    if not settings.cors_origins and not settings.cors_origin_pattern:
        return None
    return {
        "allow_origins": settings.cors_origins,
        "allow_origin_regex": settings.cors_origin_pattern or None,
        "allow_credentials": settings.cors_credentials,
        "allow_methods": METHODS,
        "allow_headers": ("*",),
        "expose_headers": EXPOSED,
    }
