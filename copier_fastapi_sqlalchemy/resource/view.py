"""What the templates show of a resource: lines of code for each field, by what the project has chosen."""

import builtins
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from copier_fastapi_sqlalchemy.resource import former
from copier_fastapi_sqlalchemy.resource.column_view import TAKEN_SUFFIXES, FieldView, constant
from copier_fastapi_sqlalchemy.resource.errors import Refusal
from copier_fastapi_sqlalchemy.resource.fields import Field
from copier_fastapi_sqlalchemy.resource.many_view import ManyView
from copier_fastapi_sqlalchemy.resource.names import Names, singular_of
from copier_fastapi_sqlalchemy.resource.parent_view import ParentView
from copier_fastapi_sqlalchemy.resource.record import Resource
from copier_fastapi_sqlalchemy.resource.reserved import path_constant, reserved_names
from copier_fastapi_sqlalchemy.resource.shape import ROUTES, check_routes

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
        return [self._view(field) for field in self.resource.fields if field.type != "many"]

    @cached_property
    def columns(self) -> list[FieldView]:
        """The fields, and before them what refers to the parent."""
        return [self._view(self.parent.field, is_parent=True), *self.fields] if self.parent else self.fields

    def _view(self, field: Field, *, is_parent: bool = False) -> FieldView:
        return FieldView(
            field,
            self.names,
            self.project.answers,
            self._target(field) if field.type == "ref" else None,
            self.resource.form,
            indexed_apart=self.routes["lists"] if is_parent else self._has_unique_index(field),
        )

    @cached_property
    def parent(self) -> ParentView | None:
        """What the records belong to, below whose path they are."""
        name, tables = self.resource.parent, self.project.tables
        if not name:
            return None
        table = tables.get(name)
        if table is None or not table.has_generated_key or name == self.names.plural:
            known = sorted(other.name for other in tables.values() if other.has_generated_key)
            raise Refusal(
                f"Let --parent name a table that has a key `id` of its own: {', '.join(known) or 'there is none'}."
                f" {name!r} isn't one."
            )
        singular = singular_of(name)
        if name in self.project.records:
            singular = tomllib.loads(self.project.records[name])["singular"]
        return ParentView(Names(name, singular), table)

    @cached_property
    def routes(self) -> dict[str, bool]:
        """Which routes there are, as the templates name them."""
        only, mixins = self.resource.only or ROUTES, self.project.answers.mixins
        check_routes(only, mixins)
        return {
            **{f"{name}s": name in only for name in ROUTES},
            "bulk_creates": {"bulk", "create"} <= {*only},
            "bulk_deletes": {"bulk", "delete"} <= {*only},
            "restores": "soft_delete" in mixins and "delete" in only,
            "cursor": self.resource.paging == "cursor",
        }

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
        if name == self.names.plural:
            raise Refusal(
                f"Let {field.name!r} name another table than the resource's own: `many` can't refer to {name!r} itself."
            )
        target = self.project.tables.get(name)
        if target is None:
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
        return [field.target for field in self.columns if field.target] + [many.target for many in self.manys]

    def _has_moment(self) -> bool:
        """Tell whether bodies take the `Moment` of app/web/schemas.py, as those of former forms do."""
        if self.resource.form > former.WITH_NUMBERS:
            return False
        if self.project.has_moment is not None:
            return self.project.has_moment
        schemas = self.project.folder / "app/web/schemas.py"
        return "\nMoment = " in schemas.read_text(encoding="utf-8")

    def uniques(self) -> list[tuple[str, ...]]:
        """Give the columns that are unique, alone or together."""
        columns = {field.field.name: field.column_name for field in self.columns}
        columns |= {field.column_name: field.column_name for field in self.columns}
        groups: list[tuple[str, ...]] = [(field.column_name,) for field in self.fields if field.field.unique]
        for group in self.resource.unique:
            for name in group:
                if name not in columns:
                    raise Refusal(f"Name fields of the resource in --unique: {name!r} isn't one.")
            groups.append(tuple(columns[name] for name in group))
        for group in groups:
            if len(set(group)) < len(group) or sum(set(other) == set(group) for other in groups) > 1:
                raise Refusal(f"Say once that {', '.join(group)} is unique.")
            if self.parent and group == (self.parent.column,):
                raise Refusal(f"Name another field in --unique beside {self.parent.names.singular!r}.")
        return groups

    def check_resource_name(self) -> None:
        """Raise Refusal where the name of a new resource stands for something else in its code."""
        names, reserved = self.names, self._reserved() | {*dir(builtins)}
        classes = [f"{names.class_name}{suffix}" for suffix in sorted(TAKEN_SUFFIXES)]
        for name in (names.plural, names.singular, names.class_name, names.classes_name, *classes):
            if name in reserved:
                raise Refusal(
                    f"Give the resource another name, or --singular: its code uses {name!r} for something else."
                )

    def sql_names(self) -> tuple[frozenset[str], frozenset[str]]:
        """Give the names of its tables, and of their columns."""
        tables = [self.names.plural, *(many.table for many in self.manys)]
        columns = [field.column_name for field in self.columns] + [many.column for many in self.manys]
        columns += [f"{self.names.singular}_id"] if self.manys else []
        return frozenset(tables), frozenset(columns)

    def _reserved(self) -> frozenset[str]:
        return reserved_names() | ({"Index"} if self.parent else set())

    def check_field_names(self) -> None:
        """Raise Refusal where the name of a field stands for something else in the code of the resource."""
        names, reserved = self.names, self._reserved() | {*dir(builtins)}
        for many in self.manys:
            if many.one == "l" or many.field in reserved or many.field in {names.plural, names.singular}:
                raise Refusal(
                    f"Give the field {many.field!r} another name: the code of the resource uses it otherwise."
                )
        if self.parent and (given := {self.parent.names.singular, self.parent.column} & {*self._field_names()}):
            raise Refusal(f"Leave {min(given)!r} out: --parent {self.parent.names.plural} adds it.")
        fields = [(field.column_name, field.field.name) for field in self.columns]
        fields += [(name, many.field) for many in self.manys for name in (many.name, many.column, many.field)]
        for name, field in fields:
            others = [other for known, other in fields if known == name and other != field]
            if others:
                raise Refusal(f"Give {others[0]!r} or {field!r} another name: both would be {name!r} in the code.")

    def _field_names(self) -> Iterator[str]:
        for field in self.fields:
            yield field.field.name
            yield field.column_name

    def context(self) -> dict[str, Any]:
        """Give the variables of the templates."""
        names, answers, fields, manys = self.names, self.project.answers, self.fields, self.manys
        self.check_field_names()
        if not fields:
            raise Refusal("Add a field that is a column, such as title:str:200: there are associations alone.")
        uniques = self.uniques()
        soft_delete = "soft_delete" in answers.mixins
        searched = [field.column_name for field in fields if field.field.search]
        if searched and "full_text_search" not in answers.mixins:
            raise Refusal("Leave `search` out: the project doesn't have the mixin full_text_search.")
        if soft_delete and any(field.field.on_delete == "RESTRICT" for field in fields if field.target):
            raise Refusal(
                "Leave `restrict` out: with soft_delete, what is deleted stays, and no foreign key refuses that. To"
                " refuse it, override `delete` in the repository of what it refers to."
            )
        sortable = [f.column_name for f in fields if f.kind.sortable and not f.field.secret and f.field.type != "ref"]
        sortable += ["created_at", "updated_at"] if "timestamps" in answers.mixins else []
        refs = [field for field in fields if field.field.type == "ref"]
        changed_refs = [field for field in refs if not field.field.owner]
        errors = ["MissingReferenceError"] if changed_refs or manys else []
        new_errors = ["NotFoundError"] if self.parent else []
        new_errors += ["MissingReferenceError"] if refs or manys else []
        new_errors += ["DuplicateError"] if uniques else []
        errors += ["DuplicateError"] if uniques else []
        alone = {(field.column_name,) for field in fields if field.field.unique}
        together = [group for group in uniques if group not in alone]
        return {
            **answers.facts(),
            "accounts": self.project.has_accounts,
            "names": names,
            "types": {field.field.type for field in fields},
            "fields": fields,
            "columns": self.columns,
            "shown_fields": [field for field in self.columns if not field.field.secret],
            "manys": manys,
            "many_names": "{" + ", ".join(f'"{many.name}"' for many in manys) + "}",
            "refs": refs,
            "changed_refs": changed_refs,
            "patched": [field for field in fields if not field.field.owner],
            "signed": next((field.column_name for field in refs if field.field.owner), ""),
            "enums": [_enum(field) for field in fields if field.field.type == "enum"],
            "form": self.resource.form,
            "defines_moment": any(field.field.type == "datetime" for field in fields) and not self._has_moment(),
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
                "create": f"Insert {names.article} {names.label}{_raising(new_errors)}.",
                "change": f"Change the {names.label}; raise {_listed(['NotFoundError', *errors])}.",
            },
            "on_list": _statuses({400: self.routes["cursor"], 404: bool(self.parent)}),
            "on_create": _statuses({400: True, 404: bool(self.parent), 409: bool(uniques), 413: True}),
            "on_change": _statuses(
                {
                    400: True,
                    404: True,
                    409: bool(uniques),
                    412: "optimistic_locking" in answers.mixins,
                    413: True,
                }
            ),
            **self._shape(searched, refs, uniques),
            **self._tests(searched),
            "live_targets": _live_targets(
                [field.target for field in fields if field.target] + [many.target for many in manys],
                soft_delete=soft_delete,
            ),
            "created": _merged(names.singular, [f'"{many.name}": sorted(new.{many.name})' for many in manys]),
            "collected": _merged("row._asdict()", [f'"{many.name}": {many.name}[row.id]' for many in manys]),
        }

    def _shape(self, searched: list[str], refs: list[FieldView], uniques: list[tuple[str, ...]]) -> dict[str, Any]:
        """Give the variables that depend on the routes that there are."""
        names, routes, manys, parent = self.names, self.routes, self.manys, self.parent
        orm = self.project.answers.orm
        writes = routes["creates"] or routes["updates"]
        changed = [ref for ref in refs if not ref.field.owner]
        shows = any(routes[name] for name in ("reads", "lists", "creates", "updates", "restores")) or bool(searched)
        details = routes["reads"] or routes["restores"] or (routes["updates"] and not orm)
        has_fields_alone = bool(manys) and routes["bulk_creates"]
        lines = [field.query for field in self.fields if field.is_filter] + [many.query for many in manys]
        given = [f"{parent.column}={parent.column}"] if parent else []
        given += [f"{many.field}=list({many.field})" for many in manys]
        excluded = "{" + ", ".join(f'"{many.name}"' for many in manys) + "}"
        dump = f"new.model_dump(exclude={excluded})" if manys else "new.model_dump()"
        aliased = [field for field in self.fields if field.alias and (writes or (shows and field.shows_alias))]
        return {
            **routes,
            "parent": parent,
            "shows": shows,
            "details": bool(manys) and details,
            "loads": bool(manys) and (routes["lists"] or bool(searched) or details or routes["updates"]),
            "takes": bool(uniques) and (writes or (routes["restores"] and self.resource.form <= former.WITH_NUMBERS)),
            "finds": (bool(refs) and routes["creates"])
            or (bool(changed) and routes["updates"])
            or (bool(manys) and writes),
            "requires_first": bool(changed)
            and routes["updates"]
            and "optimistic_locking" in self.project.answers.mixins
            and self.project.answers.database != "sqlite"
            and self.resource.form > former.WITH_EQUAL_ROWS,
            "per_row": bool(refs) and routes["bulk_creates"] and self.resource.form > former.WITHOUT_ROWS,
            "aliases": [
                *(field.alias for field in aliased),
                *(many.alias for many in manys if writes),
            ],
            "has_fields_alone": has_fields_alone,
            "query_lines": lines,
            "query": f"{names.class_name}Query" if lines or not routes["cursor"] else "CursorQuery",
            "conditions": [many.condition for many in manys] if routes["lists"] else [],
            "selected": "statement" if lines or parent else "NEWEST",
            "row": f"{names.class_name}Public" if manys else "Row[*tuple[Any, ...]]",
            "page": "CursorPage" if routes["cursor"] else "Page",
            "at": f"/{names.path}" if parent else "",
            "collection": parent.path_of(names) if parent else "",
            "new_class": f"{names.class_name}{'Fields' if has_fields_alone else 'Create'}",
            "new_object": f"{names.class_name}({', '.join([*given, '**values' if manys else f'**{dump}'])})",
            "new_values": _with_parent(parent, dump),
            "new_rows": f"[{_with_parent(parent, f'{names.singular}.model_dump()')} for {names.singular} in new]",
        }

    def _paths(self) -> dict[str, str]:
        """Give the code of paths in tests, and of what is asserted of a list."""
        constant = path_constant(self.names, self.resource.form)
        path = f"{self.parent.names.singular}_{self.names.plural}" if self.parent else constant
        beside = path  # the path of the records that have the same parent as one that is there
        if self.parent:
            owner = f"{{{self.names.singular}['{self.parent.column}']}}"
            beside = f'f"/api/v1/{self.parent.names.path}/{owner}/{self.names.path}"'
        listed = f"(await client.get({path})).json()"
        cursor = self.routes["cursor"]
        return {
            "path": path,
            "path_beside": beside,
            "bulk_path": f'f"{{{path}}}/bulk"',
            "none_listed": f'{listed}["items"] == []' if cursor else f'{listed}["total"] == 0',
            "one_listed": f'len({listed}["items"]) == 1' if cursor else f'{listed}["total"] == 1',
        }

    def _tests(self, searched: list[str]) -> dict[str, Any]:
        """Give the variables of the templates of tests."""
        fields, manys, uniques, routes = self.fields, self.manys, self.uniques(), self.routes
        numbered = {name for group in uniques for name in group}
        kept = {self.parent.column} if self.parent else set()  # which no body has
        own = {field.column_name for field in fields if field.target and field.target.name == self.names.plural}
        groups = [
            tuple(name for name in group if name not in kept)
            for group in uniques
            if own.isdisjoint(group)  # bodies have null there, which is never taken
        ]
        nullable = {field.column_name for field in fields if field.field.nullable}
        with_change = {field.column_name for field in fields if field.changed}
        changed = [group for group in groups if with_change.issuperset(group)]
        sent = [field for field in fields if routes["creates"] or not field.field.owner]
        owners = {field.column_name for field in fields if field.field.owner}
        mixins = self.project.answers.mixins
        referring = [*(ref for ref in fields if ref.target and ref.target.name != self.names.plural), *manys]
        moving = [name for mixin, name in MOVING.items() if mixin in mixins]
        body = [
            *(f'"{field.column_name}": {field.example(numbered=field.column_name in numbered)}' for field in fields),
            *(f'"{many.name}": [await add_row(connection, tables["{many.target.name}"])]' for many in manys),
        ]
        filters = [f for f in fields if f.is_filter and f.example(numbered=True) != "None"]
        is_former = self.resource.form <= former.WITH_EQUAL_ROWS
        if not is_former:  # an enum of one value has none that another row could have
            filters = [f for f in filters if f.field.type != "enum" or f.absent]
        filter_tests = [f'("{f.column_name}", "{f.column_name}")' for f in filters]
        filter_tests += [f'("{many.column}", "{many.name}")' for many in manys]
        if not (manys or is_former):
            filter_tests = [f'"{f.column_name}"' for f in filters]
        return {
            "referring": bool(referring),
            "body": body,
            "numbered": any("number" in line.partition(": ")[2] for line in body),
            "changes": [f'"{field.column_name}": {field.changed}' for field in fields if field.changed],
            "invalid": [
                *(f'("{field.column_name}", {value})' for field in sent for value in field.invalid),
                *(f'("{many.name}", {value})' for many in manys for value in ("[0]", "None")),
            ],
            "unique_columns": f"[{', '.join(repr(group) for group in groups)}]".replace("'", '"'),
            "unique_groups": groups,
            "tests_taken": bool(changed),
            "patches_taken": routes["updates"] and not any(owners & {*group} for group in groups),
            "needs_keys": routes["lists"] or (routes["updates"] and bool(changed)),
            "uses_fixture": routes["updates"]
            or routes["deletes"]
            or (is_former and routes["lists"] and bool(filter_tests))
            or "audit_log" in mixins,
            "changed_columns": f"[{', '.join(repr(group) for group in changed)}]".replace("'", '"'),
            "reference_bodies": [
                *(f'("{field.column_name}", 1_000_000)' for field in sent if field.target),
                *(f'("{many.name}", [1_000_000])' for many in manys),
            ],
            "filter_tests": filter_tests,
            "moving": ", ".join(f'"{name}": changed.json()["{name}"]' for name in moving),
            "secrets": "{" + _quoted(f.column_name for f in fields if f.field.secret) + "}"
            if any(f.field.secret for f in fields)
            else "",
            "statements": (1 if routes["cursor"] else 2) + len(manys) + bool(self.parent),
            "found_by": searched[0] if searched else "",
            "found_column": next((f"table.c.{name}" for name in searched if name not in nullable), ""),
            "other_filters": [
                f'("{f.column_name}", {f.absent})' for f in fields if f.is_filter and not f.field.nullable and f.absent
            ],
            "rows": "rows" if manys or is_former else "bodies",
            "read_filters": [f'"{f.column_name}"' for f in fields if f.is_filter and not f.field.nullable],
            **self._paths(),
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
        if path in {"models.py", "tables.py"} and self.parent:
            lines += ["from sqlalchemy import Index"]
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
        before = former.accepts(self.resource.form)
        shared = [field.kind for field in self.fields if field.kind.shared and field.field.type not in before]
        return [*lines, *(f"from {kind.shared} import {_first_name(kind.accepts)}" for kind in shared)]


def _first_name(annotation: str) -> str:
    """Give the name of what an annotation builds on."""
    return annotation.removeprefix("Annotated[").partition(",")[0]


def _enum(field: FieldView) -> str:
    """Give the class of an enum."""
    members = [f'    {constant(member)} = "{member}"' for member in field.field.arguments]
    return "\n".join([f"class {field.enum_name}(StrEnum):", *members])


def _statuses(occurring: dict[int, bool]) -> str:
    return ", ".join(str(status) for status, can_occur in occurring.items() if can_occur)


def _raising(errors: list[str]) -> str:
    return f"; raise {_listed(errors)}" if errors else ""


def _with_parent(parent: ParentView | None, values: str) -> str:
    """Give the code of a dictionary of values, with the key of the parent."""
    return f'{{"{parent.column}": {parent.column}, **{values}}}' if parent else values


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
