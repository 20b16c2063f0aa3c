"""The rows of app/auth/access.py for the routes of a resource."""

import pytest

from copier_fastapi_sqlalchemy.resource.access import add_to_access, remove_from_access, roles_of
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


@pytest.mark.parametrize("source", ["", "ACCESS = make_table()\n", 'ACCESS = {"log_in": ANYONE}\n'])
def test_other_table_is_refused(source: str) -> None:
    with pytest.raises(Refusal, match="Give --no-register"):
        add_to_access(source, ROLES)
