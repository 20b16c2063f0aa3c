"""Values that break programs, in every parameter, header, path and body that the service's document describes."""

from collections.abc import Callable, Iterator
from contextlib import closing
from random import Random
from typing import Any

import pytest
from httpx2 import Client

from tests.contract.blog import Blog
from tests.fuzz import nasty
from tests.fuzz.calls import Caller
from tests.fuzz.conftest import Tally
from tests.fuzz.operations import Document, Operation, new_rows

pytestmark = [
    pytest.mark.example,
    pytest.mark.each_database,
    pytest.mark.mixin("timestamps", "soft_delete", "audit_log", "optimistic_locking", "full_text_search"),
]
Slot = tuple[str, Any]
# A path with another value in it may be another operation's, or none's.
ELSEWHERE = {400, 404, 405, 422}
AT_ONCE = 3  # values in one request
BY_PLACE: dict[str, tuple[Any, ...]] = {
    "path": nasty.ENCODED,
    "query": nasty.ENCODED,
    "header": nasty.HEADERS,
    "body": nasty.FRAGMENTS,
    "whole": nasty.WHOLE,
}


def slots(document: Document, operation: Operation) -> Iterator[Slot]:
    """Give the places of an operation's requests that hold a value."""
    for each in operation.parameters:
        yield each.place, each.name
    yield "query", ""
    for name in nasty.COMMON:
        yield "header", name
    if operation.body is not None:
        yield "whole", ""
        for way in document.fields(operation.body):
            yield "body", way


def values(slot: Slot) -> tuple[Any, ...]:
    """Give what to put into a place."""
    return nasty.QUERIES if slot == ("query", "") else BY_PLACE[slot[0]]


def puts(document: Document, operation: Operation, examples: int, random: Random) -> Iterator[dict[Slot, Any]]:
    """Give what to put where: in each place a number of values, or all, and then values in several places at once."""
    places = list(slots(document, operation))
    for slot in places:
        known = values(slot)
        # What any operation reads, each tries with fewer values.
        number = examples // 5 if slot[1] in nasty.COMMON else examples
        for value in random.sample(known, min(number, len(known))):
            yield {slot: value}
    for _ in range(examples):
        yield {slot: random.choice(values(slot)) for slot in random.sample(places, min(AT_ONCE, len(places)))}


def test_nasty_values_are_refused_or_kept(
    service: str, api: Client, examples: int, keep_tally: Callable[[Tally], None]
) -> None:
    """Values that break programs, in every place of every operation, alone and together."""
    document, blog = Document(api), Blog(api)
    random = Random(1)  # noqa: S311 - the same values each time
    with closing(Caller(service)) as caller:
        for operation in document.operations:
            rows = new_rows(blog)
            good = {status for status in operation.statuses if status < 300}
            caller.send(document.request(operation, rows), good)
            for put in puts(document, operation, examples, random):
                known = {*operation.statuses}
                if any(place in {"path", "header"} for place, _ in put):
                    known |= ELSEWHERE
                answer = caller.send(document.request(operation, rows, put), known)
                if operation.deletes and answer.status in good:
                    rows = new_rows(blog)
            caller.check_health()
        keep_tally(caller.tally)
