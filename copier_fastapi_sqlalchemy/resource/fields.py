"""Fields of a resource as a user writes them: `title:str:200`, `author:ref:users?`, `status:enum:draft,out=draft`."""

import keyword
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from copier_fastapi_sqlalchemy.resource.errors import Refusal
from copier_fastapi_sqlalchemy.resource.names import NAME

MAX_NAME = 40
OPTIONS = ("unique", "index", "search", "secret")
OWNER = "owner"
ON_DELETE = {"cascade": "CASCADE", "restrict": "RESTRICT", "null": "SET NULL"}
# Columns that every record has or a mixin adds, attributes of mapped classes, rows and models of pydantic, and types.
TAKEN_WORDS = """
id created_at updated_at deleted_at deletion_id version is_live search etag include_deleted page size sort q
limit cursor metadata registry touch c columns key schema copy construct validate fields json t tuple count
index keys values items get add update clear remove extend date time datetime timedelta list dict str int bool
float bytes property self cls l from_orm parse_file parse_obj parse_raw schema_json update_forward_refs
offset_page keyset_page
"""
TAKEN = frozenset(TAKEN_WORDS.split())


@dataclass(frozen=True)
class Field:
    """A field: its name, its type with arguments, and its options."""

    name: str
    type: str
    arguments: tuple[str, ...] = ()
    nullable: bool = False
    options: frozenset[str] = frozenset()
    default: str | None = None

    @property
    def unique(self) -> bool:
        """Whether no two records have the same value."""
        return "unique" in self.options

    @property
    def secret(self) -> bool:
        """Whether its values are in no response and not in the audit log."""
        return "secret" in self.options

    @property
    def search(self) -> bool:
        """Whether the full-text search finds its words."""
        return "search" in self.options

    @property
    def owner(self) -> bool:
        """Whether it has the user whom a record belongs to, and who never changes."""
        return OWNER in self.options

    @cached_property
    def on_delete(self) -> str:
        """What happens to the record when what a `ref` names is deleted, as SQL says it."""
        chosen = self.options & ON_DELETE.keys()
        return ON_DELETE[next(iter(chosen))] if chosen else "SET NULL" if self.nullable else "CASCADE"

    @property
    def text(self) -> str:
        """The field as a user can write it."""
        parts = [self.name, self.type + ("?" if self.nullable else "")]
        parts += [",".join(self.arguments)] if self.arguments else []
        default = "" if self.default is None else f"={self.default}"
        return ":".join([*parts, *sorted(self.options)]) + default


def parse_fields(texts: Sequence[str]) -> tuple[Field, ...]:
    """Parse fields.

    Raises:
        Refusal: one can't be understood, or a name is taken or given twice.

    """
    fields = tuple(parse_field(text) for text in texts)
    names = [field.name for field in fields]
    for name in names:
        if names.count(name) > 1:
            raise Refusal(f"Give each field a name of its own: {name!r} is there twice.")
    return fields


def parse_field(text: str) -> Field:
    """Parse one field: `name:type[:arguments][?][:option…][=default]`.

    Raises:
        Refusal: it can't be understood.

    """
    from copier_fastapi_sqlalchemy.resource.types import TYPES  # noqa: PLC0415

    before, equals, default = text.partition("=")
    name, *parts = before.split(":")
    check_field_name(name)
    if not parts or not parts[0].strip("?"):
        raise Refusal(f"Give {name!r} a type, as in {name}:str:200. The types: {', '.join(TYPES)}.")
    nullable = any(part.endswith("?") for part in parts)
    kind, *rest = [part.removesuffix("?") for part in parts]
    if kind not in TYPES:
        raise Refusal(f"Give {name!r} one of these types: {', '.join(TYPES)}. There is no {kind!r}.")
    known = [*OPTIONS, *((*ON_DELETE, OWNER) if kind == "ref" else ())]
    options = frozenset(part for part in rest if part in known)
    given = [part for part in rest if part not in options]
    if len(given) > 1 or (given and not TYPES[kind].takes):
        raise Refusal(f"Take {given[-1]!r} out of {text!r}. What can follow a type: {', '.join(known)}.")
    if len(options & ON_DELETE.keys()) > 1:
        raise Refusal(f"Choose one of {', '.join(sorted(options & ON_DELETE.keys()))} for {name!r}.")
    arguments = tuple(map(_plain, given[0].split(","))) if given else ()
    field = Field(name, kind, arguments, nullable, options, default if equals else None)
    TYPES[kind].check(field)
    return field


def _plain(argument: str) -> str:
    """Give a number as Python writes it, and any other argument as it is."""
    return str(int(argument)) if argument.isdecimal() else argument


def check_field_name(name: str) -> None:
    """Raise Refusal where a name can't be that of a field."""
    if not NAME.fullmatch(name) or len(name) > MAX_NAME:
        raise Refusal(
            f"Name a field in lower case, as in published_on, with up to {MAX_NAME} characters: not {name!r}."
        )
    if keyword.iskeyword(name) or keyword.issoftkeyword(name) or name in TAKEN or name.startswith("model_"):
        raise Refusal(
            f"Give the field {name!r} another name, such as {name}_value: Python, rows or bodies use it otherwise."
        )


def is_member(text: str) -> bool:
    """Tell whether a text can be a value of an enum."""
    return re.fullmatch(r"[a-z][a-z0-9]*([_-][a-z0-9]+)*", text) is not None
