"""URLs of web pages."""

from typing import Annotated

from pydantic import AfterValidator, HttpUrl, StringConstraints, TypeAdapter

from app.web.schemas import no_nul_or_surrogate

HTTP_URL = TypeAdapter(HttpUrl)


def http_url(value: str) -> str:
    """Return the URL as it is; raise ValueError where it isn't one of HTTP."""
    HTTP_URL.validate_python(value)
    if any(character.isspace() or not character.isprintable() for character in value):
        raise ValueError("a URL has no white space")
    return no_nul_or_surrogate(value)


Url = Annotated[str, StringConstraints(max_length=2000), AfterValidator(http_url)]
