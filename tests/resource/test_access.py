"""The rows of app/auth/access.py for the routes of a resource."""

import pytest

from copier_fastapi_sqlalchemy.resource.access import (
    add_to_access,
    remove_from_access,
    replace_in_access,
    roles_of,
)
from copier_fastapi_sqlalchemy.resource.errors import Refusal

ROUTER = """
router = ResourceRouter(prefix="/books")


@router.get("")
async def list_books() -> None: ...


def check_book() -> None: ...


@router.post("/{book_id}/restore", responses={})
def restore_book() -> None: ...


@router.patch("/{book_id}")
async def update_book() -> None: ...


@router.delete("/{book_id}")
async def delete_book() -> None: ...
"""
TABLE = """ACCESS: dict[str, Rule] = {
    "log_in": ANYONE,
    "list_books": signed(
        Role.READER,
        "owner_id",
    ),
}
"""
ROLES = {"list_books": "READER", "restore_book": "ADMIN", "update_book": "AUTHOR", "delete_book": "ADMIN"}


def test_role_follows_from_what_a_route_does() -> None:
    assert roles_of(ROUTER) == ROLES


def test_row_that_is_there_stays_as_it_is() -> None:
    added = '    "restore_book": ADMIN,\n    "update_book": AUTHOR,\n    "delete_book": ADMIN,\n}\n'
    assert add_to_access(TABLE, ROLES) == TABLE.removesuffix("}\n") + added


def test_removal_takes_out_what_was_added() -> None:
    others = 'ACCESS: dict[str, Rule] = {\n    "log_in": ANYONE,\n}\n'
    assert remove_from_access(add_to_access(others, ROLES), ROLES) == others
    assert remove_from_access(TABLE, ROLES) == others


IMPORTS = "from app.auth.rules import Rule, others\n\n"
ROWS = 'ACCESS: dict[str, Rule] = {\n    "log_in": ANYONE,\n}\n'
OWN = {
    "create_book": 'signed(Role.AUTHOR, "author_id")',
    "update_book": 'own(Role.AUTHOR, "book_id", "books.author_id")',
}
FREE = dict.fromkeys(OWN, "AUTHOR")


def test_rows_import_what_they_call_as_long_as_they_are_there() -> None:
    added = add_to_access(IMPORTS + ROWS, OWN)
    assert added.startswith("from app.auth.rules import Rule, others, own, signed\n")
    assert remove_from_access(added, OWN) == IMPORTS + ROWS


def test_rows_change_with_the_rules_and_back() -> None:
    free = add_to_access(IMPORTS + ROWS, FREE)
    owned, edited = replace_in_access(free, FREE, OWN)
    assert (owned, edited) == (add_to_access(IMPORTS + ROWS, OWN), [])
    assert replace_in_access(owned, OWN, FREE) == (free, [])


def test_row_that_was_edited_stays() -> None:
    ours = add_to_access(IMPORTS + ROWS, FREE).replace('"update_book": AUTHOR', '"update_book": ADMIN')
    text, edited = replace_in_access(ours, FREE, OWN)
    assert ('"update_book": ADMIN,' in text, edited) == (True, ["update_book"])
    assert "import Rule, others, signed\n" in text


def test_rule_that_cannot_be_imported_is_refused() -> None:
    with pytest.raises(Refusal, match=r"Add `from app\.auth\.rules import own, signed`"):
        add_to_access(ROWS, OWN)


@pytest.mark.parametrize("source", ["", "ACCESS = make_table()\n", 'ACCESS = {"log_in": ANYONE}\n'])
def test_other_table_is_refused(source: str) -> None:
    with pytest.raises(Refusal, match="Give --no-register"):
        add_to_access(source, ROLES)
