"""What a change of a resource asks for: `+isbn10:str:10? -status title:str:300`."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from copier_fastapi_sqlalchemy.resource.errors import Refusal
from copier_fastapi_sqlalchemy.resource.fields import Field, parse_field, parse_fields
from copier_fastapi_sqlalchemy.resource.record import FORM, Resource
from copier_fastapi_sqlalchemy.resource.shape import parse_only, parse_paging
from copier_fastapi_sqlalchemy.resource.types import DEFAULT_LENGTH

# How many characters the texts of a type have; those of `text` have no limit in the database.
LENGTHS = {"email": 254, "url": 2000, "text": 2**31}


@dataclass(frozen=True)
class FieldChange:
    """A field before and after a change: None where it isn't there."""

    before: Field | None
    after: Field | None

    @property
    def name(self) -> str:
        """The name of the field."""
        field = self.after or self.before
        return field.name if field else ""

    @property
    def needs_value(self) -> bool:
        """Whether the rows that are there have to be given a value."""
        field = self.after
        if field is None or field.nullable or field.type == "many":
            return False
        return self.before is None or self.before.nullable

    @property
    def loses(self) -> bool:
        """Whether values that are there are lost, or may not fit."""
        if self.before is None:
            return False
        return self.after is None or not _fits(self.before, self.after)


def change_resource(
    resource: Resource,
    edits: Sequence[str],
    unique: Sequence[str] = (),
    no_unique: Sequence[str] = (),
    only: str | None = None,
    paging: str | None = None,
    parent_names: Sequence[str] = (),
    form: int = FORM,
) -> Resource:
    """Give a resource after edits: `+` adds a field at the end, `-` removes one, no sign replaces one by its name.

    `parent_names` are those that `unique` can have beside the fields, and `form` is that in which it is written then.

    Raises:
        Refusal: an edit can't be understood, or doesn't suit the fields that there are.

    """
    fields = {field.name: field for field in resource.fields}
    edited: set[str] = set()
    for text in edits:
        if text.startswith("--"):
            raise Refusal(f"Leave out {text.partition('=')[0]}: there is no such option. --help has those that are.")
        sign, edit = (text[0], text[1:]) if text[:1] in {"+", "-"} else ("", text)
        name = edit.partition(":")[0].partition("=")[0]
        if name in edited:
            raise Refusal(f"Change each field once: {name!r} is there twice.")
        edited.add(name)
        if sign == "+" and name in fields:
            raise Refusal(f"Write `{edit}` without +: {resource.names.plural} has a field {name!r} already.")
        if sign != "+" and name not in fields:
            known = ", ".join(fields)
            advice = f", or +{edit} to add it" if not sign and ":" in edit else ""
            raise Refusal(f"Name a field of {resource.names.plural} ({known}){advice}: {name!r} isn't one.")
        if sign == "-":
            if edit != name:
                raise Refusal(f"Write -{name}: a field is removed by its name.")
            del fields[name]
        else:
            fields[name] = parse_field(edit)
    if not fields:
        raise Refusal(f"Keep a field, or remove all of it with `resource remove {resource.names.plural}`.")
    routes = resource.only if only is None else parse_only(only)
    changed = replace(
        resource,
        fields=parse_fields([field.text for field in fields.values()]),
        unique=_groups(resource, unique, no_unique, {*_names(fields.values()), *parent_names}),
        only=routes,
        paging=resource.paging if paging is None else parse_paging(paging, routes),
        form=form,
    )
    if changed == replace(resource, form=form):
        raise Refusal(f"Give a change: {resource.names.plural} is as that would make it.")
    return changed


def changes_between(old: Resource, new: Resource) -> list[FieldChange]:
    """Give each field that differs."""
    before, after = ({field.name: field for field in resource.fields} for resource in (old, new))
    pairs = [FieldChange(before.get(name), after.get(name)) for name in dict.fromkeys([*before, *after])]
    return [pair for pair in pairs if pair.before != pair.after]


def _groups(
    resource: Resource, unique: Sequence[str], no_unique: Sequence[str], columns: Collection[str]
) -> tuple[tuple[str, ...], ...]:
    groups = list(resource.unique)
    for text in no_unique:
        found = next((group for group in groups if set(group) == set(text.split(","))), None)
        if found is None:
            known = " ".join(",".join(group) for group in groups) or "there are none"
            raise Refusal(f"Name fields that are unique together ({known}): {text} aren't.")
        groups.remove(found)
    for text in unique:
        new = tuple(text.split(","))
        if any(set(group) == set(new) for group in groups):
            raise Refusal(f"Leave out --unique {text}: they are unique together already.")
        groups.append(new)
    for group in groups:
        if gone := [name for name in group if name not in columns]:
            if group in resource.unique:
                raise Refusal(f"Give --no-unique {','.join(group)} too: {gone[0]!r} is one of them.")
            raise Refusal(f"Name fields of the resource in --unique: {gone[0]!r} isn't one.")
    return tuple(groups)


def _names(fields: Iterable[Field]) -> Iterator[str]:
    for field in fields:
        yield field.name
        if field.type == "ref" and not field.name.endswith("_id"):
            yield f"{field.name}_id"


def _fits(before: Field, after: Field) -> bool:
    """Tell whether every value of a field is one of the other too, and means the same."""
    kinds = before.type, after.type
    if kinds == ("decimal", "decimal"):
        (digits, decimals), (new_digits, new_decimals) = (tuple(map(int, f.arguments)) for f in (before, after))
        return new_decimals >= decimals and new_digits - new_decimals >= digits - decimals
    if kinds == ("enum", "enum"):
        return set(before.arguments) <= set(after.arguments)
    if after.type in {"str", "text"} and before.type in {"str", "text", "email", "url"}:
        return _length(before) <= _length(after)
    return kinds == ("int", "bigint") or (before.type == after.type and before.arguments == after.arguments)


def _length(field: Field) -> int:
    return LENGTHS.get(field.type) or int(field.arguments[0] if field.arguments else DEFAULT_LENGTH)
