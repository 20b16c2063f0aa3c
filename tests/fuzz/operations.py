"""The operations of a service's OpenAPI document, and a valid request of each."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from httpx2 import Client

from tests.contract.blog import Blog, new_email
from tests.fuzz.calls import JSON, Request

Schema = dict[str, Any]
SLOT = "@slot@"  # stands in a body for what is put there


@dataclass(frozen=True)
class Parameter:
    """A parameter of an operation."""

    place: str
    name: str
    schema: Schema
    required: bool


@dataclass(frozen=True)
class Operation:
    """An operation as the document describes it."""

    name: str
    method: str
    path: str
    parameters: tuple[Parameter, ...]
    body: Schema | None
    statuses: frozenset[int]

    @property
    def deletes(self) -> bool:
        """Tell whether the rows are gone that it names."""
        return self.method == "DELETE" or "delete" in self.path


class Document:
    """A service's document."""

    def __init__(self, api: Client) -> None:
        """Read the document of the service that `api` calls."""
        self.content: dict[str, Any] = api.get("/openapi.json").json()
        self.operations = [
            Operation(
                f"{method.upper()} {path}",
                method.upper(),
                path,
                tuple(
                    Parameter(each["in"], each["name"], each["schema"], each.get("required", False))
                    for each in operation.get("parameters", [])
                ),
                operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema"),
                frozenset(map(int, operation["responses"])) - {500},
            )
            for path, operations in self.content["paths"].items()
            for method, operation in operations.items()
        ]

    def resolve(self, schema: Schema) -> Schema:
        """Follow a reference, and take what isn't null of several schemas."""
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            return self.resolve(self.content["components"]["schemas"][name])
        choices = [each for each in schema.get("anyOf", []) if each.get("type") != "null"]
        return self.resolve(choices[0]) if choices else schema

    def value(self, name: str, schema: Schema, rows: dict[str, Any]) -> Any:
        """Make a valid value; `rows` has the ids of rows by the names of what holds them."""
        schema = self.resolve(schema)
        if name in rows:
            return rows[name]
        if "enum" in schema:
            return schema["enum"][0]
        kind = schema.get("type")
        if kind == "string":
            by_format = {"email": new_email(), "uri": "https://example.com/"}
            return by_format.get(schema.get("format", ""), "x" * max(1, schema.get("minLength", 0)))
        if kind == "array":
            return [self.value("", schema["items"], rows)]
        if kind == "object":
            return {key: self.value(key, each, rows) for key, each in schema.get("properties", {}).items()}
        return {"integer": schema.get("minimum", 1), "number": 1.5, "boolean": True}[kind or "boolean"]

    def fields(self, schema: Schema) -> list[tuple[str | int, ...]]:
        """Give the ways to the values in a valid body."""
        schema = self.resolve(schema)
        if schema.get("type") == "array":
            return [(0, *rest) for rest in [(), *self.fields(schema["items"])]]
        ways: list[tuple[str | int, ...]] = []
        for name, each in schema.get("properties", {}).items():
            ways.append((name,))
            ways += [(name, *rest) for rest in self.fields(each)]
        return ways

    def request(
        self,
        operation: Operation,
        rows: dict[str, Any],
        put: dict[tuple[str, str | tuple[str | int, ...]], Any] | None = None,
    ) -> Request:
        """Make a valid request, but for what is `put` in its places; it is sent as it is."""
        put = put or {}
        path, query, headers = operation.path, [], {}
        for each in operation.parameters:
            given = put.get((each.place, each.name))
            if given is None and not each.required:
                continue
            value = given if given is not None else quote(str(self.value(each.name, each.schema, rows)))
            if each.place == "path":
                path = path.replace(f"{{{each.name}}}", value)
            elif each.place == "query":
                query.append(f"{each.name}={value}")
            else:
                headers[each.name] = value
        query += [value for (place, name), value in put.items() if (place, name) == ("query", "")]
        body = None
        if operation.body is not None:
            headers |= JSON
            body = self._body(
                operation.body, rows, {way: value for (place, way), value in put.items() if place == "body"}
            )
        headers |= {str(name): value for (place, name), value in put.items() if place == "header"}
        body = put.get(("whole", ""), body)
        return Request(
            operation.name, operation.method, "?".join([path, "&".join(query)][: 1 + bool(query)]), headers, body
        )

    def _body(self, schema: Schema, rows: dict[str, Any], put: dict[Any, bytes]) -> bytes:
        value = self.value("", schema, rows)
        slots = {}
        for number, (way, raw) in enumerate(put.items()):
            *steps, last = way
            place = value
            for step in steps:
                place = place[step] if isinstance(place, list | dict) else None
            if isinstance(place, dict) or (isinstance(place, list) and place):
                place[last] = slot = f"{SLOT}{number}"
                slots[json.dumps(slot).encode()] = raw
        text = json.dumps(value).encode()
        for marker, raw in slots.items():
            text = text.replace(marker, raw)
        return text


def new_rows(blog: Blog) -> dict[str, Any]:
    """Make a user, a post and a comment, and give values by the names of parameters and fields."""
    user = blog.add_user()["id"]
    post = blog.add_post()
    comment = blog.add_comment(post["id"], post["author_id"])["id"]
    ids = {"user_id": user, "author_id": user, "ids": [user], "post_id": post["id"], "comment_id": comment}
    return {**ids, "avatar_url": "https://example.com/"}  # which has no format of OpenAPI's
