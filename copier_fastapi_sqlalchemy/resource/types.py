"""What is known of each type of a field: one table, which everything else reads."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from uuid import UUID

from copier_fastapi_sqlalchemy.resource.errors import Refusal
from copier_fastapi_sqlalchemy.resource.fields import Field, is_member
from copier_fastapi_sqlalchemy.resource.names import NAME

DEFAULT_LENGTH = 200
MAX_INDEXED = 700  # characters that MySQL can index: 3,072 bytes of four each, less a column beside them
MAX_LENGTH = 10_000
MAX_DIGITS = 18
MAX_EMAIL, MAX_URL = 254, 2000
MAX_MEMBERS, MAX_MEMBER = 50, 40
TEXT = "AfterValidator(no_nul_or_surrogate)"


@dataclass(frozen=True)
class Kind:
    """A type of fields.

    `column`, `accepts` and `invalid` are source code, in which `{0}` and `{1}` stand for the arguments.
    """

    python: str
    column: str
    accepts: str
    invalid: str
    shared: str = ""  # the module that has its annotation, which resources share
    takes: str = ""
    columns: dict[str, str] | None = None  # of databases that differ
    sortable: bool = True
    indexable: bool = True
    filter: str = ""  # what a list can be filtered by, where the field is indexed or unique
    always_filtered: bool = False
    shows_as_accepted: bool = False  # its annotation writes the value as clients send it
    defaults: Callable[[Field], str] | None = None  # source code of a default

    def check(self, field: Field) -> None:
        """Raise Refusal where the arguments, the options or the default don't suit the type."""
        _check_arguments(field)
        if field.type == "many" and (field.nullable or field.options):
            raise Refusal(f"Write `{field.name}:many:{','.join(field.arguments)}`: many takes no option, and no ?.")
        if not self.indexable and field.options & {"unique", "index"}:
            raise Refusal(
                f"Leave `unique` and `index` out of {field.name!r}: a database can't index its type as it is."
            )
        if field.unique and field.type in {"bool", "enum", "many"}:
            raise Refusal(f"Leave `unique` out of {field.name!r}: it has a few values that many records share.")
        if field.search and field.type not in {"str", "text"}:
            raise Refusal(f"Leave `search` out of {field.name!r}: only str and text have words.")
        if field.default is not None:
            default_of(field)


def default_of(field: Field) -> str:
    """Give the source code of a field's default.

    Raises:
        Refusal: its type has none, or the text isn't a value of it.

    """
    find = TYPES[field.type].defaults
    if find is None or field.default is None:
        raise Refusal(f"Leave out the default of {field.name!r}: {field.type} can't have one.")
    try:
        return find(field)
    except (ValueError, KeyError, InvalidOperation, OverflowError):
        raise Refusal(
            f"Give {field.name!r} a default of its type, {field.type}: {field.default!r} isn't one."
        ) from None


def length_of(field: Field) -> int:
    """Give how many characters a text of a field can have."""
    return int(field.arguments[0]) if field.arguments else DEFAULT_LENGTH


def _check_arguments(field: Field) -> None:
    if field.type == "str" and field.arguments:
        _check_length(field)
    elif field.type == "decimal":
        _check_digits(field)
    elif field.type == "enum":
        _check_members(field)
    elif field.type in {"ref", "many"}:
        _check_table(field)


def _check_length(field: Field) -> None:
    limit = MAX_INDEXED if field.options & {"unique", "index"} else MAX_LENGTH
    given = ",".join(field.arguments)
    if not given.isdecimal() or not 1 <= int(given) <= limit:
        raise Refusal(f"Give {field.name!r} a length from 1 to {limit:,}, as in {field.name}:str:200: not {given!r}.")


def _check_digits(field: Field) -> None:
    match [int(number) if number.isdecimal() else -1 for number in field.arguments]:
        case [digits, decimals] if 0 <= decimals <= digits and 1 <= digits <= MAX_DIGITS:
            return
    raise Refusal(
        f"Give {field.name!r} its digits and how many are decimals, as in {field.name}:decimal:10,2,"
        f" up to {MAX_DIGITS} digits."
    )


def _check_members(field: Field) -> None:
    name, given = field.name, field.arguments
    if not given or len(set(given)) != len(given) or not all(map(is_member, given)):
        raise Refusal(
            f"Give {name!r} its values, each once, as in {name}:enum:draft,in_print: each a letter, then letters and"
            " digits, with single - or _ between them, in lower case."
        )
    if len(given) > MAX_MEMBERS or max(map(len, given)) > MAX_MEMBER:
        raise Refusal(f"Give {name!r} up to {MAX_MEMBERS} values with up to {MAX_MEMBER} characters.")
    if len({member.replace("-", "_") for member in given}) != len(given):
        raise Refusal(f"Give {name!r} values that differ in more than - and _.")


def _check_table(field: Field) -> None:
    name, given = field.name, field.arguments
    if field.owner and (field.nullable or given != ("users",)):
        raise Refusal(
            f"Write {name}:ref:users:owner, or leave `owner` out: who owns a record is a user, and never null."
        )
    if len(given) != 1 or not NAME.fullmatch(given[0]):
        raise Refusal(f"Give {name!r} the table that it refers to, as in author:ref:users or tags:many:tags.")
    if field.type == "ref" and field.on_delete == "SET NULL" and not field.nullable:
        raise Refusal(f"Write {name}:ref:{given[0]}?:null: only what can be null becomes null.")


def _text_default(field: Field) -> str:
    limit = length_of(field) if field.type == "str" else MAX_LENGTH
    if len(field.default or "") > limit or not (field.default or "").isprintable():
        raise ValueError(field.default)
    return _quoted(field.default or "")


def _email_default(field: Field) -> str:
    if not re.fullmatch(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+", field.default or "") or len(field.default or "") > MAX_EMAIL:
        raise ValueError(field.default)
    return _quoted((field.default or "").lower())


def _url_default(field: Field) -> str:
    if not re.fullmatch(r"https?://[^\s/]\S*", field.default or "") or len(field.default or "") > MAX_URL:
        raise ValueError(field.default)
    return _text_default(field)


def _int_default(bits: int) -> Callable[[Field], str]:
    def find(field: Field) -> str:
        number = int(field.default or "")
        if not re.fullmatch("-?[0-9]+", field.default or "") or not -(2 ** (bits - 1)) <= number < 2 ** (bits - 1):
            raise ValueError(number)
        return str(number)

    return find


def _float_default(field: Field) -> str:
    number = float(field.default or "")
    if number - number != 0:
        raise ValueError(number)
    return repr(number)


def _decimal_default(field: Field) -> str:
    number = Decimal(field.default or "")
    digits, decimals = map(int, field.arguments)
    if not number.is_finite() or number != round(number, decimals) or abs(number) >= 10 ** (digits - decimals):
        raise ValueError(number)
    return f'Decimal("{number + 0:f}")'


def _bool_default(field: Field) -> str:
    return {"true": "True", "false": "False"}[(field.default or "").lower()]


def _enum_default(field: Field) -> str:
    if field.default not in field.arguments:
        raise ValueError(field.default)
    return field.default  # its member is named where the class is known


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _as(parse: Callable[[str], object]) -> Callable[[Field], str]:
    """Give a function that parses a default and gives the source code of its value."""

    def find(field: Field) -> str:
        return repr(parse(field.default or "")).replace("datetime.", "")

    return find


def _moment_default(field: Field) -> str:
    moment = datetime.fromisoformat(field.default or "")
    if moment.tzinfo is None:
        raise ValueError(moment)
    return f'datetime.fromisoformat("{moment.isoformat()}")'


_INT = "Annotated[int, Field(strict=True, ge=-(2**{0}), lt=2**{0})]"
_INT_FILTER = "Annotated[int, Field(ge=-(2**{0}), lt=2**{0})]"

TYPES: dict[str, Kind] = {
    "str": Kind(
        python="str",
        column="String({length})",
        accepts=f"Annotated[str, StringConstraints(max_length={{length}}), {TEXT}]",
        invalid='"\\x00"',
        takes="a length",
        filter="Text",
        defaults=_text_default,
    ),
    "text": Kind(
        python="str",
        column="Text",
        accepts=f"Annotated[str, StringConstraints(max_length=10_000), {TEXT}]",
        invalid='"\\x00"',
        sortable=False,
        indexable=False,
        defaults=_text_default,
    ),
    "int": Kind(
        python="int",
        column="Integer",
        accepts=_INT.format(31),
        invalid="2**31",
        filter=_INT_FILTER.format(31),
        defaults=_int_default(32),
    ),
    "bigint": Kind(
        python="int",
        column="BigInteger",
        accepts=_INT.format(63),
        invalid="2**63",
        filter=_INT_FILTER.format(63),
        defaults=_int_default(64),
    ),
    "bool": Kind(
        python="bool",
        column="Boolean",
        accepts="StrictBool",
        invalid='"yes"',
        sortable=False,
        filter="bool",
        always_filtered=True,
        defaults=_bool_default,
    ),
    "float": Kind(
        python="float",
        column="Double",
        accepts="Annotated[float, Field(strict=True, allow_inf_nan=False)]",
        invalid='"many"',
        defaults=_float_default,
        filter="Annotated[float, Field(allow_inf_nan=False)]",
    ),
    "decimal": Kind(
        python="Decimal",
        column="Numeric({0}, {1})",
        columns={"sqlite": "ScaledDecimal({0}, {1})"},
        accepts="Annotated[PlainDecimal, Field({digits})]",
        shared="app.web.decimals",
        invalid='"1e99"',
        takes="digits",
        shows_as_accepted=True,
        defaults=_decimal_default,
        filter="Annotated[Decimal, Field({digits})]",
    ),
    "date": Kind(
        python="date",
        column="Date",
        accepts="Date",
        shared="app.web.dates",
        invalid='"2026-02-30"',
        filter="Date",
        defaults=_as(date.fromisoformat),
    ),
    "datetime": Kind(
        python="datetime",
        column="UTCDateTime",
        accepts="Moment",
        invalid='"2026-01-31T12:00:00"',
        defaults=_moment_default,
        filter="Moment",
    ),
    "time": Kind(
        python="time",
        column="Time",
        columns={"mysql": "TIME(fsp=6)"},
        accepts="TimeOfDay",
        shared="app.web.times",
        invalid='"12:30:00Z"',
        filter="TimeOfDay",
    ),
    "interval": Kind(
        python="timedelta",
        column="Interval",
        columns={"sqlite": "Duration", "mysql": "Duration"},
        accepts="Interval",
        shared="app.web.intervals",
        invalid='"soon"',
        indexable=False,
    ),
    "uuid": Kind(
        python="UUID",
        column="Uuid",
        accepts="UUID",
        invalid='"none"',
        filter="UUID",
        defaults=_as(UUID),
    ),
    "json": Kind(
        python="dict[str, Any]",
        column="JSONObject",
        accepts="JsonObject",
        shared="app.web.json_objects",
        invalid='["no object"]',
        sortable=False,
        indexable=False,
    ),
    "bytes": Kind(
        python="bytes",
        column="LargeBinary",
        accepts="Base64",
        shared="app.web.binary",
        invalid='"no base64!"',
        sortable=False,
        indexable=False,
        shows_as_accepted=True,
    ),
    "email": Kind(
        python="str",
        column="String(254)",
        accepts="Email",
        shared="app.web.emails",
        invalid='"nobody"',
        filter="Text",
        defaults=_email_default,
    ),
    "url": Kind(
        python="str",
        column="String(2000)",
        accepts="Url",
        shared="app.web.urls",
        invalid='"example.com"',
        indexable=False,
        defaults=_url_default,
    ),
    "enum": Kind(
        python="{class}",
        column="string_enum({class}{enum_length})",
        accepts="{class}",
        invalid='"no such value"',
        takes="its values",
        filter="{class}",
        always_filtered=True,
        defaults=_enum_default,
    ),
    "ref": Kind(
        python="int",
        column="",
        accepts="Id",
        invalid='"1"',
        takes="a table",
        filter="PathId",
        always_filtered=True,
    ),
    "many": Kind(
        python="list[int]",
        column="",
        accepts="",
        invalid="[0]",
        takes="a table",
        sortable=False,
        filter="PathId",
        always_filtered=True,
    ),
}
