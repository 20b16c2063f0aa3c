"""Decides on which variants a test runs: on those where it can tell something new.

The test's marker says it:

| marker | runs on |
| --- | --- |
| `every_variant` | all 768 variants |
| `each_mixin` | no mixin, each mixin alone, all mixins; for each database |
| no marker | no mixin, all mixins; for each database |
| `each_base` | the 12 base variants, which have the default mixins |
| `each_database` | one base variant of each database |
| `one_base` | one base variant |

The markers `example`, `mixin("audit_log")` and `database("mysql")` leave out the variants that lack it, and `base`
those that aren't base variants. For a test that needs a mixin, "no mixin" is no other than those, and its base variants
have all mixins. Tests without the marker `example` run on variants without the example too: on those with no mixin and
with all. A test with the marker `slow` runs with `--everything` or `--matrix` only.

Every variant is driven through those that are marked `crud` too: `tests/every_variant/` calls them.

Each value of `auth` but the default makes 16 variants more: one for each base variant with the example, and four
without it, in which each database, `io` and `data_access` occur. Sets of mixins take turns. `every_variant` runs on all
of them, `accounts` and `oidc` on those of their value with the example, in turn, `any_auth` on one for each value and
database, and no other test on any.

But for `every_variant` and `each_base`, one combination of `io` and `data_access` is enough for a database and a set of
mixins: the tests take them round-robin, those of what our commands do file by file. These run with a mixin alone, and
without the example, on one database, round-robin too, as those with `one_base` do.

With `--matrix`, a test of what is rendered runs on each set of mixins of each database, with and without the example,
where one combination of `io` and `data_access` is enough; with the example, it runs on each combination with no mixin,
each alone, and all; and on all variants with another `auth` that it can run on. One of what our commands do, in
`tests/resource/` and `tests/updates/`, runs with no mixin, each alone, and all, on each combination, and one that is
marked `each_base`, `each_database` or `one_base` on each base variant. Those of faults and of hostile input, in
`tests/faults/` and `tests/fuzz/`, run as without it: `make faults` and `make fuzz` are for them. With `--everything`, a
test runs on each variant that it can run on.
"""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from itertools import product
from typing import TypeVar
from zlib import crc32

import pytest

from tests.harness.variants import NO_AUTH, OIDC, PASSWORD, Variant, choices, variants_with_auth

MARKERS = (
    "every_variant: runs on all variants",
    "each_mixin: runs with no mixin, each alone, and all, for each database",
    "each_base: runs on the base variants",
    "each_database: runs on one base variant of each database",
    "one_base: runs on one base variant",
    "slow: runs with --matrix or --everything only",
    "example: needs the example",
    "mixin(*names): needs these mixins",
    "crud: every variant is driven through it too",
    "database(*names): needs one of these databases",
    "base: needs a base variant, which has the default mixins",
    "accounts: needs accounts of the service's own; runs on a variant with them for each database",
    "oidc: needs an identity provider; runs on a variant with auth=oidc for each database",
    "pool: needs a service that keeps its connections, which it doesn't with --pgbouncer",
    "locks: needs locks that every writer sees, which the nodes of Galera don't share: left out with --cluster=all",
    "cluster: needs Galera or Patroni; runs with --everything only",
    "any_auth: runs on a variant with each way to authenticate for each database too",
)
OF_COMMANDS = ("tests/resource/", "tests/updates/")
OF_FAULTS = ("tests/faults/", "tests/fuzz/")
AUTHS = {"accounts": PASSWORD, "oidc": OIDC}  # by the marker of tests for one alone
KINDS = ("every_variant", "each_mixin", "each_base", "each_database", "one_base")
OF_BASE = ("each_base", "each_database", "one_base")
COMBINATIONS = list(product(choices("io"), choices("data_access")))
# From a case to the next of those that are alike. It is prime to their number, so all that they differ in takes turns.
STRIDE = 7
Case = TypeVar("Case")


@dataclass(frozen=True)
class Needs:
    """What the markers and the fixtures of a test ask for."""

    kind: str = ""
    server: bool = True
    example: bool = False
    base: bool = False
    slow: bool = False
    auth: str = NO_AUTH
    any_auth: bool = False
    mixins: frozenset[str] = frozenset()
    databases: frozenset[str] = frozenset(choices("database"))
    of_command: bool = False
    of_faults: bool = False
    turn: int = 0

    @classmethod
    def of(cls, test: pytest.Function) -> "Needs":
        """Read the needs of `test`."""
        names = [marker.name for marker in test.iter_markers()]
        databases = frozenset(name for marker in test.iter_markers("database") for name in marker.args)
        return cls(
            kind=next((name for name in names if name in KINDS), ""),
            server="server" in test.fixturenames,
            example="example" in names,
            base="base" in names,
            slow="slow" in names,
            auth=next((auth for name, auth in AUTHS.items() if name in names), NO_AUTH),
            any_auth="any_auth" in names or "every_variant" in names,
            mixins=frozenset(name for marker in test.iter_markers("mixin") for name in marker.args),
            databases=databases or frozenset(choices("database")),
            of_faults=test.nodeid.startswith(OF_FAULTS),
            of_command=(of_command := test.nodeid.startswith(OF_COMMANDS)),
            # The tests of a command share what it wrote.
            turn=crc32((test.nodeid.partition("::")[0] if of_command else test.nodeid).encode()),
        )

    def are_met_by(self, variant: Variant) -> bool:
        """Tell whether the test can run on `variant`."""
        return (
            (variant.example or not self.example)
            and (variant.is_base or not self.base)
            and self.fits_auth(variant.auth, any_auth=self.any_auth and not self.base)
            and self.mixins <= {*variant.mixins}
            and variant.database in self.databases
        )

    def fits_auth(self, auth: str, *, any_auth: bool) -> bool:
        """Tell whether the test can run with this value of the question."""
        return auth == self.auth or (any_auth and self.auth == NO_AUTH)

    def is_in_matrix(self, extent: str) -> bool:
        """Tell whether the test runs on what `--matrix` adds."""
        return extent == "matrix" and not self.of_faults

    def is_left_out(self, extent: str) -> bool:
        """Tell whether the test runs on no variant."""
        return self.slow and extent != "everything" and not self.is_in_matrix(extent)

    def choose(self, variant: Variant, extent: str = "", *, second_server: bool = False) -> bool:
        """Tell whether `variant`, which meets the needs, is one that the test runs on.

        On the second server of a database, one combination of `io` and `data_access` is enough for every test.
        """
        if extent == "everything":
            return True
        in_matrix, is_left_out = self.is_in_matrix(extent), self.is_left_out(extent)
        if variant.auth != NO_AUTH:
            every_one = in_matrix and not self.of_command and self.kind not in OF_BASE
            return not second_server and not is_left_out and (every_one or self.choose_with_auth(variant))
        others = len(variant.mixins) - len(self.mixins)
        fewest, most = others == 0, len(variant.mixins) == len(choices("mixins"))
        in_turn = self.has_turn(variant) and (self.kind != "one_base" or self.has_turn_of_database(variant))
        if is_left_out or (second_server and not (in_turn and variant.example)):
            return False
        if self.kind == "every_variant":
            return others <= 1 or most or not second_server
        if self.kind in OF_BASE:
            is_base = most and variant.example if self.mixins else variant.is_base
            return is_base and (in_turn or in_matrix or self.kind == "each_base")
        one = (in_matrix or self.kind == "each_mixin") and others == 1 and variant.example
        if self.of_command and not in_matrix and not second_server and (one or not variant.example):
            in_turn = in_turn and self.has_turn_of_database(variant)
        every_set = in_matrix and not self.of_command and not second_server
        return (in_turn and every_set) or ((fewest or most or one) and (in_turn or (in_matrix and variant.example)))

    def choose_with_auth(self, variant: Variant) -> bool:
        """Tell whether a variant with accounts, which meets the needs, is one that the test runs on."""
        if self.kind == "every_variant":
            return True
        if self.auth != NO_AUTH:
            return variant.example and self.has_turn(variant)
        return variant in one_of_each(auth_pairs(), lambda each: (each.auth, each.database))

    def has_turn_of_database(self, variant: Variant) -> bool:
        """Tell whether the test runs on this database, if it runs on one that it can run on."""
        mixins = sum(number for number, name in enumerate(choices("mixins")) if name in variant.mixins)
        possible = [name for name in choices("database") if name in self.databases]
        return possible[(self.turn // len(COMBINATIONS) + mixins) % len(possible)] == variant.database

    def has_turn(self, variant: Variant) -> bool:
        """Tell whether the test runs on this combination of `io` and `data_access`, if it runs on one."""
        mixins = sum(1 << number for number, name in enumerate(choices("mixins")) if name in variant.mixins)
        if variant.auth != NO_AUTH:  # no other variant of the combination has these mixins
            mixins = 0
        number = self.turn + mixins + choices("database").index(variant.database)
        return COMBINATIONS[number % len(COMBINATIONS)] == (variant.io, variant.data_access)


def one_of_each(cases: Iterable[Case], kind: Callable[[Case], Hashable]) -> list[Case]:
    """Give a case of each kind, where what the kind doesn't tell takes turns."""
    found: dict[Hashable, list[Case]] = {}
    for case in cases:
        found.setdefault(kind(case), []).append(case)
    return [alike[turn * STRIDE % len(alike)] for turn, alike in enumerate(found.values())]


def auth_pairs() -> list[Variant]:
    """Give each way to authenticate with each base variant, and without the example with each pair of its choices.

    Sets of mixins take turns and, without the example, databases do.
    """
    found = [variant for variant in variants_with_auth() if variant.example]
    bare = [variant for variant in variants_with_auth() if not variant.example]
    bare.sort(key=lambda variant: variant.mixins)
    return [
        *one_of_each(found, lambda variant: (variant.auth, variant.base)),
        *one_of_each(bare, lambda variant: (variant.auth, variant.io, variant.data_access)),
    ]
