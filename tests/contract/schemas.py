"""The schemas of the contract: which fields a body has, and of which type."""

import re
from collections.abc import Mapping
from typing import Any

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?(Z|\+00:00)")
STAMPS = ("created_at", "updated_at")
MOMENTS = {*STAMPS, "deleted_at"}

USER = {"id": int, "email": str, "name": str, "role": str, "is_active": bool, "preferences": dict}
SUMMARY = {"id": int, "author_id": int, "title": str, "published": bool, "tags": list}
PAGE = {"items": list, "total": int, "page": int, "size": int, "pages": int}
FIELDS: dict[str, dict[str, Any]] = {
    "UserPublic": USER,
    "UserDetail": {**USER, "profile": dict | None},
    "ProfilePublic": {"bio": str, "avatar_url": str | None},
    "UserPostCount": {"id": int, "name": str, "post_count": int},
    "PostSummary": SUMMARY,
    "PostDetail": {**SUMMARY, "content": str, "author": dict, "comments": list},
    "AuthorPublic": {"id": int, "name": str},
    "CommentPublic": {"id": int, "post_id": int, "author_id": int, "content": str},
    "TagPublic": {"id": int, "name": str, "post_count": int},
    "Page": PAGE,
    "CursorPage": {"items": list, "next_cursor": str | None},
    "Found": {"items": list},
    "BulkResult": {"count": int},
    "AuditEntry": {
        "id": int,
        "table_name": str,
        "record_id": int | str,
        "action": str,
        "changes": dict,
        "actor": str | None,
        "created_at": str,
    },
    "Change": {"old": object, "new": object},
}
RECORDS = {"UserPublic", "UserDetail", "PostSummary", "PostDetail", "CommentPublic"}
ADDED: dict[str, dict[str, Any]] = {
    "timestamps": dict.fromkeys(STAMPS, str),
    "soft_delete": {"deleted_at": str | None},
    "optimistic_locking": {"version": int},
}
PARTS = {"profile": "ProfilePublic", "author": "AuthorPublic"}


class Schemas:
    """The schemas of one variant."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        """Take from `answers` what the mixins add to a record."""
        self.added = {field: kind for mixin in answers["mixins"] for field, kind in ADDED.get(mixin, {}).items()}

    def check(self, schema: str, body: dict[str, Any], of: str | None = None) -> None:
        """Assert that `body` has exactly the fields of `schema`; a page has items of the schema `of`."""
        fields = FIELDS[schema] | (self.added if schema in RECORDS else {})
        assert body.keys() == fields.keys()
        for field, kind in fields.items():
            value = body[field]
            assert isinstance(value, kind), f"{schema}.{field} is {value!r}"
            assert kind in {bool, object} or not isinstance(value, bool)
            assert field not in MOMENTS or value is None or MOMENT.fullmatch(value), f"{schema}.{field} is {value!r}"
        for field in PARTS.keys() & body.keys():
            if body[field] is not None:
                self.check(PARTS[field], body[field])
        for comment in body.get("comments", ()):
            self.check("CommentPublic", comment)
        for change in body.get("changes", {}).values():
            self.check("Change", change)
        if of is not None:
            for item in body["items"]:
                self.check(of, item)


def stable_fields(body: dict[str, Any]) -> dict[str, Any]:
    """Leave out of `body` what every write changes."""
    return {field: value for field, value in body.items() if field not in {"updated_at", "version"}}
