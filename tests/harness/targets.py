"""What the matrix runs: each variant on each server of its database."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.harness.servers import Server
from tests.harness.variants import SELECTIONS, Variant, is_covering, is_default, select

EACH = "each"


@dataclass(frozen=True)
class Target:
    """A variant and the server that it runs on; `first` unless the same variant runs on another server too."""

    variant: Variant
    server: Server
    id: str
    first: bool


def databases_of(selection: str) -> tuple[str, ...]:
    """Give the databases that the selected variants need."""
    return tuple(dict.fromkeys(variant.database for variant, _ in _selected(selection)))


def targets_of(selection: str, servers: Sequence[Server]) -> tuple[Target, ...]:
    """Give the targets of the selected variants, those with the most tests first.

    A variant that is named runs on each server of its database. Of a whole selection, the second server and those after
    it have a part: fewer sets of mixins, and no variant without the example.
    """
    targets = []
    for variant, product in _selected(selection):
        suited = [server for server in servers if server.database == variant.database]
        shared = suited if product or (variant.example and is_covering(variant)) else suited[:1]
        chosen = [server for server in shared if product in ("", EACH, server.product.lower())]
        if not chosen:
            names = ", ".join(server.product.lower() for server in suited)
            raise ValueError(f"no {product} runs: choose from {names}.")
        for number, server in enumerate(chosen):
            suffix = f":{server.product.lower()}" if len(suited) > 1 else ""
            targets.append(Target(variant, server, variant.id + suffix, number == 0))
    unique = dict.fromkeys(targets)
    return tuple(sorted(unique, key=lambda target: (not is_default(target.variant), not target.variant.example)))


def _selected(selection: str) -> list[tuple[Variant, str]]:
    """Read `VARIANT` and `VARIANT:PRODUCT`, such as `mysql-sync-core-plain:mariadb`, joined with commas."""
    pairs = []
    for part in selection.split(","):
        name, _, product = part.strip().partition(":")
        pairs += [(variant, product or ("" if name in SELECTIONS else EACH)) for variant in select(name)]
    return list(dict.fromkeys(pairs))
