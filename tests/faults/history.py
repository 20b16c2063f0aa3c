"""What several clients were told of one record, and whether one that does one thing at a time could have told it.

Each write adds one to the record's version, so that the versions give the order in which the writes took effect. What
an operation saw or did has to fit that order, and the order has to fit the clock: an operation that ended before
another began came first.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

Kind = Literal["create", "change", "delete", "restore", "read", "search"]
WRITES = {"create", "change", "delete", "restore"}


@dataclass(frozen=True)
class Operation:
    """One call: its `outcome` is a status, or 0 where the client got no answer."""

    kind: Kind
    began: float
    ended: float
    outcome: int
    version: int | None = None
    """The record's after a write, or as it was read; a deletion isn't told."""
    value: str | None = None
    """What was written, read, or searched for."""
    expected: int | None = None
    """The version of `If-Match`."""
    found: bool = False
    """Whether a search found the record."""

    @property
    def succeeded(self) -> bool:
        """Tell whether it is known to have been done."""
        return 200 <= self.outcome < 300

    @property
    def is_unknown(self) -> bool:
        """Tell whether a write may have been done or not: the client got no answer, or a 503."""
        return self.kind in WRITES and self.outcome in {0, 503}

    def precedes(self, other: "Operation") -> bool:
        """Tell whether it ended before the other began."""
        return self.ended < other.began


class History:
    """The operations on one record."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        """Take all operations of all clients, the last of them a read after all others.

        Of some restores with one version the one that ended first can be what made it.
        """
        self.operations = sorted(operations, key=lambda operation: operation.began)
        self.written: dict[int, Operation] = {}
        self.twice: list[int] = []
        for one in sorted(self.operations, key=lambda operation: (operation.kind == "restore", operation.ended)):
            if one.kind not in WRITES or not one.succeeded or one.version is None:
                continue
            if one.version not in self.written:
                self.written[one.version] = one
            elif one.kind != "restore":  # which changes nothing where the record isn't deleted
                self.twice.append(one.version)
        self.deletes = [one for one in self.operations if one.kind == "delete" and (one.succeeded or one.is_unknown)]
        self.restores = [one for one in self.operations if one.kind == "restore" and (one.succeeded or one.is_unknown)]
        self.unknown = [one for one in self.operations if one.is_unknown]

    def anomalies(self) -> Iterator[str]:
        """Say what no such database could have told."""
        yield from self._versions()
        yield from self._order()
        for operation in self.operations:
            if operation.succeeded and operation.version is not None:
                yield from self._value(operation)
            is_conditional = operation.kind == "change" and operation.succeeded and operation.expected is not None
            if is_conditional and operation.version != (operation.expected or 0) + 1:
                yield f"a write on {operation.expected} made {operation.version}: {operation}"
            if operation.outcome == 412:
                yield from self._refusal(operation)
            if operation.outcome == 404:
                yield from self._absence(operation)
            if operation.kind == "read" and operation.succeeded:
                yield from self._presence(operation)
            if operation.kind == "search" and operation.succeeded:
                yield from self._search(operation)

    def _versions(self) -> Iterator[str]:
        if self.twice:
            yield f"an update is lost: the versions {self.twice} were made twice"
        last = self.operations[-1]
        if last.kind == "read" and last.succeeded and last.version is not None:
            silent = sum(one.succeeded for one in self.deletes)
            surplus = last.version - len(self.written) - silent
            if not 0 <= surplus <= len(self.unknown):
                known = f"{len(self.written)} writes, {silent} deletions and {len(self.unknown)} without an answer"
                yield f"the last version is {last.version} after {known}"

    def _order(self) -> Iterator[str]:
        """Compare each operation with the highest version that was known before it began."""
        told = [one for one in self.operations if one.succeeded and one.version is not None]
        by_end = sorted(told, key=lambda one: one.ended)
        highest, number = 0, 0
        for operation in sorted(told, key=lambda one: one.began):
            while number < len(by_end) and by_end[number].precedes(operation):
                highest = max(highest, by_end[number].version or 0)
                number += 1
            least = highest + (operation.kind in WRITES and operation.kind != "restore")
            if (operation.version or 0) < least:
                yield f"version {operation.version} came after {highest}: {operation}"

    def _value(self, operation: Operation) -> Iterator[str]:
        """Compare what was read with what the write of that version, or the nearest before it, has written."""
        assert operation.version is not None
        write = self.written.get(operation.version)
        if write is not None and write.value is not None:
            possible: set[str | None] = {write.value}
        else:
            earlier = [number for number in self.written if number < operation.version and self.written[number].value]
            possible = {self.written[max(earlier)].value} if earlier else set()
            possible |= {one.value for one in self.unknown}
        if operation.value is not None and operation.value not in possible:
            yield f"{operation.value} was read as version {operation.version}, which is {possible}: {operation}"

    def _refusal(self, operation: Operation) -> Iterator[str]:
        """A 412 needs another version at some moment of the call."""
        later = [
            one for version, one in self.written.items() if operation.expected is None or version > operation.expected
        ]
        others = [*later, *self.deletes, *self.unknown]
        if not any(one.began < operation.ended for one in others):
            yield f"it was refused, though nothing was newer: {operation}"

    def _absence(self, operation: Operation) -> Iterator[str]:
        """A 404 needs a moment of the call at which the record was deleted."""
        restores = [one for one in self.restores if one.succeeded and one.precedes(operation)]
        for deleted in self.deletes:
            if deleted.began <= operation.ended and not any(deleted.precedes(restored) for restored in restores):
                return
        yield f"it was absent, though nothing had deleted it: {operation}"

    def _presence(self, operation: Operation) -> Iterator[str]:
        """A record that can be read isn't deleted, at some moment of the call."""
        for deleted in self.deletes:
            if deleted.succeeded and deleted.precedes(operation):
                restored = [one for one in self.restores if one.ended > deleted.began and one.began < operation.ended]
                if not restored:
                    yield f"it was there, though it had been deleted: {operation}"

    def _search(self, operation: Operation) -> Iterator[str]:
        """A search finds what was current at some moment of the call, and nothing else."""
        made = [one for one in self.written.values() if one.value == operation.value and one.kind != "restore"]
        if not made:
            return
        (written,) = made
        newer = [one for one in self.written.values() if is_newer(one, written) and one.value != operation.value]
        if operation.found:
            if written.began > operation.ended:
                yield f"it was found before it was written: {operation}"
            if any(one.precedes(operation) for one in newer):
                yield f"it was found though it had been replaced: {operation}"
        elif written.precedes(operation):
            others = [*newer, *self.deletes, *self.unknown]
            if not any(one.began < operation.ended for one in others):
                yield f"it wasn't found though it was there: {operation}"


def is_newer(one: Operation, other: Operation) -> bool:
    """Tell whether a write came after another."""
    return (one.version or 0) > (other.version or 0)


def duplicates(creations: Sequence[Operation], deletions: Sequence[Operation]) -> Iterator[str]:
    """Say where a unique value was taken twice at once; all operations are of one value."""
    made = sorted((one for one in creations if one.succeeded), key=lambda one: one.ended)
    for first, second in pairwise(made):
        if not any(deleted.began < second.ended and deleted.ended > first.began for deleted in deletions):
            yield f"it was taken twice: {first}, {second}"
