"""What a resource was asked for, as its project remembers it in `app/books/resource.toml`."""

import tomllib
from dataclasses import dataclass

from copier_fastapi_sqlalchemy.resource.errors import Refusal
from copier_fastapi_sqlalchemy.resource.fields import Field, parse_fields
from copier_fastapi_sqlalchemy.resource.names import Names, names_of

HEADER = "# What `copier-fastapi-sqlalchemy resource` made this package from.\n"


@dataclass(frozen=True)
class Resource:
    """A resource: its names, its fields, and which of them are unique together."""

    names: Names
    fields: tuple[Field, ...]
    unique: tuple[tuple[str, ...], ...] = ()

    def to_toml(self) -> str:
        """Give the text of the record."""
        lines = [HEADER, f'plural = "{self.names.plural}"\nsingular = "{self.names.singular}"\nfields = [\n']
        lines += [f"    {_literal(field.text)},\n" for field in self.fields]
        lines += ["]\n"]
        if self.unique:
            lines += ["unique = [\n", *(f"    [{', '.join(map(_literal, names))}],\n" for names in self.unique), "]\n"]
        return "".join(lines)


def from_toml(text: str) -> Resource:
    """Read a record.

    Raises:
        Refusal: it isn't one.

    """
    try:
        record = tomllib.loads(text)
        names = names_of(record["plural"], record["singular"])
        unique = tuple(tuple(group) for group in record.get("unique", []))
        return Resource(names, parse_fields(record["fields"]), unique)
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise Refusal(f"Restore resource.toml from your history: it can't be read ({error}).") from None


def _literal(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
