"""Tells which tests a target has, by what the markers and the fixtures of each test ask for.

A database has four combinations of `io` and `data_access`. Unless everything is to run on everything, a test runs on as
many of them as its reach says for a set of mixins. Where those are fewer than four, the tests and the sets of mixins
are dealt out over them, always in the same way, so that each combination has its share of all.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TypeVar
from zlib import crc32

import pytest

from tests.harness.targets import Target
from tests.harness.variants import Variant, choices, is_default, is_end

Case = TypeVar("Case")
COMBINATIONS = list(product(choices("io"), choices("data_access")))
ALL, ONE, NO = len(COMBINATIONS), 1, 0
# Of the sets of mixins that a test runs on a part of, it runs on one in so many.
PARTS = 4
# From a case to the next of those that are alike. It is prime to their number: all that they differ in takes turns.
STRIDE = 7


@dataclass(frozen=True)
class Reach:
    """On how many combinations a test runs, for each kind of a set of mixins."""

    none: int
    every: int
    one: int = NO
    two: int = NO
    more: int = NO
    # Without the example, with none and with all; with other sets of mixins `more`, if that is less.
    bare: int = ONE
    # Of the sets between none and every, a part.
    parts: bool = False

    def share(self, target: Target) -> int:
        """Give the number of combinations that the test runs on with the mixins of the target's variant.

        On a second server of a database it is one, and none with a pair of mixins.
        """
        variant = target.variant
        if not variant.example:
            return self.bare if is_end(variant) else min(self.more, self.bare)
        two = self.two if target.first else NO
        by_size = {0: self.none, 1: self.one, 2: two, len(choices("mixins")): self.every}
        share = by_size.get(len(variant.mixins), self.more)
        return share if target.first else min(share, ONE)


REACHES = {
    "every": Reach(none=ALL, every=ALL, one=ALL, two=ALL, more=ALL, bare=ALL),
    "calls": Reach(none=ONE, every=ONE, one=ONE, parts=True),
    "pairs": Reach(none=ONE, every=ONE, one=ONE, two=ONE),
    "each": Reach(none=ONE, every=ONE, one=ONE),
    "ends": Reach(none=ONE, every=ONE),
    "combinations": Reach(none=NO, every=ALL, bare=NO),
    "base": Reach(none=NO, every=NO, one=ONE),
    "every_base": Reach(none=NO, every=NO, one=ALL),
}
MARKERS = (
    "base: is for the base variants with the default mixins only, and needs one of each database",
    "every_base: is for all the base variants, with the default mixins only",
    "once_per_database: is for one variant of each database only",
    "example: is for the variants with the example only",
    "mixin(name): is for the variants with that mixin only",
    "database(*names): is for the variants with one of these databases only",
    "every: is for every variant, the one without the example too",
    "pairs: needs no mixin, each alone, each pair and all, once with each database",
    "each: needs no mixin, each alone and all, once with each database",
    "ends: needs no mixin, and all, once with each database: it can't depend on the mixins, or takes long",
    "combinations: needs all mixins, sync and async, ORM and Core, with each database",
)


@dataclass(frozen=True)
class Demand:
    """What a test asks of the targets that it runs on."""

    server: bool
    once_per_database: bool
    base: bool
    example: bool
    mixins: frozenset[str]
    databases: frozenset[str]
    reach: Reach
    turn: int

    @classmethod
    def of(cls, test: pytest.Function) -> "Demand":
        """Read what the markers and the fixtures of `test` ask for."""
        names = [mark.name for mark in test.iter_markers()]
        server = "server" in test.fixturenames
        return cls(
            server=server,
            once_per_database="once_per_database" in names,
            base=not {"base", "every_base"}.isdisjoint(names),
            example="example" in names,
            mixins=frozenset(mark.args[0] for mark in test.iter_markers("mixin")),
            databases=frozenset(name for mark in test.iter_markers("database") for name in mark.args),
            reach=REACHES[next((name for name in names if name in REACHES), "calls" if server else "every")],
            turn=crc32(test.nodeid.encode()) if "api" in test.fixturenames else 0,
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
            and (not self.databases or variant.database in self.databases)
            and ((is_default(variant) and target.first) or not self.base)
        )
        return possible and (everything or self._is_dealt(target))

    def _is_dealt(self, target: Target) -> bool:
        variant = target.variant
        part = (self.turn // ALL + number_of(variant) // ALL) % PARTS
        if self.reach.parts and part and not is_end(variant):
            return False
        return has_turn(variant, self.turn, self.reach.share(target))


def has_turn(variant: Variant, turn: int = 0, share: int = ONE) -> bool:
    """Tell whether it is the variant's turn among those with its database and its mixins, or all have theirs."""
    place = COMBINATIONS.index((variant.io, variant.data_access))
    return share == ALL or (share == ONE and (turn + number_of(variant)) % ALL == place)


def number_of(variant: Variant) -> int:
    """Number the sets of mixins with each database."""
    mixins = sum(1 << choices("mixins").index(name) for name in variant.mixins)
    return mixins + choices("database").index(variant.database)


def one_of_each(cases: Iterable[Case], kind: Callable[[Case], Hashable]) -> list[Case]:
    """Give a case of each kind, where what the kind doesn't tell takes turns."""
    found: dict[Hashable, list[Case]] = {}
    for case in cases:
        found.setdefault(kind(case), []).append(case)
    return [alike[turn * STRIDE % len(alike)] for turn, alike in enumerate(found.values())]


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
