"""The variants of the template, computed from the questions in copier.yml."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from itertools import chain, combinations, product
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
BARE = "bare"
PLAIN = "plain"
PAIR = 2


@cache
def questions() -> dict[str, dict[str, Any]]:
    """Give copier.yml's questions by key, those that are computed left out."""
    document = yaml.safe_load((ROOT / "copier.yml").read_text(encoding="utf-8"))
    return {
        key: question
        for key, question in document.items()
        if not key.startswith("_") and question.get("when") is not False
    }


@cache
def choices(key: str) -> tuple[str, ...]:
    """Give the values that the question `key` can be answered with, in copier.yml's order."""
    declared = questions()[key]["choices"]
    return tuple(declared.values() if isinstance(declared, dict) else declared)


def check_keys(answers: Iterable[str]) -> None:
    """Refuse a key that copier.yml doesn't ask for: Copier itself would ignore it.

    Raises:
        ValueError: a key is no question's.

    """
    unknown = sorted(set(answers) - set(questions()))
    if unknown:
        message = f"copier.yml asks no {', '.join(unknown)}: it asks {', '.join(questions())}."
        raise ValueError(message)


@dataclass(frozen=True, order=True)
class Variant:
    """One combination of the answers that change the service's code."""

    database: str
    io: str
    data_access: str
    mixins: tuple[str, ...] = ()
    example: bool = True

    @property
    def id(self) -> str:
        """Name the variant, such as `postgresql-async-orm-timestamps` or `sqlite-sync-core-plain-bare`."""
        parts = [self.database, self.io, self.data_access, "+".join(self.mixins) or PLAIN]
        return "-".join(parts if self.example else [*parts, BARE])

    @property
    def base(self) -> str:
        """Name the base variant, such as `postgresql-async-orm`."""
        return f"{self.database}-{self.io}-{self.data_access}"

    @property
    def answers(self) -> dict[str, Any]:
        """Give the answers to pass to Copier."""
        return {
            "database": self.database,
            "io": self.io,
            "data_access": self.data_access,
            "mixins": list(self.mixins),
            "example": self.example,
        }

    @classmethod
    def parse(cls, text: str) -> "Variant":
        """Read the variant back from its id.

        Raises:
            ValueError: a part of `text` is no choice of its question.

        """
        parts = text.split("-")
        bare = parts[-1] == BARE
        values = parts[:-1] if bare else parts
        if len(values) != len(("database", "io", "data_access", "mixins")):
            message = f"{text} is no variant: write DATABASE-IO-DATA_ACCESS-MIXINS, such as {all_variants()[0].id}."
            raise ValueError(message)
        database, io, data_access, joined = values
        mixins = () if joined == PLAIN else tuple(joined.split("+"))
        _check("database", [database])
        _check("io", [io])
        _check("data_access", [data_access])
        _check("mixins", mixins, PLAIN)
        ordered = tuple(name for name in choices("mixins") if name in mixins)
        return cls(database, io, data_access, ordered, not bare)


def _check(key: str, values: Iterable[str], *others: str) -> None:
    allowed = choices(key)
    for value in values:
        if value not in allowed:
            message = f"{value or 'nothing'} is no {key}: choose from {', '.join([*allowed, *others])}."
            raise ValueError(message)


@cache
def all_variants() -> tuple[Variant, ...]:
    """Give every variant, with and without the example."""
    names = choices("mixins")
    subsets = chain.from_iterable(combinations(names, size) for size in range(len(names), -1, -1))
    combined = product(choices("database"), choices("io"), choices("data_access"), list(subsets), [True, False])
    return tuple(Variant(*values) for values in combined)


def is_default(variant: Variant) -> bool:
    """Tell whether `variant` is what a base variant is with copier.yml's other defaults."""
    default = questions()["mixins"]["default"]
    return variant.example and list(variant.mixins) == default


def is_end(variant: Variant) -> bool:
    """Tell whether `variant` has no mixin or all of them."""
    return len(variant.mixins) in {0, len(choices("mixins"))}


def is_covering(variant: Variant) -> bool:
    """Tell whether `variant` is of those in which each pair of mixins is, and isn't: none, each, every two, all."""
    return len(variant.mixins) <= PAIR or is_end(variant)


def is_sampling(variant: Variant) -> bool:
    """Tell whether `variant` is of those in which each mixin is, and isn't: none, each alone, all."""
    return len(variant.mixins) == 1 or is_end(variant)


SELECTIONS: dict[str, Callable[["Variant"], bool]] = {
    "all": lambda _: True,
    "example": lambda variant: variant.example,
    "bare": lambda variant: not variant.example,
    "base": is_default,
    "ends": lambda variant: variant.example and is_end(variant),
    "sampling": lambda variant: variant.example and is_sampling(variant),
    "covering": lambda variant: variant.example and is_covering(variant),
}


def select(text: str) -> tuple[Variant, ...]:
    """Give the variants that `text` names: ids or the names of selections, joined with commas.

    Raises:
        ValueError: a name is neither a selection nor a variant.

    """
    chosen: dict[Variant, None] = {}
    for name in filter(None, (part.strip() for part in text.split(","))):
        if name in SELECTIONS:
            chosen |= dict.fromkeys(filter(SELECTIONS[name], all_variants()))
        else:
            chosen[Variant.parse(name)] = None
    return tuple(chosen)
