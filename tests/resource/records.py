"""Calls the routes of a resource that was added, which the OpenAPI document of the service names, and makes records."""

import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from httpx2 import Response
from sqlalchemy import text

from copier_fastapi_sqlalchemy.resource.fields import Field
from copier_fastapi_sqlalchemy.resource.record import Resource
from tests.contract.blog import NOT_SENT, Blog, Query, Status, ids, unique_word
from tests.contract.storage import Storage
from tests.resource.values import Values, default_of, is_same, values_of

# What lists can be filtered by, and sorted by, as docs/add-a-resource.md says it.
FILTERED = {"bool", "enum", "ref", "many"}
FILTERED_WITH_INDEX = {
    *("str", "int", "bigint", "float", "decimal", "date", "datetime", "time", "uuid", "email"),
}
NOT_SORTED = {"text", "bool", "json", "bytes", "ref", "many"}
OF_MIXINS = {
    "timestamps": ["created_at", "updated_at"],
    "soft_delete": ["deleted_at"],
    "optimistic_locking": ["version"],
}
ABSENT = 1_000_000
# The routes of a resource by what they do: the method, and what follows the resource's own path.
ROUTES = {
    "GET": "list",
    "POST": "create",
    "GET /{}": "read",
    "PATCH /{}": "change",
    "DELETE /{}": "delete",
    "POST /{}/restore": "restore",
    "GET /search": "search",
    "POST /bulk": "bulk",
    "POST /bulk-delete": "bulk_delete",
}
PARAMETER = re.compile(r"\{\w+\}")


class NoRoute(Exception):
    """The resource was added without this route."""


@dataclass(frozen=True)
class Member:
    """A field as bodies have it, and as lists are filtered by it."""

    field: Field
    name: str
    filter: str

    @property
    def is_key(self) -> bool:
        """Whether its values are keys of other records."""
        return self.field.type in {"ref", "many"}

    @cached_property
    def values(self) -> Values:
        """Values of its type."""
        if self.field.type == "ref":
            return Values([], ["1", 0, -1, 2**63, 1.5, True, [1]], int)
        if self.field.type == "many":
            return Values([], [[0], "x", [1.5], ["1"], [[1]], list(range(1, 102)), {}], int)
        return values_of(self.field)

    @property
    def invalid(self) -> list[Any]:
        """Values that it can't have."""
        return [*self.values.invalid, *([] if self.field.nullable else [None])]

    @property
    def is_required(self) -> bool:
        """Whether a new record needs a value."""
        return not self.field.nullable and self.field.default is None and self.field.type != "many"

    @property
    def when_left_out(self) -> Any:
        """Give what a new record has where the field is left out."""
        if self.field.type == "many":
            return []
        return None if self.field.default is None else default_of(self.field)

    def is_same(self, read: Any, expected: Any) -> bool:
        """Tell whether a value that was read is the expected one."""
        return is_same(self.field, read, expected)


class Records:
    """The records of a resource."""

    def __init__(
        self,
        blog: Blog,
        stored: Storage,
        document: Mapping[str, Any],
        resource: Resource,
        mixins: frozenset[str],
        others: Mapping[str, "Records"],
    ) -> None:
        """Find the routes in an OpenAPI document; `others` are resources that were added before."""
        self.blog, self.stored, self.mixins, self.resource = blog, stored, mixins, resource
        self.table = resource.names.plural
        self._document, self._others = document, {**others, self.table: self}
        self._targets: dict[tuple[str, int], int] = {}
        self._made = 0
        start = re.compile(rf"/api/v1(/[\w-]+/{{\w+}})?/{re.escape(resource.names.path)}(?P<rest>/.*)?")
        self.routes: dict[str, tuple[str, Mapping[str, Any]]] = {}
        for path, operations in document["paths"].items():
            if found := start.fullmatch(path):
                for method, operation in operations.items():
                    route = f"{method.upper()} {PARAMETER.sub('{}', found['rest'] or '')}".strip()
                    if route in ROUTES:
                        self.routes[ROUTES[route]] = (path, {**operation, "method": method.upper()})

    def schema(self, route: str) -> Mapping[str, Any]:
        """Give the schema of a route's body."""
        return self._schema_of(self.routes[route][1]["requestBody"])

    def schema_shown(self, route: str) -> Mapping[str, Any]:
        """Give the schema of what a route that succeeds responds."""
        return self._schema_of(self.routes[route][1]["responses"]["200"])

    def _schema_of(self, message: Mapping[str, Any]) -> Mapping[str, Any]:
        reference = message["content"]["application/json"]["schema"]["$ref"]
        return self._document["components"]["schemas"][reference.rpartition("/")[2]]  # type: ignore[no-any-return]

    def parameters(self, route: str) -> set[str]:
        """Give the names of the query parameters of a route."""
        return {given["name"] for given in self.routes[route][1].get("parameters", []) if given["in"] == "query"}

    @cached_property
    def parent(self) -> Member | None:
        """The field that refers to what the records belong to: it is in paths instead of bodies."""
        path = self.routes["list"][0] if "list" in self.routes else ""
        found = re.match(r"/api/v1/[\w-]+/{(\w+)}/", path)
        return Member(Field(found[1], "ref", (self.resource.parent,)), found[1], "") if found else None

    @property
    def is_paged(self) -> bool:
        """Whether a list is paged by numbers, not by cursors."""
        return "page" in self.parameters("list")

    @cached_property
    def members(self) -> list[Member]:
        """The fields as bodies have them."""
        properties = [*self.schema("create")["properties"]]
        members = []
        for field in self.resource.fields:
            if field.type == "many":
                # `category_ids` for `categories`
                [name] = [name for name in properties if name[-4:] == "_ids" and field.name.startswith(name[:-5])]
                members.append(Member(field, name, name.removesuffix("s")))
            else:
                name = f"{field.name}_id" if field.type == "ref" and not field.name.endswith("_id") else field.name
                members.append(Member(field, name, name))
        return members

    @property
    def shown(self) -> list[Member]:
        """The fields that bodies of responses have."""
        return [member for member in self.members if not member.field.secret]

    @property
    def columns(self) -> list[Member]:
        """The fields that are columns, which are all that bulk calls take."""
        return [member for member in self.members if member.field.type != "many"]

    @property
    def added(self) -> list[str]:
        """The fields that the mixins add to bodies."""
        names = [name for mixin, names in OF_MIXINS.items() if mixin in self.mixins for name in names]
        return [*names, *([self.parent.name] if self.parent else [])]

    @property
    def filters(self) -> list[Member]:
        """The fields that lists can be filtered by."""
        return [
            member
            for member in self.shown
            if member.field.type in FILTERED
            or (member.field.type in FILTERED_WITH_INDEX and member.field.options & {"unique", "index"})
        ]

    @property
    def sortable(self) -> list[Member]:
        """The fields that lists can be sorted by."""
        return [member for member in self.shown if member.field.type not in NOT_SORTED]

    @property
    def unique(self) -> list[list[Member]]:
        """The fields that are unique, alone or together."""
        alone = [[member] for member in self.members if member.field.unique]
        groups = self.resource.unique
        together = [[m for m in self.members if {m.name, m.field.name} & {*group}] for group in groups]
        return alone + together

    def path(self, route: str, record: int | Mapping[str, Any] | None = None) -> str:
        """Give the path of a route, below `/api/v1`: of those about a record, with its key."""
        if route not in self.routes:
            raise NoRoute(route)
        number = record["id"] if isinstance(record, Mapping) else record
        if number is None and self.parent:
            number = self.target(self.parent.field, 0)
        return PARAMETER.sub(str(number), self.routes[route][0]).removeprefix("/api/v1")

    def call(
        self,
        route: str,
        expect: Status,
        body: object = NOT_SENT,
        record: int | Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Response:
        """Call a route, whose answer must be one that the OpenAPI document declares."""
        path, operation = self.path(route, record), self.routes[route][1]
        response = self.blog.call(operation["method"], path, expect, body, **options)
        declared = operation["responses"]
        assert str(response.status_code) in declared, f"{route} doesn't declare {response.status_code}"
        return response

    def create(self, body: object, expect: Status = 201, **options: Any) -> Response:
        """POST a body."""
        return self.call("create", expect, body, **options)

    def read(self, record: int | Mapping[str, Any], **query: Query) -> dict[str, Any]:
        """GET a record."""
        read: dict[str, Any] = self.call("read", 200, record=record, params=query or None).json()
        return read

    def change(self, record: int | Mapping[str, Any], body: object, expect: Status = 200, **options: Any) -> Response:
        """PATCH a record."""
        return self.call("change", expect, body, record, **options)

    def delete(self, record: int | Mapping[str, Any], expect: Status = 204, **options: Any) -> Response:
        """DELETE a record."""
        return self.call("delete", expect, record=record, **options)

    def restore(self, record: int | Mapping[str, Any], expect: Status = 200, **options: Any) -> Response:
        """Restore a record."""
        return self.call("restore", expect, record=record, **options)

    def page(self, **query: Query) -> dict[str, Any]:
        """GET a page of records."""
        page: dict[str, Any] = self.call("list", 200, params=query or None).json()
        return page

    def listed(self, **query: Query) -> list[dict[str, Any]]:
        """GET up to 100 records, in the order in which they were made unless `sort` says otherwise."""
        self.path("list")
        if not self.is_paged:
            newest: list[dict[str, Any]] = self.page(limit=100, **query)["items"]
            return newest[::-1]
        items: list[dict[str, Any]] = self.page(size=100, **query)["items"]
        return items

    def total(self, **query: Query) -> int:
        """Count the records that are listed."""
        return int(self.page(**query)["total"]) if self.is_paged else len(self.listed(**query))

    def number(self) -> int:
        """Give the number of the next record: those of a check have no value in common that must be unique."""
        self._made += 1
        return self._made - 1

    def body(self, number: int | None = None, /, **fields: Any) -> dict[str, Any]:
        """Give the body of a new record."""
        number = self.number() if number is None else number
        return {member.name: self.value(member, number) for member in self.members} | fields

    def new(self, **fields: Any) -> dict[str, Any]:
        """Make a record."""
        made: dict[str, Any] = self.create(self.body(**fields)).json()
        return made

    def value(self, member: Member, number: int) -> Any:
        """Give a value of a field: the greater, the greater its number."""
        if member.field.type == "ref" and member.field.arguments[0] == self.table:
            return None  # the first record has no other to refer to
        if member.field.type == "ref":
            needs_own = any(member in group for group in self.unique)
            return self.target(member.field, number if needs_own else 0)
        if member.field.type == "many":
            return [self.target(member.field, 0)]
        return member.values.nth(number)

    def target(self, field: Field, number: int) -> int:
        """Give the key of a record that a field can refer to."""
        table = field.arguments[0]
        if (table, number) not in self._targets:
            self._targets[table, number] = self.new_target(table)
        return self._targets[table, number]

    def new_target(self, table: str) -> int:
        """Make a record that fields can refer to, and give its key."""
        if table in self._others:
            return int(self._others[table].new()["id"])
        if table == "users":
            return int(self.blog.add_user()["id"])
        if table == "tags":
            word = unique_word()
            self.blog.add_post(tags=[word])
            tag = self.blog.tag(word)
            assert tag is not None
            return int(tag["id"])
        post = self.blog.add_post()
        return int(post["id"] if table == "posts" else self.blog.add_comment(post["id"], post["author_id"])["id"])

    def delete_target(self, field: Field, key: int, expect: Status = 204) -> None:
        """Delete a record that fields refer to."""
        table = field.arguments[0]
        path = self._others[table].path("delete", key) if table in self._others else f"/{table}/{key}"
        self.blog.delete(path, expect)

    def differences(self, read: Mapping[str, Any], expected: Mapping[str, Any]) -> dict[str, Any]:
        """Give the shown fields that a record has otherwise than expected, each with both values."""
        return {
            member.name: (read[member.name], expected[member.name])
            for member in self.shown
            if member.name in expected and not member.is_same(read[member.name], expected[member.name])
        }

    def clear(self) -> None:
        """Delete all records."""
        if {"list", "bulk_delete"} <= self.routes.keys():
            while found := ids(self.listed()):
                self.call("bulk_delete", 200, {"ids": found})
        else:
            with self.stored.engine.begin() as connection:
                connection.execute(text(f"DELETE FROM {self.table}"))  # noqa: S608 - the name is ours
        self._made = 0
        self.forget_targets(self._others)

    def forget_targets(self, tables: Container[str] | None = None) -> None:
        """Make what fields refer to anew: in these tables, or in all."""
        kept = {key: made for key, made in self._targets.items() if tables is not None and key[0] not in tables}
        self._targets = kept

    def rounds(self, values: Mapping[str, Sequence[Any]]) -> Iterator[dict[str, Any]]:
        """Spread values of fields over as few bodies as hold them all: each body has a value of each field left."""
        for number in range(max(map(len, values.values()), default=0)):
            yield {name: given[number] for name, given in values.items() if number < len(given)}
