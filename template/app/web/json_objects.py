"""JSON that a database keeps as it is."""

from typing import Annotated, Any

from pydantic import BeforeValidator, JsonValue

from app.web.schemas import no_nul_or_surrogate

MAX_DEPTH = 20
MAX_NAME = 1000
MAX_NUMBER = 2**63


def fits_database(value: Any, depth: int = 1) -> Any:
    """Return the JSON; raise ValueError where a database can't keep it as it is."""
    if depth > MAX_DEPTH:
        raise ValueError(f"JSON can be {MAX_DEPTH} levels deep at most")
    if isinstance(value, dict):
        for name, item in value.items():
            if len(no_nul_or_surrogate(name)) > MAX_NAME:
                raise ValueError(f"a name in JSON has {MAX_NAME} characters at most")
            fits_database(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            fits_database(item, depth + 1)
    elif isinstance(value, str):
        no_nul_or_surrogate(value)
    elif isinstance(value, int | float) and not -MAX_NUMBER <= value < MAX_NUMBER:
        raise ValueError("numbers must fit in 64 bits")
    return value


# Before pydantic, which has an error for each place that is too deep.
JsonObject = Annotated[dict[str, JsonValue], BeforeValidator(fits_database)]
