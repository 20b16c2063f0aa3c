"""The routes that a resource has: which of them, how a list is paged, and below what they are."""

from collections.abc import Collection

from copier_fastapi_sqlalchemy.resource.errors import Refusal

ROUTES = ("create", "read", "list", "update", "delete", "bulk")
PAGINGS = ("pages", "cursor")


def parse_only(text: str | None) -> tuple[str, ...]:
    """Give the routes that a text names, in order; none where it names all.

    Raises:
        Refusal: there is no such route, or one can't be without another.

    """
    if text is None:
        return ()
    given = [name.strip() for name in text.split(",")]
    if unknown := [name for name in given if name not in ROUTES]:
        raise Refusal(f"Choose routes among {', '.join(ROUTES)} in --only: there is no {unknown[0]!r}.")
    check_routes(given, ())
    return () if set(given) == {*ROUTES} else tuple(name for name in ROUTES if name in given)


def check_routes(given: Collection[str], mixins: Collection[str]) -> None:
    """Raise Refusal where a route can't be without another."""
    if "create" in given and "read" not in given:
        raise Refusal("Add read to --only: the answer to create has the address of what it made.")
    if "bulk" in given and not {"create", "delete"} & {*given}:
        raise Refusal("Add create or delete to --only: bulk is many of these at once.")
    if "bulk" in given and "list" not in given:
        raise Refusal("Add list to --only: the answers of bulk have no keys.")
    if "optimistic_locking" in mixins and {"update", "delete"} & {*given} and "read" not in given:
        raise Refusal("Add read to --only: with optimistic_locking, update and delete take the ETag that it gives.")


def parse_paging(text: str | None, only: Collection[str] = ()) -> str:
    """Give how a list is paged; raises Refusal if there is no such way, or no list among the routes."""
    if text is not None and only and "list" not in only:
        raise Refusal("Add list to --only, or leave --paging out: nothing else has pages.")
    if text is not None and text not in PAGINGS:
        raise Refusal(f"Choose --paging {' or '.join(PAGINGS)}: there is no {text!r}.")
    return text or PAGINGS[0]
