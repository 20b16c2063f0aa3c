"""What versions 1.1.0 to 1.5.0 wrote otherwise.

A resource of their forms is rendered that way again, to tell what its owner has made of the files since.
"""

FORM = 1
# The form of version 1.2.0, whose calls for many don't say which row refers to what is absent.
WITHOUT_ROWS = 2
# The form of versions 1.3.0 and 1.4.0, which took numbers for dates, and had a `restore` in repositories.
WITH_NUMBERS = 3
# The form of version 1.5.0, whose tests have equal values in all rows, and whose emails can have a name beside them.
WITH_EQUAL_ROWS = 4
NOW = 5
# The annotations of types in bodies, and of filters, which stood in each resource.
ACCEPTS = {
    "decimal": "Annotated[Decimal, Field(max_digits={0}, decimal_places={1}),"
    ' PlainSerializer(plain_number, str, when_used="json")]',
    "time": "Annotated[time, AfterValidator(without_offset)]",
    "interval": "Annotated[timedelta, Field(ge=-MAX_INTERVAL, le=MAX_INTERVAL)]",
    "json": "Annotated[dict[str, JsonValue], AfterValidator(fits_database)]",
    "bytes": "Annotated[bytes, BeforeValidator(from_base64), Field(max_length=10_000),"
    ' PlainSerializer(to_base64, str, when_used="json")]',
    "url": "Annotated[str, StringConstraints(max_length=2000), AfterValidator(http_url)]",
}
FILTERS = {"time": ACCEPTS["time"]}
DATE = {"date": "date"}
# What they need beside what every schema imports.
IMPORTS = """
from base64 import b64decode, b64encode
from datetime import UTC
from pydantic import AwareDatetime, BeforeValidator, HttpUrl, JsonValue, PlainSerializer, TypeAdapter
""".strip().splitlines()
EMAIL = {"email": "Annotated[EmailStr, StringConstraints(max_length=254, to_lower=True)]"}
# Names of annotations that were free for fields.
FREE_ALIASES = frozenset({"Base64", "JsonObject", "PlainDecimal", "TimeOfDay", "Url"})


def accepts(form: int) -> dict[str, str]:
    """Give the annotations in bodies that differ from those of now, by type."""
    accepted = (ACCEPTS if form == FORM else {}) | (DATE if form <= WITH_NUMBERS else {})
    return accepted | (EMAIL if form <= WITH_EQUAL_ROWS else {})


def filters(form: int) -> dict[str, str]:
    """Give the annotations of filters that differ from those of now, by type."""
    return (FILTERS if form == FORM else {}) | (DATE if form <= WITH_NUMBERS else {})


def free_aliases(form: int) -> frozenset[str]:
    """Give the names of annotations that are taken now, and were free for fields."""
    return (FREE_ALIASES if form == FORM else frozenset()) | ({"Email"} if form <= WITH_EQUAL_ROWS else frozenset())
