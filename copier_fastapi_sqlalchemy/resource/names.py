"""The names of a resource: `order_items`, `OrderItem`, "order items"."""

import keyword
import re
from dataclasses import dataclass
from functools import cache

from copier_fastapi_sqlalchemy.resource.errors import Refusal

NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
MIN_LENGTH = 2  # l, I and O read like digits
MAX_LENGTH = 40  # with `ix_`, a column and a suffix, a constraint's name stays below PostgreSQL's 63 characters
# Singulars that inflect doesn't know.
SINGULARS = {
    "appendices": "appendix",
    "indices": "index",
    "matrices": "matrix",
    "vertices": "vertex",
}
# Packages and tables that a project has, or that mean something to the commands.
TAKEN_WORDS = frozenset(
    {
        "app",
        "audit",
        "audit_log",
        "db",
        "docs",
        "health",
        "main",
        "metadata",
        "migrations",
        "router",
        "seed",
        "settings",
    }
)
TAKEN_WORDS |= {
    "alembic_version",
    "entity",
    "record",
    "records",
    "routers",
    "rows",
    "support",
    "tables",
    "tests",
    "web",
}


@dataclass(frozen=True)
class Names:
    """What a resource and one of its records are called."""

    plural: str
    singular: str

    @property
    def class_name(self) -> str:
        """The name of a class of one record: `OrderItem`."""
        return camel(self.singular)

    @property
    def classes_name(self) -> str:
        """The name of a class of several records: `OrderItems`."""
        return camel(self.plural)

    @property
    def path(self) -> str:
        """The name in a URL: `order-items`."""
        return self.plural.replace("_", "-")

    @property
    def label(self) -> str:
        """The name of one record in a sentence: `order item`."""
        return self.singular.replace("_", " ")

    @property
    def labels(self) -> str:
        """The name of several records in a sentence: `order items`."""
        return self.plural.replace("_", " ")

    @property
    def article(self) -> str:
        """The article of `label`: `a` or `an`."""
        return str(_english().a(self.label)).split()[0]


def names_of(plural: str, singular: str | None = None) -> Names:
    """Give the names of a resource, whose name is in the plural; the singular is derived unless it is given.

    Raises:
        Refusal: a name can't be that of a Python module, or stands for something else in a project.

    """
    check_name(plural, "resource")
    if singular is None:
        words = plural.rsplit("_", 1)
        derived = SINGULARS.get(words[-1]) or _english().singular_noun(words[-1])
        if not derived or "_".join([*words[:-1], derived]) == plural:
            raise Refusal(
                f"Give the name of one record: --singular NAME ({plural!r} has the same form, or isn't a plural)."
            )
        singular = "_".join([*words[:-1], derived])
    check_name(singular, "record (--singular)")
    if singular == plural:
        raise Refusal("Give --singular another name than the resource: both are used side by side in the code.")
    return Names(plural, singular)


def singular_of(word: str) -> str:
    """Give the singular of the last word of a name, or the name where it has no other."""
    first, last = word.rpartition("_")[::2]
    singular = _english().singular_noun(last) or last
    return f"{first}_{singular}" if first else str(singular)


def check_name(name: str, what: str) -> None:
    """Raise Refusal where a name can't be that of a resource or of one of its records."""
    if not NAME.fullmatch(name) or not MIN_LENGTH <= len(name) <= MAX_LENGTH:
        limits = f"{MIN_LENGTH} to {MAX_LENGTH} letters"
        raise Refusal(f"Name the {what} in lower case, as in order_items, with {limits}: not {name!r}.")
    if keyword.iskeyword(name) or keyword.issoftkeyword(name) or name in TAKEN_WORDS:
        raise Refusal(f"Give the {what} another name: {name!r} has a meaning of its own in Python or in a project.")


def camel(name: str) -> str:
    """Give a name as a class has it: `order_items` becomes `OrderItems`."""
    return "".join(word.capitalize() for word in name.split("_"))


@cache
def _english():  # type: ignore[no-untyped-def]  # noqa: ANN202
    """Give the engine of English inflections.

    typeguard rewrites each function of the library to check its arguments, which takes two seconds: it is left out.
    """
    import typeguard  # noqa: PLC0415

    typechecked = typeguard.typechecked
    typeguard.typechecked = lambda function: function  # type: ignore[assignment]
    try:
        import inflect  # noqa: PLC0415

        return inflect.engine()
    finally:
        typeguard.typechecked = typechecked
