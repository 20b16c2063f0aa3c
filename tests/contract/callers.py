"""What holds for who calls, whichever way they show who they are."""

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import httpx2
from httpx2 import Client, Response
from sqlalchemy import Engine, MetaData, Table, insert, select, text

from .blog import new_user, statuses
from .problems import media_type

AUTH = "/api/v1/auth"
Caller = dict[str, Any]  # its id, its email, and the headers of its requests


def bearer(token: str) -> dict[str, str]:
    """Give the header with a token."""
    return {"Authorization": f"Bearer {token}"}


def refused(response: Response, status: int) -> dict[str, Any]:
    """Read a problem, without what differs from request to request."""
    assert response.status_code == status, response.text
    assert media_type(response) == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert ("www-authenticate" in response.headers) is (status == httpx2.codes.UNAUTHORIZED)
    return {name: value for name, value in problem.items() if name != "request_id"}


def routes_without_a_token(api: Client) -> set[str]:
    """Give the routes of resources that need no token; check that the others say so, and are 401."""
    document = api.get("/openapi.json").json()
    found = set()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if not path.startswith("/api/"):
                assert "security" not in operation
                continue
            url = re.sub(r"{\w+}", "1", path)
            status = api.request(method, url).status_code
            assert (status == httpx2.codes.UNAUTHORIZED) is ("security" in operation), (method, path)
            if status != httpx2.codes.UNAUTHORIZED:
                found.add(operation["operationId"])
    return found


def check_roles(api: Client, new: Callable[[str], Caller]) -> None:
    """Check that the role decides what callers may do, and that authors change their own posts alone."""
    reader, author, admin = (new(role) for role in ("reader", "author", "admin"))

    def post_by(caller: Caller, signed: Caller) -> Response:
        body = {"author_id": signed["id"], "title": "First", "content": "Hello."}
        return api.post("/api/v1/posts", json=body, headers=caller["headers"])

    refused(post_by(reader, reader), 403)
    refused(post_by(author, admin), 403)
    post = post_by(author, author).json()
    url = f"/api/v1/posts/{post['id']}"
    assert api.get(url, headers=reader["headers"]).status_code == httpx2.codes.OK
    other = new("author")
    refused(api.patch(url, json={"title": "Theirs"}, headers=other["headers"]), 403)
    refused(api.delete(url, headers=other["headers"]), 403)
    for caller in (author, admin):
        assert api.patch(url, json={"title": "Ours"}, headers=caller["headers"]).status_code == httpx2.codes.OK
    for caller in (reader, author):
        refused(api.get("/api/v1/users", headers=caller["headers"]), 403)
        refused(api.post("/api/v1/users", json=new_user(role="admin"), headers=caller["headers"]), 403)
        url = f"/api/v1/users/{caller['id']}"
        refused(api.patch(url, json={"role": "admin"}, headers=caller["headers"]), 403)
    assert api.get("/api/v1/users", headers=admin["headers"]).status_code == httpx2.codes.OK
    refused(api.delete(f"/api/v1/users/{admin['id']}", headers=admin["headers"]), 403)


# What takes an admin's access away: the method, the path and the body.
REMOVALS: list[tuple[str, str, dict[str, Any] | None]] = [
    ("PATCH", "/{id}", {"is_active": False}),
    ("DELETE", "/{id}", None),
    ("PATCH", "/bulk", {"is_active": False}),
    ("POST", "/bulk-delete", {}),
]
DEMOTION = ("PATCH", "/{id}", {"role": "reader"})


def check_an_admin_stays(
    api: Client, db: Engine, new: Callable[[str], Caller], *removals: tuple[str, str, dict[str, Any] | None]
) -> None:
    """Check that of two admins who remove each other at once, by the only two that there are, one is refused."""

    def remove(caller: Caller, other: Caller, method: str, path: str, body: dict[str, Any] | None) -> Response:
        body = {**body, "ids": [other["id"]]} if body is not None and "bulk" in path else body
        headers = {**caller["headers"], "If-Match": "*"}
        return api.request(method, f"/api/v1/users{path.format(**other)}", json=body, headers=headers)

    for removal in (*removals, *REMOVALS) * 2:
        with db.begin() as connection:
            connection.execute(text("UPDATE users SET role = 'reader'"))
        one, two = new("admin"), new("admin")
        found = statuses([partial(remove, one, two, *removal), partial(remove, two, one, *removal)])
        done = found.get(200, 0) + found.get(204, 0)
        refusals = found.get(401, 0) + found.get(403, 0)  # 401 where the session has ended before
        assert (done, refusals) == (1, 1), (removal, found)


def check_row_that_is_being_added_is_nobodys(api: Client, db: Engine, new: Callable[[str], Caller]) -> None:
    """Check that nobody waits for what a transaction of another user is about to add, to change or delete it."""
    owner, other = new("author"), new("author")
    body = {"author_id": owner["id"], "title": "First", "content": "Hello."}
    post = api.post("/api/v1/posts", json=body, headers=owner["headers"]).raise_for_status().json()
    posts = Table("posts", MetaData(), autoload_with=db)
    columns = [column for column in posts.c if column.computed is None and column.name != "id"]
    with db.begin() as connection:
        row = connection.execute(select(*columns).where(posts.c.id == post["id"])).mappings().one()
        added = connection.execute(insert(posts).values(**row)).inserted_primary_key
        assert added
        url = f"/api/v1/posts/{added[0]}"
        headers = {**other["headers"], "If-Match": "*"}
        refused(api.patch(url, json={"title": "Theirs"}, headers=headers), 404)
        refused(api.delete(url, headers=headers), 404)
    refused(api.delete(url, headers=headers), 403)
