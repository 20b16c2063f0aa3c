"""The shapes of the contract: which fields a body has, and of which type."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?(Z|\+00:00)")
STAMPS = ("created_at", "updated_at")

USER = {"id": int, "email": str, "name": str, "role": str, "is_active": bool, "preferences": dict}
SUMMARY = {"id": int, "author_id": int, "title": str, "published": bool, "tags": list}
PAGE = {"items": list, "total": int, "page": int, "size": int, "pages": int}
FIELDS: dict[str, dict[str, Any]] = {
    "User": USER,
    "UserDetail": {**USER, "profile": dict | None},
    "Profile": {"bio": str, "avatar_url": str | None},
    "UserPostCount": {"id": int, "name": str, "post_count": int},
    "PostSummary": SUMMARY,
    "Post": {**SUMMARY, "content": str, "author": dict, "comments": list},
    "Author": {"id": int, "name": str},
    "Comment": {"id": int, "post_id": int, "author_id": int, "content": str},
    "Tag": {"id": int, "name": str, "post_count": int},
    "Page": PAGE,
    "CursorPage": {"items": list, "next_cursor": str | None},
    "BulkResult": {"count": int},
}
STAMPED = {"User", "UserDetail", "PostSummary", "Post", "Comment"}
PARTS = {"profile": "Profile", "author": "Author"}


class Shapes:
    """The shapes of one variant."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        """Take from `answers` what the mixins add."""
        self.stamps = STAMPS if "timestamps" in answers["mixins"] else ()

    def check(self, shape: str, body: dict[str, Any], of: str | None = None) -> None:
        """Assert that `body` has exactly the fields of `shape`; a page has items of the shape `of`."""
        stamps = self.stamps if shape in STAMPED else ()
        assert body.keys() == FIELDS[shape].keys() | set(stamps)
        for field, kind in FIELDS[shape].items():
            value = body[field]
            assert isinstance(value, kind), f"{shape}.{field} is {value!r}"
            assert kind is bool or not isinstance(value, bool)
        for field in stamps:
            assert MOMENT.fullmatch(body[field]), f"{shape}.{field} is {body[field]!r}"
        for field in PARTS.keys() & body.keys():
            if body[field] is not None:
                self.check(PARTS[field], body[field])
        for comment in body.get("comments", ()):
            self.check("Comment", comment)
        if of is not None:
            for item in body["items"]:
                self.check(of, item)
