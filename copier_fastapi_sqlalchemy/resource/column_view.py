"""Lines of code about a field that is a column."""

import builtins
from dataclasses import dataclass
from typing import TYPE_CHECKING

from copier_fastapi_sqlalchemy.resource import former
from copier_fastapi_sqlalchemy.resource.fields import Field
from copier_fastapi_sqlalchemy.resource.names import Names, camel
from copier_fastapi_sqlalchemy.resource.record import FORM
from copier_fastapi_sqlalchemy.resource.samples import another, example, varied
from copier_fastapi_sqlalchemy.resource.types import TYPES, Kind, default_of, length_of

if TYPE_CHECKING:
    from copier_fastapi_sqlalchemy.resource.project import Answers, KnownTable

# Names that a module of a resource imports or defines, which no annotation of a field can have.
TAKEN_WORDS = """
Any Annotated Decimal UUID Field Id Ids Input Moment Output Patchable PathId Record Text Page Json Query
Select Table Column Row Sequence Collection Entity Book Literal Path Request Response Date Time Interval Uuid
Enum String Integer Base64 JsonObject PlainDecimal TimeOfDay Url Email I O
"""
# What follows the name of a record in the names of a resource's classes.
TAKEN_SUFFIXES = frozenset(
    {"Columns", "Create", "Fields", "Patch", "Public", "Query", "Search", "BulkCreate", "BulkDelete", "Repository"}
)
TAKEN_ALIASES = frozenset(dir(builtins)) | frozenset(TAKEN_WORDS.split())


@dataclass(frozen=True)
class FieldView:
    """Lines of code about a field that is a column."""

    field: Field
    names: Names
    answers: "Answers"
    target: "KnownTable | None" = None  # what a `ref` refers to
    form: int = FORM
    indexed_apart: bool = False  # by an index beside its column

    @property
    def referred(self) -> "KnownTable":
        """The table that a `ref` refers to."""
        if self.target is None:
            raise TypeError(f"{self.field.name} isn't a ref")
        return self.target

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
        words |= {"digits": _digits(*given) if field.type == "decimal" else ""}
        return words | {"first": given[0] if given else "", "last": given[-1] if given else "", "word": word}

    @property
    def enum_name(self) -> str:
        """The name of its enum's class."""
        name = camel(self.field.name)
        return f"{self.names.class_name}{name}{'Value' if name in TAKEN_SUFFIXES else ''}"

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
            is_class = answers.orm and self.referred.name != self.names.plural
            key = f"{self.referred.symbol}.id" if is_class else f'"{self.referred.name}.id"'
            arguments += [] if answers.orm else ["Key"]
            arguments += [f'ForeignKey({key}, ondelete="{field.on_delete}")']
        else:
            columns = self.kind.columns or {}
            arguments += [self.fill(columns.get(answers.database, self.kind.column))]
        if field.unique and "soft_delete" not in answers.mixins:
            arguments += ["unique=True"]
        elif not self.indexed_apart and ("index" in field.options or field.type == "ref"):
            arguments += ["index=True"]
        replaces_null = field.nullable and answers.orm and self.form != former.FORM
        if self.default is not None and not replaces_null:
            arguments += [f"default={self.default}"]
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
    def annotation(self) -> str:
        """The annotation of its values in bodies."""
        return self.fill(former.accepts(self.form).get(self.field.type, self.kind.accepts))

    @property
    def accepts(self) -> str:
        """What annotates it in a body: the name of an alias, where that is long."""
        return self.alias_name if self.alias else self.annotation

    @property
    def alias_name(self) -> str:
        """The name of the alias of what bodies can have."""
        name = camel(self.field.name)
        taken = name in TAKEN_ALIASES or name.startswith(self.names.class_name)
        taken &= name not in former.free_aliases(self.form)
        return self.names.class_name + name + "Value" if taken else name

    @property
    def alias(self) -> str:
        """The line that defines the alias, or nothing."""
        return f"{self.alias_name} = {self.annotation}" if self.annotation.startswith("Annotated") else ""

    @property
    def shows_alias(self) -> bool:
        """Whether responses are annotated with its alias."""
        return self.kind.shows_as_accepted and not self.field.secret

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
        return varied(self.field) if self.form > former.WITH_EQUAL_ROWS else example(self.field, numbered=numbered)

    @property
    def changed(self) -> str:
        """The code of another value, or nothing."""
        return "" if self.target is not None else another(self.field)

    @property
    def absent(self) -> str:
        """The code of a value of a filter that no row made up by a test has, or nothing."""
        field = self.field
        if self.target is not None:
            return "1_000_000"
        if field.type == "bool":
            return str((field.default or "").lower() == "false")
        if field.type == "enum":
            present = field.default or field.arguments[0]
            return next((f'"{member}"' for member in field.arguments if member != present), "")
        return self.changed

    @property
    def invalid(self) -> list[str]:
        """The code of values that a body can't have."""
        values = [self.fill(self.kind.invalid)]
        if self.field.type == "str":
            values += [f'"x" * {length_of(self.field) + 1}']
        if self.field.type in {"date", "datetime", "time", "interval"} and self.form > former.WITH_NUMBERS:
            values += ["0", '"86400"']
        return values if self.field.nullable else [*values, "None"]

    @property
    def is_filter(self) -> bool:
        """Whether lists can be filtered by it."""
        indexed = self.field.options & {"unique", "index"}
        return bool(self.kind.filter) and not self.field.secret and bool(indexed or self.kind.always_filtered)

    @property
    def query(self) -> str:
        """Its line in the parameters of a list."""
        annotation = former.filters(self.form).get(self.field.type, self.kind.filter)
        return f"{self.column_name}: {self.fill(annotation)} | None = None"

    def check(self, keys: str) -> str:
        """Give the code that requires what it refers to."""
        call = "_find" if self.answers.orm else "_require"
        symbol = (
            self.names.class_name
            if self.answers.orm and self.referred.name == self.names.plural
            else self.referred.symbol
        )
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
        if self.form > former.WITHOUT_ROWS:
            return self.check(f"[{one}.{name} for {one} in new], per_row=True")
        condition = f" if {one}.{name} is not None" if self.field.nullable else ""
        return self.check(f"{{{one}.{name} for {one} in new{condition}}}")


def constant(member: str) -> str:
    """Give the name of an enum's member: `in-print` becomes `IN_PRINT`."""
    return member.replace("-", "_").upper()


def _digits(digits: str, decimals: str) -> str:
    """Give the limits of a decimal number; pydantic counts a digit before the point, also in 0."""
    return (
        f"decimal_places={decimals}, gt=-1, lt=1"
        if digits == decimals
        else f"max_digits={digits}, decimal_places={decimals}"
    )
