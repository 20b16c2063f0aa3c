"""What a resource was asked for, as its project remembers it in `app/books/resource.toml`."""

import tomllib
from dataclasses import dataclass

from copier_fastapi_sqlalchemy.resource import former
from copier_fastapi_sqlalchemy.resource.errors import Refusal
from copier_fastapi_sqlalchemy.resource.fields import Field, parse_fields
from copier_fastapi_sqlalchemy.resource.names import Names, names_of
from copier_fastapi_sqlalchemy.resource.project import RECORD, Answers, answers_of
from copier_fastapi_sqlalchemy.resource.shape import PAGINGS, parse_only, parse_paging

# Of the files that are written now; a record of 1.1.0 has none.
FORM = former.NOW
HEADER = "# What `copier-fastapi-sqlalchemy resource` made this package from.\n"
ANSWERS = "\n# The project's answers then: `resource refresh` brings it to those of now.\n[answers]\n"


@dataclass(frozen=True)
class Resource:
    """A resource: its names, its fields, and which of them are unique together."""

    names: Names
    fields: tuple[Field, ...]
    unique: tuple[tuple[str, ...], ...] = ()
    answers: Answers | None = None  # of the project, when its files were written
    form: int = FORM  # in which its files were written
    only: tuple[str, ...] = ()  # the routes that it has, of all that there are
    paging: str = PAGINGS[0]
    parent: str = ""  # the table below whose path it is

    @property
    def owner(self) -> Field | None:
        """The field that has the user whom a record belongs to."""
        return next((field for field in self.fields if field.owner), None)

    @property
    def options(self) -> list[str]:
        """The options with which it is asked for, beside its fields."""
        texts = [f"--unique {','.join(group)}" for group in self.unique]
        texts += [f"--parent {self.parent}"] if self.parent else []
        texts += [f"--only {','.join(self.only)}"] if self.only else []
        return texts + ([f"--paging {self.paging}"] if self.paging != PAGINGS[0] else [])

    def to_toml(self) -> str:
        """Give the text of the record."""
        lines = [HEADER] + ([] if self.form == former.FORM else [f"form = {self.form}\n"])
        lines += [f'plural = "{self.names.plural}"\nsingular = "{self.names.singular}"\nfields = [\n']
        lines += [f"    {_literal(field.text)},\n" for field in self.fields]
        lines += ["]\n"]
        if self.unique:
            lines += ["unique = [\n", *(f"    [{', '.join(map(_literal, names))}],\n" for names in self.unique), "]\n"]
        lines += [f"only = [{', '.join(map(_literal, self.only))}]\n"] if self.only else []
        lines += [f"paging = {_literal(self.paging)}\n"] if self.paging != PAGINGS[0] else []
        lines += [f"parent = {_literal(self.parent)}\n"] if self.parent else []
        if self.answers:
            lines += [ANSWERS, *answer_lines(self.answers)]
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
        answers = answers_of(record["answers"], RECORD) if "answers" in record else None
        form = int(record.get("form", former.FORM))
        if form > FORM:
            raise Refusal(f"Use a newer version of this command: it doesn't know form {form} of {RECORD}.")
        only = parse_only(",".join(record["only"])) if "only" in record else ()
        paging, parent = parse_paging(record.get("paging")), str(record.get("parent", ""))
        return Resource(names, parse_fields(record["fields"]), unique, answers, form, only, paging, parent)
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise Refusal(f"Restore resource.toml from your history: it can't be read ({error}).") from None


def answer_lines(answers: Answers) -> list[str]:
    """Give the lines of a record that say what it was written for."""
    choices = {"database": answers.database, "io": answers.io, "data_access": answers.data_access}
    lines = [f"{key} = {_literal(value)}\n" for key, value in choices.items()]
    return [*lines, f"mixins = [{', '.join(map(_literal, answers.mixins))}]\n"]


def _literal(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
