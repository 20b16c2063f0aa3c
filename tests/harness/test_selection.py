"""What isn't run on everything is dealt out evenly: no test misses a database, and no pair of mixins does."""

from collections import Counter
from itertools import combinations

import pytest

from tests.every_variant import crud, first_model_crud, mixins, test_every_variant  # noqa: F401 - they register their checks
from tests.every_variant.checks import CHECKS, features_of
from tests.harness.selection import ALL, COMBINATIONS, PARTS, REACHES, Demand, one_of_each
from tests.harness.servers import Server
from tests.harness.targets import Target
from tests.harness.variants import all_variants, choices

SERVERS = {database: Server(database, database, "", "") for database in choices("database")}
EVERY_TARGET = [Target(variant, SERVERS[variant.database], variant.id, first=True) for variant in all_variants()]
TARGETS = [target for target in EVERY_TARGET if target.variant.example]
# Tests with these turns differ in what they are dealt; all others are dealt what one of these is.
TURNS = range(ALL * PARTS)


def dealt(name: str, turn: int = 0, *, everything: bool = False) -> list[Target]:
    """Give the targets of a test with that reach and turn, those without the example left out."""
    return demand_of(name, turn).met_by(TARGETS, everything=everything)


def demand_of(name: str, turn: int = 0) -> Demand:
    """Give what a test with that reach and turn asks for."""
    return Demand(
        server=True,
        once_per_database=False,
        base=False,
        example=False,
        mixins=frozenset(),
        databases=frozenset(),
        reach=REACHES[name],
        turn=turn,
    )


@pytest.mark.parametrize("name", REACHES)
def test_a_test_meets_every_database_and_on_them_every_combination(name: str) -> None:
    for turn in TURNS:
        met = [target.variant for target in dealt(name, turn)]
        assert {variant.database for variant in met} == set(choices("database"))
        if name != "base":
            assert {(variant.io, variant.data_access) for variant in met} == set(COMBINATIONS)


@pytest.mark.parametrize("name", REACHES)
def test_each_combination_has_the_same_share_of_the_tests(name: str) -> None:
    shares = Counter(target.variant.base for turn in TURNS for target in dealt(name, turn))
    assert len(shares) == len(choices("database")) * ALL
    for database in choices("database"):
        assert len({share for base, share in shares.items() if base.startswith(database)}) == 1


def test_every_pair_of_mixins_is_migrated_with_every_database() -> None:
    met = {(target.variant.database, target.variant.mixins) for target in dealt("pairs")}
    assert met >= {(database, pair) for database in choices("database") for pair in combinations(choices("mixins"), 2)}


def test_each_of_all_variants_is_rendered_linted_migrated_and_driven() -> None:
    assert [mark.name for mark in [test_every_variant.pytestmark]] == ["every"]
    assert demand_of("every").met_by(EVERY_TARGET, everything=False) == EVERY_TARGET


def test_each_check_of_the_sweep_runs_on_some_variants() -> None:
    known = [features_of(target.variant.answers) for target in EVERY_TARGET]
    assert [check.__name__ for needs, check in CHECKS if not any(needs <= features for features in known)] == []
    assert {need for needs, _ in CHECKS for need in needs} == {"example", "first model", *choices("mixins")}


def test_everything_is_everything() -> None:
    assert dealt("ends", everything=True) == TARGETS


def test_one_of_each_kind_is_not_always_the_first() -> None:
    numbers = [(kind, number) for kind in "abc" for number in range(4)]
    assert one_of_each(numbers, lambda pair: pair[0]) == [("a", 0), ("b", 3), ("c", 2)]
