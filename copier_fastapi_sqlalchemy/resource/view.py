"""What the templates show of a resource: lines of code for each field, by what the project has chosen."""

import builtins
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from copier_fastapi_sqlalchemy.resource.errors import Refusal
from copier_fastapi_sqlalchemy.resource.fields import Field
from copier_fastapi_sqlalchemy.resource.names import Names, camel, singular_of
from copier_fastapi_sqlalchemy.resource.record import Resource
from copier_fastapi_sqlalchemy.resource.samples import another, example
from copier_fastapi_sqlalchemy.resource.types import TYPES, Kind, default_of, length_of

if TYPE_CHECKING:
    from copier_fastapi_sqlalchemy.resource.project import Answers, KnownTable, Project

# Names that a module of a resource imports or defines, which no annotation of a field can have.
TAKEN_ALIASES = frozenset(
    "Any Annotated Decimal UUID Field Id Ids Input Moment Output Patchable PathId Record Text Page Json Query Select Table "
    "Column Row Sequence Collection Entity Book Literal Path Request Response Date Time Interval Uuid Enum String Integer".split()
) | frozenset(dir(builtins))

# What moves with each write, by the mixin that adds it.
MOVING = {"timestamps": "updated_at", "optimistic_locking": "version"}


@dataclass(frozen=True)
class FieldView:
    """Lines of code about a field that is a column."""

    field: Field
    names: Names
    answers: "Answers"
    target: "KnownTable | None" = None

    @property
    def kind(self) -> Kind:
        """What is known of the field's type."""
        return TYPES[self.field.type]

    @property
    def column_name(self) -> str:
        """The name of its column, and in bodies."""
        name = self.field.name
        return f"{name}_id" if self.field.type == "ref" and not name.endswith("_id") else name

    @property
    def words(self) -> dict[str, str]:
        """What stands for the placeholders in the table of types."""
        field, given = self.field, self.field.arguments
        longest = max(map(len, given), default=0)
        word = field.name.replace("_", " ").capitalize()
        words = {"0": given[0] if given else "", "1": given[1] if len(given) > 1 else "", "n": "number"}
        words |= {"length": str(length_of(field)) if field.type == "str" else "", "class": self.enum_name}
        words |= {"enum_length": f", length={longest}" if longest > 20 else ""}  # noqa: PLR2004
        return words | {"first": given[0] if given else "", "last": given[-1] if given else "", "word": word}

    @property
    def enum_name(self) -> str:
        """The name of its enum's class."""
        return self.names.class_name + camel(self.field.name)

    def fill(self, code: str) -> str:
        """Put the field's words into code of the table of types."""
        for placeholder, word in self.words.items():
            code = code.replace("{" + placeholder + "}", word)
        return code

    @property
    def python(self) -> str:
        """The type of its attribute."""
        return self.fill(self.kind.python) + (" | None" if self.field.nullable else "")

    @property
    def default(self) -> str | None:
        """The source code of its default."""
        if self.field.default is None:
            return None
        code = default_of(self.field)
        return f"{self.enum_name}.{constant(code)}" if self.field.type == "enum" else code

    @property
    def column_arguments(self) -> list[str]:
        """The arguments of its column, but for what tells ORM and Core apart."""
        field, answers = self.field, self.answers
        arguments = []
        if field.type == "ref":
            assert self.target is not None
            is_class = answers.orm and self.target.name != self.names.plural
            key = f"{self.target.symbol}.id" if is_class else f'"{self.target.name}.id"'
            arguments += [] if answers.orm else ["Key"]
            arguments += [f'ForeignKey({key}, ondelete="{field.on_delete}")']
        else:
            columns = self.kind.columns or {}
            arguments += [self.fill(columns.get(answers.database, self.kind.column))]
        if field.unique and "soft_delete" not in answers.mixins:
            arguments += ["unique=True"]
        elif "index" in field.options or field.type == "ref":
            arguments += ["index=True"]
        arguments += [f"default={self.default}"] if self.default is not None else []
        return arguments + (["info=SECRET"] if field.secret and "audit_log" in answers.mixins else [])

    @property
    def mapped(self) -> str:
        """Its attribute in a mapped class."""
        return f"{self.column_name}: Mapped[{self.python}] = mapped_column({', '.join(self.column_arguments)})"

    @property
    def core(self) -> str:
        """Its attribute in the columns of a table."""
        return f"{self.column_name}: Named[{self.python}] = Column({', '.join(self.column_arguments)})"

    @property
    def accepts(self) -> str:
        """What annotates it in a body: the name of an alias, where that is long."""
        code = self.fill(self.kind.accepts)
        return self.alias_name if code.startswith("Annotated") else code

    @property
    def alias_name(self) -> str:
        """The name of the alias of what bodies can have."""
        name = camel(self.field.name)
        taken = name in TAKEN_ALIASES or name.startswith(self.names.class_name)
        return self.names.class_name + name + "Value" if taken else name

    @property
    def alias(self) -> str:
        """The line that defines the alias, or nothing."""
        code = self.fill(self.kind.accepts)
        return f"{self.alias_name} = {code}" if code.startswith("Annotated") else ""

    @property
    def create(self) -> str:
        """Its line in the body of a new record."""
        if self.field.nullable:
            default = "None" if self.default is None else self.default
            return f"{self.column_name}: {self.accepts} | None = {default}"
        return f"{self.column_name}: {self.accepts}" + (f" = {self.default}" if self.default is not None else "")

    @property
    def patch(self) -> str:
        """Its line in the body of a change."""
        annotation = f"{self.accepts} | None" if self.field.nullable else f"Patchable[{self.accepts}]"
        return f"{self.column_name}: {annotation} = None"

    @property
    def public(self) -> str:
        """Its line in the body of a response."""
        annotation = self.accepts if self.kind.shows_as_accepted else self.fill(self.kind.python)
        return f"{self.column_name}: {annotation}" + (" | None" if self.field.nullable else "")

    def example(self, *, numbered: bool) -> str:
        """Give the code of a value that a body can have; by `number`, if that makes it unique."""
        if self.target is not None:
            is_own = self.target.name == self.names.plural
            return "None" if is_own else f'await add_row(connection, tables["{self.target.name}"])'
        return example(self.field, numbered=numbered)

    @property
    def changed(self) -> str:
        """The code of another value, or nothing."""
        return "" if self.target is not None else another(self.field)

    @property
    def invalid(self) -> list[str]:
        """The code of values that a body can't have."""
        values = [self.fill(self.kind.invalid)]
        if self.field.type == "str":
            values += [f'"x" * {length_of(self.field) + 1}']
        return values if self.field.nullable else [*values, "None"]

    @property
    def is_filter(self) -> bool:
        """Whether lists can be filtered by it."""
        indexed = self.field.options & {"unique", "index"}
        return bool(self.kind.filter) and not self.field.secret and bool(indexed or self.kind.always_filtered)

    @property
    def query(self) -> str:
        """Its line in the parameters of a list."""
        return f"{self.column_name}: {self.fill(self.kind.filter)} | None = None"

    def check(self, keys: str) -> str:
        """Give the code that requires what it refers to."""
        assert self.target is not None
        call = "_find" if self.answers.orm else "_require"
        symbol = self.names.class_name if self.answers.orm and self.target.name == self.names.plural else self.target.symbol
        return f'await self.{call}("{self.column_name}", {symbol}, {keys})'

    @property
    def check_new(self) -> str:
        """The check of a new record's reference."""
        value = f"new.{self.column_name}"
        check = self.check(f"[{value}]")
        return f"if {value} is not None:\n    {check}" if self.field.nullable else check

    @property
    def check_change(self) -> str:
        """The check of a changed reference."""
        value = f"changes.{self.column_name}"
        return f"if {value} is not None:\n    {self.check(f'[{value}]')}"

    @property
    def check_all(self) -> str:
        """The check of many new records' references."""
        one, name = self.names.singular, self.column_name
        condition = f" if {one}.{name} is not None" if self.field.nullable else ""
        return self.check(f"{{{one}.{name} for {one} in new{condition}}}")


@dataclass(frozen=True)
class ManyView:
    """Lines of code about an association with many records of another table."""

    source: Field
    names: Names
    answers: "Answers"
    target: "KnownTable"

    @property
    def field(self) -> str:
        """The name of the relationship: `tags`."""
        return self.source.name

    @property
    def one(self) -> str:
        """The name of one of them: `tag`."""
        return singular_of(self.source.name)

    @property
    def column(self) -> str:
        """The column of the association table: `tag_id`, which is the name of a filter too."""
        return f"{self.one}_id"

    @property
    def name(self) -> str:
        """The name in bodies: `tag_ids`."""
        return f"{self.one}_ids"

    @property
    def words(self) -> str:
        """The name in a sentence."""
        return self.source.name.replace("_", " ")

    @property
    def table(self) -> str:
        """The association table: `book_tags`."""
        return f"{self.names.singular}_{self.source.name}"

    @property
    def class_name(self) -> str:
        """The class of the association table's columns."""
        return f"{self.names.class_name}{camel(self.one)}Columns"

    @property
    def core_class(self) -> str:
        """The first line of that class."""
        return f"class {self.class_name}(TypedColumns):"

    @property
    def core(self) -> str:
        """The column of the association table that refers to the others."""
        key = f'ForeignKey("{self.target.name}.id", ondelete="CASCADE")'
        return f"{self.column}: Named[int] = Column(Key, {key}, primary_key=True, index=True)"

    @property
    def mapped(self) -> str:
        """The same, beside a mapped class."""
        key = f'ForeignKey({self.target.symbol}.id, ondelete="CASCADE")'
        return f'Column("{self.column}", {key}, primary_key=True, index=True)'

    @property
    def relationship(self) -> str:
        """The attribute of a mapped class."""
        symbol = self.target.symbol
        options = f'secondary={self.table}, order_by={symbol}.id, passive_deletes=True, lazy="raise"'
        return f"{self.field}: Mapped[list[{symbol}]] = relationship({options})"

    @property
    def alias_name(self) -> str:
        """The name of the annotation of a list of keys."""
        return f"{camel(self.one)}Ids"

    @property
    def alias(self) -> str:
        """The line that defines it."""
        return f"{self.alias_name} = Annotated[list[Id], Field(max_length=100), AfterValidator(without_duplicates)]"

    @property
    def create(self) -> str:
        """Its line in the body of a new record."""
        return f"{self.name}: {self.alias_name} = Field(default_factory=list)"

    @property
    def patch(self) -> str:
        """Its line in the body of a change."""
        return f"{self.name}: Patchable[{self.alias_name}] = None"

    @property
    def public(self) -> str:
        """Its line in the body of a response."""
        return f"{self.name}: list[int]"

    @property
    def query(self) -> str:
        """Its line in the parameters of a list."""
        return f"{self.column}: PathId | None = None"

    @property
    def load(self) -> str:
        """The option that loads the relationship."""
        return f"selectinload({self.names.class_name}.{self.field})"

    @property
    def condition(self) -> str:
        """The code that filters a list."""
        own, column = self.names, self.column
        if self.answers.orm:
            condition = f"{own.class_name}.{self.field}.any({self.target.symbol}.id == query.{column})"
            return f"if query.{column} is not None:\n    statement = statement.where({condition})"
        keys = f"select({self.table}.c.{own.singular}_id).where({self.table}.c.{column} == query.{column})"
        return (
            f"if query.{column} is not None:\n    with_{self.one} = {keys}\n"
            f"    statement = statement.where({own.plural}.c.id.in_(with_{self.one}))"
        )

    @property
    def find_new(self) -> str:
        """The line that finds what a new record is to have (ORM)."""
        return f'{self.field} = await self._find("{self.name}", {self.target.symbol}, new.{self.name})'

    @property
    def insert_new(self) -> str:
        """The line that inserts what a new record is to have (Core)."""
        own = self.names.singular
        return f'await self._replace({self.table}, {own}["id"], {self.table}.c.{self.column}, new.{self.name})'

    @property
    def require_new(self) -> str:
        """The line that requires what a new record is to have (Core)."""
        return f'await self._require("{self.name}", {self.target.symbol}, new.{self.name})'

    @property
    def replace(self) -> str:
        """The code that replaces what a record has."""
        one = self.names.singular
        value = f"changes.{self.name}"
        if self.answers.orm:
            touch = f"\n    {one}.touch()  # a {self.names.label} changes with its {self.words}" if self.answers.touched else ""
            found = f'list(await self._find("{self.name}", {self.target.symbol}, {value}))'
            return f"if {value} is not None:\n    {one}.{self.field} = {found}{touch}"
        require = f'await self._require("{self.name}", {self.target.symbol}, {value})'
        replace = f"await self._replace({self.table}, {one}_id, {self.table}.c.{self.column}, {value})"
        return f"if {value} is not None:\n    {require}\n    {replace}"

    @property
    def collect(self) -> str:
        """The code that reads the keys of a page's records (Core)."""
        own, table, column = f"{self.names.singular}_id", self.table, self.column
        live = "soft_delete" in self.answers.mixins and self.target.is_record
        target = self.target.symbol
        statement = f"select({table}).where({table}.c.{own}.in_(keys)).order_by({table}.c.{column})"
        if live:
            statement = (
                f"select({table}).join({target}).where(is_live({target}), {table}.c.{own}.in_(keys))"
                f".order_by({table}.c.{column})"
            )
        return (
            f"{self.name}: dict[int, list[int]] = defaultdict(list)\n"
            f"statement = {statement}\n"
            f"for {own}, {column} in await self.connection.execute(statement):\n"
            f"    {self.name}[{own}].append({column})"
        )


def constant(member: str) -> str:
    """Give the name of an enum's member: `in-print` becomes `IN_PRINT`."""
    return member.replace("-", "_").upper()


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
            FieldView(field, self.names, self.project.answers, self._target(field) if field.type == "ref" else None)
            for field in self.resource.fields
            if field.type != "many"
        ]

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
            raise Refusal(f"Let {field.name!r} refer to a table of the project: {known or 'there is none'}. {name!r} isn't one.")
        if not target.has_generated_key:
            raise Refusal(f"Let {field.name!r} refer to another table: {name!r} has no key `id` of its own.")
        return target

    def _has_moment(self) -> bool:
        schemas = self.project.folder / "app/web/schemas.py"
        return "\nMoment = " in schemas.read_text(encoding="utf-8")

    def uniques(self) -> list[tuple[str, ...]]:
        """Give the columns that are unique, alone or together."""
        columns = {field.field.name: field.column_name for field in self.fields}
        columns |= {field.column_name: field.column_name for field in self.fields}
        groups = [(field.column_name,) for field in self.fields if field.field.unique]
        for group in self.resource.unique:
            for name in group:
                if name not in columns:
                    raise Refusal(f"Name fields of the resource in --unique: {name!r} isn't one.")
            groups.append(tuple(columns[name] for name in group))
        return groups

    def context(self) -> dict[str, Any]:
        """Give the variables of the templates."""
        names, answers, fields, manys = self.names, self.project.answers, self.fields, self.manys
        uniques = self.uniques()
        soft_delete = "soft_delete" in answers.mixins
        searched = [field.column_name for field in fields if field.field.search]
        if searched and "full_text_search" not in answers.mixins:
            raise Refusal("Leave `search` out: the project doesn't have the mixin full_text_search.")
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
            "not_many": f'!= "{manys[0].name}"' if len(manys) == 1 else f"not in {{{_quoted(many.name for many in manys)}}}",
            "many_arguments": ", ".join(f"{many.field}=list({many.field})" for many in manys),
            "refs": refs,
            "enums": [_enum(field) for field in fields if field.field.type == "enum"],
            "defines_moment": any(field.field.type == "datetime" for field in fields) and not self._has_moment(),
            "aliases": [field.alias for field in fields if field.alias],
            "filters": [field for field in fields if field.is_filter],
            "sortable": sortable,
            "sort_example": ",".join([f"-{sortable[0]}", "id"] if sortable else ["-id"]),
            "uniques": uniques,
            "taken": _taken(names, uniques),
            "constraints": [] if soft_delete else [f"UniqueConstraint({_quoted(group)})" for group in together],
            "unique_among_live": [_quoted(group) for group in uniques] if soft_delete else [],
            "searched": _quoted(searched),
            "shown": _shown(fields),
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
            "live_targets": _live_targets([field.target for field in [*refs, *manys]], soft_delete=soft_delete),
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
        return {
            "referring": bool(referring),
            "body": [
                *(f'"{field.column_name}": {field.example(numbered=field.column_name in numbered)}' for field in fields),
                *(f'"{many.name}": [await add_row(connection, tables["{many.target.name}"])]' for many in manys),
            ],
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
                *(f'("{f.column_name}", "{f.column_name}")' for f in fields if f.is_filter and f.example(numbered=True) != "None"),
                *(f'("{many.column}", "{many.name}")' for many in manys),
            ],
            "moving": f"({''.join(f'{_quoted([name])}, ' for name in moving)})" if moving else "",
            "secrets": "{" + _quoted(f.column_name for f in fields if f.field.secret) + "}" if any(f.field.secret for f in fields) else "",
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
        if path == "schemas.py" and any(field.field.type == "datetime" for field in self.fields) and self._has_moment():
            lines += ["from app.web.schemas import Moment"]
        targets = [field.target for field in [*self.fields, *self.manys] if field.target and field.target.name != names.plural]
        if path == "models.py" or path == "repository.py":  # noqa: PLR1714
            lines += [f"from {target.module} import {target.symbol}" for target in targets]
        if path == "repository.py" and self.manys and not answers.orm:
            lines += [f"from app.{names.plural}.tables import {', '.join(many.table for many in self.manys)}"]
        return "\n".join(sorted(set(lines)))


def _enum(field: FieldView) -> dict[str, Any]:
    members = [f'{constant(member)} = "{member}"' for member in field.field.arguments]
    return {"head": f"class {field.enum_name}(StrEnum):", "members": members}


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


def _shown(fields: list[FieldView]) -> str:
    """Give what a record's representation shows beside its id."""
    for field in fields:
        if field.field.type in {"str", "email", "enum"} and not field.field.secret:
            return f", {field.column_name}={{self.{field.column_name}!r}}"
    return ""


def _live_targets(targets: list["KnownTable | None"], *, soft_delete: bool) -> str:
    """Tell whether all, some or none of the tables hide what is deleted."""
    hiding = [target is not None and target.is_record and soft_delete for target in targets]
    return "all" if hiding and all(hiding) else "some" if any(hiding) else "none"
