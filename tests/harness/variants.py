"""The variants of the template, computed from the questions in copier.yml."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cache
from itertools import chain, combinations, product
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
BARE = "bare"
PLAIN = "plain"
NO_AUTH = "none"
OIDC = "oidc"
PASSWORD = "password"


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
    auth: str = NO_AUTH

    @property
    def id(self) -> str:
        """Name the variant, such as `postgresql-async-orm-timestamps` or `sqlite-sync-core-plain-password-bare`."""
        parts = [self.database, self.io, self.data_access, "+".join(self.mixins) or PLAIN]
        parts += [self.auth] if self.auth != NO_AUTH else []
        return "-".join(parts if self.example else [*parts, BARE])

    @property
    def base(self) -> str:
        """Name the base variant, such as `postgresql-async-orm`."""
        return f"{self.database}-{self.io}-{self.data_access}"

    @property
    def is_base(self) -> bool:
        """Tell whether this is what a base variant is with copier.yml's other defaults."""
        return self.example and self.auth == NO_AUTH and list(self.mixins) == questions()["mixins"]["default"]

    @property
    def answers(self) -> dict[str, Any]:
        """Give the answers to pass to Copier."""
        return {
            "database": self.database,
            "io": self.io,
            "data_access": self.data_access,
            "mixins": list(self.mixins),
            "example": self.example,
            "auth": self.auth,
        }


@cache
def all_variants() -> tuple[Variant, ...]:
    """Give every variant, with and without the example."""
    names = choices("mixins")
    subsets = chain.from_iterable(combinations(names, size) for size in range(len(names), -1, -1))
    combined = product(choices("database"), choices("io"), choices("data_access"), list(subsets), [True, False])
    return tuple(Variant(*values) for values in combined)


@cache
def variants_with_auth() -> tuple[Variant, ...]:
    """Give every variant with each way to authenticate, which `select` finds by its name alone."""
    values = [value for value in choices("auth") if value != NO_AUTH]
    return tuple(replace(variant, auth=value) for variant in all_variants() for value in values)


def select(patterns: str) -> tuple[Variant, ...]:
    """Give the variants whose names match one of `patterns`, joined with commas, such as `sqlite-*-plain`.

    Raises:
        ValueError: a pattern matches no variant.

    """
    chosen: dict[Variant, None] = {}
    for pattern in patterns.split(","):
        named = pattern.strip()
        has_auth = not {*choices("auth")}.isdisjoint(named.split("-"))
        candidates = variants_with_auth() if has_auth else all_variants()
        found = [variant for variant in candidates if fnmatchcase(variant.id, named)]
        if not found:
            raise ValueError(
                f"No variant is named {pattern.strip()!r}. A name is DATABASE-IO-DATA_ACCESS-MIXINS, such as"
                f" sqlite-async-orm-timestamps+audit_log or mysql-sync-core-{PLAIN}, with -{BARE} at its end for no"
                " example; * stands for any text."
            )
        chosen |= dict.fromkeys(found)
    return tuple(chosen)
