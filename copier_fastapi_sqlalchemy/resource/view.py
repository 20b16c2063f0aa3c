"""What the templates show of a resource: lines of code for each field, by what the project has chosen."""

import builtins
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from copier_fastapi_sqlalchemy.resource import former
from copier_fastapi_sqlalchemy.resource.column_view import FieldView, constant
from copier_fastapi_sqlalchemy.resource.errors import Refusal
from copier_fastapi_sqlalchemy.resource.fields import Field
from copier_fastapi_sqlalchemy.resource.many_view import ManyView
from copier_fastapi_sqlalchemy.resource.names import Names
from copier_fastapi_sqlalchemy.resource.record import Resource
from copier_fastapi_sqlalchemy.resource.reserved import reserved_names

if TYPE_CHECKING:
    from copier_fastapi_sqlalchemy.resource.project import KnownTable, Project

# What moves with each write, by the mixin that adds it.
MOVING = {"timestamps": "updated_at", "optimistic_locking": "version"}


@dataclass(frozen=True)
class View:
    """What the templates of a resource show."""

    resource: Resource
    project: "Project"

    @property
    def names(self) -> Names:
        """What the resource is called."""
        return self.resource.names

    @cached_property
    def fields(self) -> list[FieldView]:
        """The fields that are columns."""
        return [
            FieldView(
                field,
                self.names,
                self.project.answers,
                self._target(field) if field.type == "ref" else None,
                self.resource.form,
                has_unique_index=self._has_unique_index(field),
            )
            for field in self.resource.fields
            if field.type != "many"
        ]

    def _has_unique_index(self, field: Field) -> bool:
        """Tell whether an index keeps the field alone unique among live rows, so that it needs no other."""
        groups = [group for group in self.resource.unique if group in {(field.name,), (f"{field.name}_id",)}]
        return "soft_delete" in self.project.answers.mixins and (field.unique or bool(groups))

    @cached_property
    def manys(self) -> list[ManyView]:
        """The fields that are associations."""
        fields = [field for field in self.resource.fields if field.type == "many"]
        return [ManyView(field, self.names, self.project.answers, self._target(field)) for field in fields]

    def _target(self, field: Field) -> "KnownTable":
        name = field.arguments[0]
        if name == self.names.plural and field.type == "ref":
            return self.project.own_table(self.names)
        target = self.project.tables.get(name)
        if target is None or name == self.names.plural:
            known = ", ".join(sorted(table.name for table in self.project.tables.values() if table.has_generated_key))
            raise Refusal(
                f"Let {field.name!r} refer to a table of the project: {known or 'there is none'}. {name!r} isn't one."
            )
        if not target.has_generated_key:
            raise Refusal(f"Let {field.name!r} refer to another table: {name!r} has no key `id` of its own.")
        return target

    def _dictionary(self, columns: list[str]) -> str:
        """Give the code of a dictionary of columns by their names."""
        table = self.names.class_name if self.project.answers.orm else f"{self.names.plural}.c"
        return "{\n" + "".join(f'    "{column}": {table}.{column},\n' for column in columns) + "}"

    def _targets(self) -> list["KnownTable"]:
        """Give the tables that fields refer to."""
        return [field.target for field in self.fields if field.target] + [many.target for many in self.manys]

    def _has_moment(self) -> bool:
        if self.project.has_moment is not None:
            return self.project.has_moment
        schemas = self.project.folder / "app/web/schemas.py"
        return "\nMoment = " in schemas.read_text(encoding="utf-8")

    def uniques(self) -> list[tuple[str, ...]]:
        """Give the columns that are unique, alone or together."""
        columns = {field.field.name: field.column_name for field in self.fields}
        columns |= {field.column_name: field.column_name for field in self.fields}
        groups: list[tuple[str, ...]] = [(field.column_name,) for field in self.fields if field.field.unique]
        for group in self.resource.unique:
            for name in group:
                if name not in columns:
                    raise Refusal(f"Name fields of the resource in --unique: {name!r} isn't one.")
            groups.append(tuple(columns[name] for name in group))
        for group in groups:
            if len(set(group)) < len(group) or sum(set(other) == set(group) for other in groups) > 1:
                raise Refusal(f"Say once that {', '.join(group)} is unique.")
        return groups

    def check_names(self) -> None:
        """Raise Refusal where a name of the resource stands for something else in its code."""
        names, reserved = self.names, reserved_names() | {*dir(builtins)}
        for name in (names.plural, names.singular, names.class_name, names.classes_name):
            if name in reserved:
                raise Refusal(
                    f"Give the resource another name, or --singular: its code uses {name!r} for something else."
                )
        for many in self.manys:
            if many.field in reserved or many.field in {names.plural, names.singular}:
                raise Refusal(
                    f"Give the field {many.field!r} another name: the code of the resource uses it otherwise."
                )
        fields = [(field.column_name, field.field.name) for field in self.fields]
        fields += [(name, many.field) for many in self.manys for name in (many.name, many.column, many.field)]
        for name, field in fields:
            others = [other for known, other in fields if known == name and other != field]
            if others:
                raise Refusal(f"Give {others[0]!r} or {field!r} another name: both would be {name!r} in the code.")

    def context(self) -> dict[str, Any]:
        """Give the variables of the templates."""
        names, answers, fields, manys = self.names, self.project.answers, self.fields, self.manys
        self.check_names()
        if not fields:
            raise Refusal("Add a field that is a column, such as title:str:200: there are associations alone.")
        uniques = self.uniques()
        soft_delete = "soft_delete" in answers.mixins
        searched = [field.column_name for field in fields if field.field.search]
        if searched and "full_text_search" not in answers.mixins:
            raise Refusal("Leave `search` out: the project doesn't have the mixin full_text_search.")
        if soft_delete and any(field.field.on_delete == "RESTRICT" for field in fields if field.target):
            raise Refusal(
                "Leave `restrict` out: with soft_delete, what is deleted stays, and no foreign key refuses that."
            )
        sortable = [f.column_name for f in fields if f.kind.sortable and not f.field.secret and f.field.type != "ref"]
        sortable += ["created_at", "updated_at"] if "timestamps" in answers.mixins else []
        refs = [field for field in fields if field.field.type == "ref"]
        errors = ["MissingReferenceError"] if refs or manys else []
        errors += ["DuplicateError"] if uniques else []
        together = [group for group in uniques if len(group) > 1]
        return {
            **answers.facts(),
            "names": names,
            "types": {field.field.type for field in fields},
            "fields": fields,
            "columns": fields,
            "shown_fields": [field for field in fields if not field.field.secret],
            "manys": manys,
            "many_names": "{" + ", ".join(f'"{many.name}"' for many in manys) + "}",
            "many_arguments": ", ".join(f"{many.field}=list({many.field})" for many in manys),
            "refs": refs,
            "enums": [_enum(field) for field in fields if field.field.type == "enum"],
            "form": self.resource.form,
            "defines_moment": any(field.field.type == "datetime" for field in fields) and not self._has_moment(),
            "aliases": [field.alias for field in fields if field.alias],
            "filters": [field for field in fields if field.is_filter],
            "sortable": self._dictionary(["id", *sortable]),
            "filtered": self._dictionary([field.column_name for field in fields if field.is_filter]),
            "sort_example": ",".join([f"-{sortable[0]}", "id"] if sortable else ["-id"]),
            "uniques": uniques,
            "taken": _taken(names, uniques),
            "constraints": [] if soft_delete else [f"UniqueConstraint({_quoted(group)})" for group in together],
            "unique_among_live": [_quoted(group) for group in uniques] if soft_delete else [],
            "searched": _quoted(searched),
            "shown": _shown(fields, self.project.line_length - len(names.class_name)),
            "documents": {
                "create": f"Insert {names.article} {names.label}{'; raise ' if errors else ''}{' or '.join(errors)}.",
                "change": f"Change the {names.label}; raise {_listed(['NotFoundError', *errors])}.",
            },
            "on_create": "400, 409, 413" if uniques else "400, 413",
            "on_change": ", ".join(
                str(status)
                for status, can_occur in {
                    400: True,
                    404: True,
                    409: bool(uniques),
                    412: "optimistic_locking" in answers.mixins,
                    413: True,
                }.items()
                if can_occur
            ),
            **self._tests(searched),
            "live_targets": _live_targets(self._targets(), soft_delete=soft_delete),
            "created": _merged(names.singular, [f'"{many.name}": sorted(new.{many.name})' for many in manys]),
            "collected": _merged("row._asdict()", [f'"{many.name}": {many.name}[row.id]' for many in manys]),
        }

    def _tests(self, searched: list[str]) -> dict[str, Any]:
        """Give the variables of the templates of tests."""
        fields, manys, uniques = self.fields, self.manys, self.uniques()
        numbered = {name for group in uniques for name in group}
        mixins = self.project.answers.mixins
        referring = [*(ref for ref in fields if ref.target and ref.target.name != self.names.plural), *manys]
        moving = [name for mixin, name in MOVING.items() if mixin in mixins]
        body = [
            *(f'"{field.column_name}": {field.example(numbered=field.column_name in numbered)}' for field in fields),
            *(f'"{many.name}": [await add_row(connection, tables["{many.target.name}"])]' for many in manys),
        ]
        return {
            "referring": bool(referring),
            "body": body,
            "numbered": any("number" in line.partition(": ")[2] for line in body),
            "changes": [f'"{field.column_name}": {field.changed}' for field in fields if field.changed],
            "invalid": [
                *(f'("{field.column_name}", {value})' for field in fields for value in field.invalid),
                *(f'("{many.name}", {value})' for many in manys for value in ("[0]", "None")),
            ],
            "unique_columns": f"[{', '.join(repr(group) for group in uniques)}]".replace("'", '"'),
            "reference_bodies": [
                *(f'("{field.column_name}", 1_000_000)' for field in fields if field.target),
                *(f'("{many.name}", [1_000_000])' for many in manys),
            ],
            "filter_tests": [
                *(
                    f'("{f.column_name}", "{f.column_name}")'
                    for f in fields
                    if f.is_filter and f.example(numbered=True) != "None"
                ),
                *(f'("{many.column}", "{many.name}")' for many in manys),
            ],
            "moving": ", ".join(f'"{name}": changed.json()["{name}"]' for name in moving),
            "secrets": "{" + _quoted(f.column_name for f in fields if f.field.secret) + "}"
            if any(f.field.secret for f in fields)
            else "",
            "statements": 2 + len(manys),
            "found_by": searched[0] if searched else "",
        }

    def imports(self, path: str) -> str:
        """Give the imports of a file that only this resource needs."""
        names, answers = self.names, self.project.answers
        lines = []
        if path in {"models.py", "tables.py", "schemas.py"}:
            enums = [field.enum_name for field in self.fields if field.field.type == "enum"]
            lines += [f"from app.{names.plural}.enums import {', '.join(enums)}"] if enums else []
        if path == "schemas.py":
            lines += self._value_imports()
        targets = [target for target in self._targets() if target.name != names.plural]
        if path == "models.py" or path == "repository.py":  # noqa: PLR1714
            lines += [f"from {target.module} import {target.symbol}" for target in targets]
        if path == "repository.py" and self.manys and not answers.orm:
            lines += [f"from app.{names.plural}.tables import {', '.join(many.table for many in self.manys)}"]
        return "\n".join(sorted(set(lines)))

    def _value_imports(self) -> list[str]:
        """Give the imports of what annotates values."""
        is_former = self.resource.form == former.FORM
        lines = former.IMPORTS if is_former else []
        has_datetime = any(field.field.type == "datetime" for field in self.fields)
        if has_datetime and self._has_moment():
            lines = [*lines, "from app.web.schemas import Moment"]
        elif has_datetime and not is_former:
            lines = [*lines, "from app.web.moments import Moment"]
        shared = [] if is_former else [field.kind for field in self.fields if field.kind.shared]
        return [*lines, *(f"from {kind.shared} import {_first_name(kind.accepts)}" for kind in shared)]


def _first_name(annotation: str) -> str:
    """Give the name of what an annotation builds on."""
    return annotation.removeprefix("Annotated[").partition(",")[0]


def _enum(field: FieldView) -> str:
    """Give the class of an enum."""
    members = [f'    {constant(member)} = "{member}"' for member in field.field.arguments]
    return "\n".join([f"class {field.enum_name}(StrEnum):", *members])


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _listed(words: list[str]) -> str:
    return " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _merged(source: str, items: list[str]) -> str:
    return "{**" + source + ", " + ", ".join(items) + "}"


def _taken(names: Names, uniques: list[tuple[str, ...]]) -> str:
    """Give the sentence of a 409."""
    groups = [" and ".join(group) for group in uniques]
    return f"Another {names.label} has this {', or this '.join(groups)}."


def _shown(fields: list[FieldView], room: int) -> str:
    """Give what a record's representation shows beside its id, if there is room for it on the line."""
    for field in fields:
        if field.field.type in {"str", "email", "enum"} and not field.field.secret:
            shown = f", {field.column_name}={{self.{field.column_name}!r}}"
            return shown if len(f'        return f"(id={{self.id!r}}{shown})"') <= room else ""
    return ""


def _live_targets(targets: list["KnownTable"], *, soft_delete: bool) -> str:
    """Tell whether all, some or none of the tables hide what is deleted."""
    hiding = [target.is_record and soft_delete for target in targets]
    return "all" if hiding and all(hiding) else "some" if any(hiding) else "none"
