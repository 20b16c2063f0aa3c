"""Each kind of test runs where `selection.py` says, and all tests together on every combination."""

from collections import Counter
from itertools import combinations, product

import pytest

from tests.every_variant import test_every_variant
from tests.every_variant.checks import CONTRACT, FIRST_MODEL, checks_for, checks_of, needs_of
from tests.harness.selection import COMBINATIONS, KINDS, Needs, auth_pairs, one_of_each
from tests.harness.variants import OIDC, PASSWORD, Variant, all_variants, choices, select

DATABASES, MIXINS = choices("database"), choices("mixins")
# Tests with these turns run on different combinations of `io` and `data_access`, or on different databases.
TURNS = range(len(COMBINATIONS) * len(DATABASES))


def selected(needs: Needs, extent: str = "", *, second_server: bool = False) -> list[Variant]:
    """Give the variants that a test with these needs runs on."""
    possible = [variant for variant in all_variants() if needs.are_met_by(variant)]
    return [variant for variant in possible if needs.choose(variant, extent, second_server=second_server)]


@pytest.mark.parametrize(
    ("kind", "with_example", "without"),
    [
        ("every_variant", 384, 384),
        ("each_mixin", 21, 6),
        ("", 6, 6),
        ("each_base", 12, 0),
        ("each_database", 3, 0),
        ("one_base", 1, 0),
    ],
)
def test_number_of_variants(kind: str, with_example: int, without: int) -> None:
    counts = Counter(variant.example for variant in selected(Needs(kind)))
    assert (counts[True], counts[False]) == (with_example, without)


@pytest.mark.parametrize("turn", TURNS)
def test_mixin_alone_and_no_example_are_on_one_database_for_tests_of_commands(turn: int) -> None:
    chosen = selected(Needs("each_mixin", of_command=True, turn=turn))
    assert sorted(variant.mixins for variant in chosen if not variant.example) == [(), MIXINS]
    found = [variant for variant in chosen if variant.example]
    alone = {variant.mixins: variant.database for variant in found if len(variant.mixins) == 1}
    assert len(found) == len(alone) + 2 * len(DATABASES)
    assert len(alone) == len(MIXINS)
    assert {*alone.values()} == {*DATABASES}


@pytest.mark.parametrize(
    ("needs", "with_example", "without"),
    [
        (Needs("every_variant"), 384, 384),
        (Needs("each_mixin", example=True), 159, 0),
        (Needs(), 159, 96),
        (Needs(of_faults=True), 6, 6),
        (Needs("each_base", slow=True), 12, 0),
        (Needs("each_base", slow=True, of_faults=True), 0, 0),
        (Needs("each_database"), 12, 0),
        (Needs(of_command=True), 84, 6),
    ],
)
def test_number_of_variants_of_the_matrix(needs: Needs, with_example: int, without: int) -> None:
    counts = Counter(variant.example for variant in selected(needs, "matrix"))
    assert (counts[True], counts[False]) == (with_example, without)
    assert len(selected(needs, "everything")) == (384 if needs.example else 768)


@pytest.mark.parametrize("kind", ["", *KINDS])
def test_combinations_of_a_database_are_used_equally(kind: str) -> None:
    counts = Counter(variant.base for turn in TURNS for variant in selected(Needs(kind, turn=turn)))
    assert len(counts) == len(DATABASES) * len(COMBINATIONS)
    assert len({*counts.values()}) == 1


@pytest.mark.parametrize("kind", ["", *(kind for kind in KINDS if kind != "one_base")])
def test_test_of_a_mixin_runs_on_each_database(kind: str) -> None:
    for number in (1, 2):
        for names in combinations(MIXINS, number):
            found = selected(Needs(kind, example=True, mixins=frozenset(names)))
            assert {variant.database for variant in found} == {*DATABASES}
            assert all({*names} <= {*variant.mixins} for variant in found)


def test_slow_test_is_left_out() -> None:
    assert not selected(Needs("each_database", slow=True))


def test_second_server_of_a_database_runs_each_mixin() -> None:
    found = selected(Needs("every_variant", databases=frozenset(["mysql"])), second_server=True)
    assert sorted(variant.mixins for variant in found) == sorted([(), *((name,) for name in MIXINS), MIXINS])


def test_every_variant_is_rendered_linted_migrated_and_driven() -> None:
    assert test_every_variant.pytestmark.name == "every_variant"
    assert selected(Needs("every_variant")) == [*all_variants()]


def test_each_check_of_every_variant_runs() -> None:
    checks = checks_of(*CONTRACT, FIRST_MODEL)
    assert {check for variant in all_variants() for check in checks_for(variant.answers)} == {*checks}
    assert {need for check in checks for need in needs_of(check)} == {"example", *MIXINS}


def test_each_pair_with_auth_is_there() -> None:
    found = auth_pairs()
    for key in ("database", "io", "data_access"):
        pairs = {(variant.auth, variant.answers[key], variant.example) for variant in found}
        assert pairs == {*product([*choices("auth")][1:], choices(key), [True, False])}
    assert {name for variant in found for name in variant.mixins} == {*MIXINS}
    assert [variant for variant in found if Needs("every_variant", any_auth=True).choose(variant)] == found
    for auth in (PASSWORD, OIDC):
        bases = set()
        for turn in range(len(COMBINATIONS)):
            need = Needs(auth=auth, turn=turn)
            own = [variant for variant in found if need.are_met_by(variant) and need.choose(variant)]
            assert {variant.auth for variant in own} == {auth}
            assert {variant.database for variant in own} == {*DATABASES}
            assert len(own) == len(DATABASES)
            bases |= {variant.base for variant in own}
        assert len(bases) == len(DATABASES) * len(COMBINATIONS)
    long = [variant for variant in found if Needs(any_auth=True).choose(variant)]
    assert {(variant.auth, variant.database) for variant in long} == {*product([PASSWORD, OIDC], DATABASES)}
    assert len(long) == 2 * len(DATABASES)
    assert not any(Needs(example=True).are_met_by(variant) for variant in found)


def test_variants_with_auth_of_the_matrix() -> None:
    found = auth_pairs()
    for needs, number in (
        (Needs(any_auth=True), len(found)),
        (Needs(auth=OIDC, example=True), 12),
        (Needs(auth=PASSWORD, example=True, of_command=True), 3),
        (Needs("each_database", auth=PASSWORD, example=True), 3),
        (Needs("each_base", any_auth=True), 6),
    ):
        assert sum(needs.are_met_by(each) and needs.choose(each, "matrix") for each in found) == number


def test_one_of_each_kind_is_not_always_the_first() -> None:
    numbers = [(kind, number) for kind in "abc" for number in range(4)]
    assert one_of_each(numbers, lambda pair: pair[0]) == [("a", 0), ("b", 3), ("c", 2)]


def test_variants_are_chosen_by_name_and_by_pattern() -> None:
    assert [variant.id for variant in select("mysql-sync-core-timestamps+audit_log, sqlite-async-*-plain-bare")] == [
        "mysql-sync-core-timestamps+audit_log",
        "sqlite-async-orm-plain-bare",
        "sqlite-async-core-plain-bare",
    ]
    with pytest.raises(ValueError, match=r"No variant is named 'oracle-sync-orm-plain'\. A name is DATABASE-IO-"):
        select("oracle-sync-orm-plain")
