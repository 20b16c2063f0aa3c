"""Tells which tests a target has, by what the markers of each test ask for.

What differs little between the sets of mixins runs on few of them, unless everything is to run on everything. What
calls the service runs on every base variant with no mixin and with all of them. On every fourth of the other sets, it
runs once for each database: there, `io` and `data_access` take turns. They do so on a second server of a database, in
what is for a covering set, and without the example.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from zlib import crc32

import pytest

from tests.targets import Target
from tests.variants import Variant, choices, is_covering, is_default, is_end

TURNS = len(choices("io")) * len(choices("data_access"))
PARTS = 4
MARKERS = (
    "base: is for the base variants with the default mixins only, each on one server",
    "once_per_database: is for one variant of each database only",
    "example: is for the variants with the example only",
    "mixin(name): is for the variants with that mixin only",
    "once_per_base: needs no mixin and, once for each database, all mixins only",
    "ends: needs no mixin and all mixins only, and those on every base variant",
    "covering: needs no mixin, each alone, each pair and all mixins only",
    "in_turn: is enough on a part of the variants, as a call of the service is",
    "bare: needs every set of mixins without the example too, where other tests need none and all only",
)


@dataclass(frozen=True)
class Demand:
    """What a test asks of the targets that it runs on."""

    server: bool
    once_per_database: bool
    base: bool
    example: bool
    mixins: frozenset[str]
    once_per_base: bool
    ends: bool
    covering: bool
    bare: bool
    turn: int | None

    @classmethod
    def of(cls, test: pytest.Function) -> "Demand":
        """Read what the markers and the fixtures of `test` ask for."""
        names = {mark.name for mark in test.iter_markers()}
        return cls(
            server="server" in test.fixturenames,
            once_per_database="once_per_database" in names,
            base="base" in names,
            example="example" in names,
            mixins=frozenset(mark.args[0] for mark in test.iter_markers("mixin")),
            once_per_base="once_per_base" in names,
            ends="ends" in names,
            covering="covering" in names,
            bare="bare" in names,
            turn=crc32(test.nodeid.encode()) if "api" in test.fixturenames or "in_turn" in names else None,
        )

    def met_by(self, targets: Iterable[Target], *, everything: bool) -> list[Target]:
        """Give those of `targets` that the test runs on."""
        met = [target for target in targets if self._is_met_by(target, everything=everything)]
        if self.once_per_database:
            return list({target.variant.database: target for target in reversed(met)}.values())
        return met

    def _is_met_by(self, target: Target, *, everything: bool) -> bool:
        """A test that needs no server runs once for a variant, however many servers its database has."""
        variant = target.variant
        possible = (
            (target.first or self.server)
            and (variant.example or not self.example)
            and self.mixins.issubset(variant.mixins)
            and ((is_default(variant) and target.first) or not self.base)
        )
        return possible and (everything or self._is_worth_it_on(target))

    def _is_worth_it_on(self, target: Target) -> bool:
        variant = target.variant
        if self.base:
            return True
        if is_end(variant) and (target.first or self.turn is None):
            return not variant.mixins or bool(self.mixins) or not self.once_per_base or has_turn(variant)
        if not is_end(variant) and (self.once_per_base or self.ends or not (variant.example or self.bare)):
            return False
        if self.covering:
            return variant.example and is_covering(variant) and has_turn(variant)
        if self.turn is not None and variant.example:
            return has_turn(variant, self.turn) and (is_end(variant) or self._is_for_a_part(variant))
        return variant.example or has_turn(variant)

    def _is_for_a_part(self, variant: Variant) -> bool:
        return ((self.turn or 0) // TURNS + number_of(variant) // TURNS) % PARTS == 0


def has_turn(variant: Variant, turn: int = 0) -> bool:
    """Tell whether it is the variant's turn among those with its database and its mixins."""
    return (turn + number_of(variant)) % TURNS == place_of(variant)


def place_of(variant: Variant) -> int:
    """Number the combinations of `io` and `data_access`."""
    return list(product(choices("io"), choices("data_access"))).index((variant.io, variant.data_access))


def number_of(variant: Variant) -> int:
    """Number the sets of mixins with each database."""
    mixins = sum(1 << choices("mixins").index(name) for name in variant.mixins)
    return mixins + choices("database").index(variant.database)


def sharing(
    tests: Sequence[pytest.Function], targets: Sequence[Target], *, everything: bool
) -> dict[Target, list[pytest.Function]]:
    """Give the tests of each target that has any, in the order of `targets` and of `tests`."""
    demands = [Demand.of(test) for test in tests]
    met = {demand: set(demand.met_by(targets, everything=everything)) for demand in set(demands)}
    shared = {
        target: [test for test, demand in zip(tests, demands, strict=True) if target in met[demand]]
        for target in targets
    }
    return {target: chosen for target, chosen in shared.items() if chosen}
