"""What every resource does over HTTP, whatever its fields: the suite reads the fields, and calls the routes.

`tests/resource/drive.py` runs it on a resource that was added. `Records` has what its fields ask for.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

import pytest
from sqlalchemy import text

from tests.contract.blog import MAX_ID, ids, unique_word
from tests.contract.problems import locations
from tests.contract.schemas import MOMENT, stable_fields
from tests.contract.storage import as_utc
from tests.contract.test_timestamps import moment
from tests.resource.records import ABSENT, Member, Records

MOVED = {"updated_at", "version"}
MASK = "***"
ANY_WORDS = (
    'c++ "(',
    "'",
    "%",
    "a & | !b",
    "*",
    "-",
    "\\",
    "()",
    "<->",
    "a:*",
    "NEAR(a b)",
    "日本語",
    "\u202e",
    "x" * 200,
)
CheckT = TypeVar("CheckT", bound=Callable[[Records], None])
# What the service has to have for a check: mixins, and routes as `Records.routes` names them.
NEEDS: dict[str, frozenset[str]] = {}


def needs(*mixins_or_routes: str) -> Callable[[CheckT], CheckT]:
    """Mark a check that only some resources can pass."""

    def mark(check: CheckT) -> CheckT:
        NEEDS[check.__name__] = frozenset(mixins_or_routes)
        return check

    return mark


def checks_for(records: Records) -> dict[str, Callable[[Records], None]]:
    """Give the checks that a resource has to pass."""
    paging = "pages" if "list" in records.routes and records.is_paged else "cursor"
    has = records.mixins | {*records.routes, paging, *(["parent"] if records.parent else [])}
    return {
        name: check
        for name, check in globals().items()
        if name.startswith("test_") and NEEDS.get(name, frozenset()) <= has
    }


def test_record_is_created_and_read(books: Records) -> None:
    body = books.body()
    created = books.create(body)
    made = created.json()
    assert made.keys() == {"id", *books.added, *(member.name for member in books.shown)}
    assert books.differences(made, body) == {}
    assert created.headers["location"] == f"/api/v1{books.path('read', made)}"
    assert books.read(made) == made
    assert books.listed() == [made]
    row = books.stored.row(books.table, id=made["id"])
    assert row.keys() >= {member.name for member in books.columns}
    for member in books.columns:
        if member.field.secret and member.field.type == "str":
            assert row[member.name] == body[member.name]
    if "timestamps" in books.mixins:
        assert MOMENT.fullmatch(made["created_at"])
        assert as_utc(row["created_at"]) == moment(made["created_at"])
        assert made["created_at"] == made["updated_at"]


def test_field_that_is_left_out_has_its_default(books: Records) -> None:
    body = books.body()
    left_out = [member for member in books.members if not member.is_required]
    given = {name: value for name, value in body.items() if name not in {member.name for member in left_out}}
    made = books.create(given).json()
    expected = {member.name: member.when_left_out for member in left_out}
    assert books.differences(made, given | expected) == {}
    assert books.read(made) == made


def test_required_field_is_required(books: Records) -> None:
    required = {member.name for member in books.members if member.is_required}
    everything = {("body", name) for name in required}
    if required:
        assert locations(books.create({}, 422).json()) == everything
    for name in required:
        body = {key: value for key, value in books.body(0).items() if key != name}
        assert locations(books.create(body, 422).json()) == {("body", name)}
    assert books.total() == 0


def test_null_is_for_fields_that_can_be_null(books: Records) -> None:
    nullable = {member.name for member in books.members if member.field.nullable}
    made = books.new()
    made = books.change(made, dict.fromkeys(nullable)).json()
    assert books.differences(made, dict.fromkeys(nullable)) == {}
    assert books.read(made) == made
    others = {member.name for member in books.members} - nullable
    refused = {("body", name) for name in others}
    if others:
        assert locations(books.change(made, dict.fromkeys(others), 422).json()) == refused
        assert locations(books.create(dict.fromkeys(others), 422).json()) >= refused
    created = books.create(books.body(**dict.fromkeys(nullable))).json()
    assert books.differences(created, dict.fromkeys(nullable)) == {}
    assert books.read(created) == created
    nulls = {member.name: None for member in books.columns if member.field.nullable}
    for row in (made, created):
        assert books.stored.count(books.table, id=row["id"], **nulls) == 1


def test_values_at_the_edges_are_read_as_they_were_sent(books: Records) -> None:
    made = books.new()
    for round_ in books.rounds({member.name: member.values.valid for member in books.members}):
        sent, expected = ({name: pair[side] for name, pair in round_.items()} for side in (0, 1))
        changed = books.change(made, sent).json()
        assert books.differences(changed, expected) == {}
        assert books.read(made) == changed
        if len(sent) > len(books.members) / 2:
            books.delete(made)
            created = books.create(books.body(**sent)).json()
            assert books.differences(created, expected) == {}
            made = books.read(created)
            assert made == created


def test_values_beyond_the_edges_are_refused(books: Records) -> None:
    made, body = books.new(), books.body()
    before = books.listed()
    for round_ in books.rounds({member.name: member.invalid for member in books.members}):
        refused = {("body", name) for name in round_}
        for response in (books.create(body | round_, 422), books.change(made, round_, 422)):
            accepted = {name: round_[name] for _, name in refused - locations(response.json())}
            assert accepted == {}
            assert locations(response.json()) == refused
    assert books.listed() == before


def test_base64_is_in_the_document(books: Records) -> None:
    for member in books.members:
        if member.field.type == "bytes":
            for schema in (books.schema("create"), *([] if member.field.secret else [books.schema_shown("read")])):
                declared = schema["properties"][member.name]
                declared = declared.get("anyOf", [declared])[0]
                assert {name: declared[name] for name in ("type", "contentEncoding", "maxLength")} == {
                    "type": "string",
                    "contentEncoding": "base64",
                    "maxLength": max(len(sent) for sent, _ in member.values.valid),
                }
                assert "format" not in declared


def test_field_that_is_not_there_is_refused(books: Records) -> None:
    made = books.new()
    for name in ("unknown", "id", "created_at", "updated_at", "deleted_at", "deletion_id", "version"):
        for refused in (books.create(books.body(0, **{name: 1}), 422), books.change(made, {name: 1}, 422)):
            assert locations(refused.json()) == {("body", name)}
    bodies: list[Any] = [None, [], "text", 5]
    for body in bodies:
        assert locations(books.create(body, 422).json()) == {("body",)}
        assert locations(books.change(made, body, 422).json()) == {("body",)}
    assert books.listed() == [made]


def test_patch_changes_one_field_alone(books: Records) -> None:
    made = books.new()
    before = made
    for member in books.members:
        value = books.value(member, 3 if member.field.type == "bool" else 4)
        after = books.change(made, {member.name: value}).json()
        assert books.differences(after, {**before, member.name: value}) == {}
        changed = {} if member.field.secret else {member.name: after[member.name]}
        assert stable_fields(after) == stable_fields(before | changed)
        if "optimistic_locking" in books.mixins:
            assert after["version"] == before["version"] + 1
        if "timestamps" in books.mixins:
            assert moment(after["updated_at"]) > moment(before["updated_at"])
        before = after
    assert books.change(made, {}).json() == before == books.read(made)


@needs("list", "pages")
def test_records_are_listed_in_pages(books: Records) -> None:
    made = [books.new() for _ in range(5)]
    page = books.page(page=2, size=2)
    assert page == {"items": made[2:4], "total": 5, "page": 2, "size": 2, "pages": 3}
    assert books.page() == {"items": made, "total": 5, "page": 1, "size": 20, "pages": 1}
    assert books.page(page=4, size=2)["items"] == []
    for query in ({"size": 101}, {"size": 0}, {"page": 0}, {"unknown": 1}):
        problem = books.call("list", 422, params=query).json()
        assert locations(problem) == {("query", *query)}


@needs("list", "cursor")
def test_records_are_listed_after_a_cursor(books: Records) -> None:
    made = [books.new() for _ in range(5)]
    first = books.page(limit=2)
    second = books.page(limit=2, cursor=first["next_cursor"])
    last = books.page(limit=2, cursor=second["next_cursor"])
    assert [*first["items"], *second["items"], *last["items"]] == made[::-1]
    assert last["next_cursor"] is None
    assert books.page() == {"items": made[::-1], "next_cursor": None}
    books.call("list", 400, params={"cursor": "none of ours"})
    for query in ({"limit": 101}, {"limit": 0}, {"unknown": 1}):
        problem = books.call("list", 422, params=query).json()
        assert locations(problem) == {("query", *query)}


@needs("parent", "create", "list")
def test_records_belong_to_a_parent(books: Records) -> None:
    assert books.parent
    made = books.new()
    parent = made[books.parent.name]
    assert parent == books.target(books.parent.field, 0)
    table = books.parent.field.arguments[0].replace("_", "-")
    other = books.new_target(books.parent.field.arguments[0])
    assert books.blog.items(f"/{table}/{other}/{books.resource.names.path}") == []
    absent = f"/{table}/{ABSENT}/{books.resource.names.path}"
    books.blog.get(absent, expect=404)
    books.blog.post(absent, books.body(), expect=404)
    books.create(books.body(0, **{books.parent.name: other}), 422)
    books.delete_target(books.parent.field, parent)
    books.call("read", 404, record=made)
    books.forget_targets()


@needs("list")
def test_records_are_filtered(books: Records) -> None:
    beside = {"page", "size", "sort"} if books.is_paged else {"limit", "cursor"}
    beside |= {"include_deleted"} if "soft_delete" in books.mixins else set()
    assert books.parameters("list") - beside == {member.filter for member in books.filters}
    other, same = books.body(), books.body()
    for member in books.filters:
        if member.is_key:
            key = books.target(member.field, 100)
            same[member.name] = [key] if member.field.type == "many" else key
    before, made = books.create(other).json(), books.create(same).json()
    for member in books.filters:
        [value] = same[member.name] if isinstance(same[member.name], list) else [same[member.name]]
        items = books.listed(**{member.filter: value})
        is_other = member.field.type == "enum" and len(member.field.arguments) == 1
        assert items == ([before, made] if is_other else [made]), member.name
    every = {
        member.filter: same[member.name][0] if member.field.type == "many" else same[member.name]
        for member in books.filters
    }
    assert books.listed(**every) == ([made] if every else [before, made])
    for member in books.filters:
        if member.field.type in {"date", "datetime", "time"}:
            books.call("list", 422, params={member.filter: "20270101"})
        if member.field.type not in {"str", "email"}:
            problem = books.call("list", 422, params={member.filter: "no value of it"}).json()
            assert locations(problem) == {("query", member.filter)}
        else:
            assert books.listed(**{member.filter: "no such"}) == []


@needs("list", "pages")
def test_records_are_sorted(books: Records) -> None:
    bodies = [books.body(number) for number in (1, 0, 2)]
    made = [books.create(body).json() for body in bodies]
    for number, member in enumerate(books.sortable):
        sign = "-" * (number % 2)
        items = books.listed(sort=f"{sign}{member.name}")
        if member.field.type == "enum":  # by its text
            values = sorted((body[member.name] for body in bodies), reverse=bool(sign))
            assert [item[member.name] for item in items] == values
        else:
            order = [made[2], made[0], made[1]] if sign else [made[1], made[0], made[2]]
            assert ids(items) == ids(order), member.name
    stamps = ["created_at", "updated_at"] if "timestamps" in books.mixins else []
    for name in ("id", *stamps):
        assert books.listed(sort=name) == made
        assert books.listed(sort=f"-{name}") == made[::-1]
    names = ["id", *stamps, *(member.name for member in books.sortable)]
    assert ids(books.listed(sort=",".join(names))) == ids(made)
    others = {member.name for member in books.members} - {*names}
    for sort in (*others, "unknown", "-id,id", "deletion_id", ","):
        problem = books.call("list", 422, params={"sort": sort}).json()
        assert locations(problem) == {("query", "sort")}


@needs("list", "pages")
def test_records_with_null_are_sorted(books: Records) -> None:
    names = [member.name for member in books.sortable if member.field.nullable][:4]
    made = [books.new(), books.new(**dict.fromkeys(names)), books.new()]
    for name in names:
        forwards, backwards = (ids(books.listed(sort=f"{sign}{name}")) for sign in ("", "-"))
        assert sorted(forwards) == sorted(backwards) == ids(made)
        assert forwards.index(made[1]["id"]) == 2 - backwards.index(made[1]["id"])


def test_deleted_record_is_gone(books: Records) -> None:
    made, other = books.new(), books.new()
    books.delete(made)
    books.call("read", 404, record=made)
    books.change(made, {}, 404)
    books.delete(made, 404)
    assert books.listed() == [other]
    assert books.total() == 1
    hidden = "soft_delete" in books.mixins
    assert books.stored.with_deleted.count(books.table, id=made["id"]) == hidden
    for number in (MAX_ID, ABSENT):
        books.call("read", 404, record=number)
    for number in (0, -1, MAX_ID + 1):
        books.call("read", 422, record=number)


@needs("bulk")
def test_bulk_creates_all_or_none(books: Records) -> None:
    rows = [columns(books, books.body()) for _ in range(3)]
    made = books.call("bulk", 201, rows).json()
    assert made == {"count": 3}
    listed = books.listed()
    assert [books.differences(item, row) for item, row in zip(listed, rows, strict=True)] == [{}, {}, {}]
    lists: dict[str, list[int]] = {member.name: [] for member in books.members if member.field.type == "many"}
    assert all(item == item | lists for item in listed)
    refused = [([], 422), ([rows[0]] * 1001, 422), ({}, 422)]
    first, second = (columns(books, books.body()) for _ in range(2))
    refused += [([first, {**second, "unknown": 1}], 422)]
    for group in books.unique:
        refused += [([first, second | {member.name: first[member.name] for member in group}], 409)]
    for name in references(books).keys() - lists:
        problem = books.call("bulk", 422, [first, {**second, name: ABSENT}]).json()
        assert [error["location"] for error in problem["errors"]] == [["body", 1, name]]
    refused += [([first, {**second, name: value}], 422) for name, value in lists.items()]
    for body, status in refused:
        books.call("bulk", status, body)
    assert books.listed() == listed
    books.call("bulk", 201, [first, second])


@needs("bulk_delete")
def test_bulk_deletes_all_or_none(books: Records) -> None:
    made = [books.new() for _ in range(3)]
    keys = ids(made)
    books.call("bulk_delete", 404, {"ids": [*keys, ABSENT]})
    refused: list[Any] = [{"ids": []}, {"ids": [0]}, {"ids": ["1"]}, {"ids": list(range(1, 1002))}, {}, keys]
    for body in refused:
        books.call("bulk_delete", 422, body)
    assert books.listed() == made
    assert books.call("bulk_delete", 200, {"ids": [keys[0], keys[1], keys[0]]}).json() == {"count": 2}
    assert books.listed() == made[2:]
    books.call("bulk_delete", 404, {"ids": keys})
    assert books.listed() == made[2:]


def test_absent_reference_is_reported(books: Records) -> None:
    made = books.new()
    for name, value in references(books).items():
        for refused in (books.create(books.body(0, **{name: value}), 422), books.change(made, {name: value}, 422)):
            assert [error["location"] for error in refused.json()["errors"]] == [["body", name]]
    assert books.listed() == [made]


@needs("soft_delete")
def test_deleted_reference_is_absent(books: Records) -> None:
    made = books.new()
    for member in books.members:
        if member.is_key and member.field.arguments[0] not in {"tags", books.table}:
            key = books.new_target(member.field.arguments[0])
            books.delete_target(member.field, key)
            value = [key] if member.field.type == "many" else key
            for refused in (
                books.create(books.body(0, **{member.name: value}), 422),
                books.change(made, {member.name: value}, 422),
            ):
                assert locations(refused.json()) == {("body", member.name)}
    assert books.listed() == [made]


def test_deletion_of_a_reference_reaches_the_record(books: Records) -> None:
    for member in books.columns:
        if not member.is_key or member.field.arguments[0] == books.table:
            continue
        key = books.new_target(member.field.arguments[0])
        made = books.new(**{member.name: key})
        if "restrict" in member.field.options:
            books.delete_target(member.field, key, 409)
            books.delete(made)
            books.delete_target(member.field, key)
            continue
        books.delete_target(member.field, key)
        if "cascade" in member.field.options or not member.field.nullable:
            books.call("read", 404, record=made)
            if "soft_delete" in books.mixins:
                books.restore(made, 409)
                books.blog.restore(f"/{member.field.arguments[0]}/{key}")
                assert stable_fields(books.read(made)) == stable_fields(made)
                books.delete(made)
        else:
            kept = key if "soft_delete" in books.mixins else None
            assert books.read(made)[member.name] == kept
            books.delete(made)
    assert books.listed() == []


def test_record_refers_to_another_of_its_kind(books: Records) -> None:
    for member in books.columns:
        if member.is_key and member.field.arguments[0] == books.table:
            first = books.new()
            second = books.new(**{member.name: first["id"]})
            assert second[member.name] == first["id"]
            assert books.listed(**{member.filter: first["id"]}) == [second]
            assert books.change(first, {member.name: first["id"]}).json()[member.name] == first["id"]
            books.call("bulk_delete", 200, {"ids": ids([first, second])})


def test_lists_are_replaced(books: Records) -> None:
    for member in books.members:
        if member.field.type == "many":
            keys = sorted(books.target(member.field, number) for number in range(3))
            made = books.new(**{member.name: [keys[2], keys[0], keys[2]]})
            assert made[member.name] == [keys[0], keys[2]]
            assert books.read(made) == made
            for given in ([keys[1], keys[2]], [], keys, keys[::-1]):
                changed = books.change(made, {member.name: given}).json()
                assert changed[member.name] == sorted(given)
                assert books.read(made) == changed
                assert books.listed(**{member.filter: keys[1]}) == ([changed] if keys[1] in given else [])
            one_absent = [keys[0], ABSENT]
            assert locations(books.change(made, {member.name: one_absent}, 422).json()) == {("body", member.name)}
            assert books.read(made) == changed
            books.delete(made)


def test_taken_value_is_409(books: Records) -> None:
    for group in books.unique:
        is_looked_at = group in (books.unique[0], books.unique[-1])
        body = books.body()
        made, taken = books.create(body).json(), {member.name: body[member.name] for member in group}
        other = books.body()
        books.create(other | taken, 409)
        if not is_looked_at:
            continue
        second = books.create(other).json()
        books.change(second, taken, 409)
        assert books.read(second) == second
        assert stable_fields(books.change(made, taken).json()) == stable_fields(made)
        for member in group[1:]:
            books.change(second, {name: value for name, value in taken.items() if name != member.name})
        books.delete(made)
        books.change(second, taken)
        if "soft_delete" in books.mixins:
            books.restore(made, 409)
            books.delete(second)
            books.restore(made)
        nullable = {member.name: None for member in group if member.field.nullable}
        if nullable:
            books.create(books.body(**nullable))
            books.create(books.body(**nullable))


@needs("restore")
def test_deleted_record_is_shown_and_restored(books: Records) -> None:
    assert "soft_delete" in books.mixins
    made, other = books.new(), books.new()
    total = books.total(include_deleted=True)
    books.delete(made)
    shown = books.read(made, include_deleted=True)
    assert MOMENT.fullmatch(shown["deleted_at"])
    assert stable_fields({**shown, "deleted_at": None}) == stable_fields(made)
    assert books.listed(include_deleted=True)[-2:] == [shown, other]
    assert books.total(include_deleted=True) == total
    assert books.total() == 1
    restored = books.restore(made).json()
    assert stable_fields(restored) == stable_fields(made)
    assert books.read(made) == restored
    assert books.restore(made).json() == restored
    assert books.listed() == [restored, other]
    books.restore(ABSENT, 404)
    books.delete(made)
    books.restore(made)


def test_deletion_is_for_good_without_the_mixin(books: Records) -> None:
    if "soft_delete" not in books.mixins:
        assert "restore" not in books.routes
        problem = books.call("list", 422, params={"include_deleted": True}).json()
        assert locations(problem) == {("query", "include_deleted")}


@needs("optimistic_locking")
def test_write_is_meant_for_a_version(books: Records) -> None:
    created = books.create(books.body())
    made = created.json()
    first = created.headers["etag"]
    assert (made["version"], first) == (1, '"1"')
    name = next(member.name for member in books.members if not member.field.secret)
    body = {name: books.body()[name]}
    for stale in ('"2"', 'W/"1"', "1", '""'):
        books.change(made, body, 412, headers={"if_match": stale})
        books.delete(made, 412, headers={"if_match": stale})
    assert books.read(made) == made
    changed = books.change(made, body, headers={"if_match": f'"7", {first}'})
    assert (changed.json()["version"], changed.headers["etag"]) == (2, '"2"')
    assert books.call("read", 200, record=made).headers["etag"] == '"2"'
    books.change(made, body, 412, headers={"if_match": first})
    books.change(made, body, headers={"if_match": "*"})
    books.change(made, body)
    books.change(ABSENT, body, 404, headers={"if_match": first})
    books.delete(made, 412, headers={"if_match": '"2"'})
    books.delete(made, headers={"if_match": '"4"'})
    if "soft_delete" in books.mixins:
        shown = books.call("read", 200, record=made, params={"include_deleted": True})
        books.restore(made, 412, headers={"if_match": '"4"'})
        restored = books.restore(made, headers={"if_match": shown.headers["etag"]})
        assert restored.headers["etag"] == f'"{restored.json()["version"]}"' != shown.headers["etag"]


@needs("optimistic_locking")
def test_reference_is_locked_before_the_record_that_is_changed(books: Records) -> None:
    """A deletion of what a record refers to locks that first: the other way round the two would meet in a deadlock."""
    if books.stored.engine.dialect.name == "sqlite":
        return  # which locks the file
    for member in books.columns:
        table = member.field.arguments[0] if member.field.type == "ref" else books.table
        if table == books.table or member.field.owner:
            continue
        made = books.new()
        change = partial(books.change, made, {member.name: made[member.name]}, headers={"if_match": "*"})
        with ThreadPoolExecutor(1) as threads:
            with books.stored.engine.begin() as connection:
                lock = "SELECT id FROM {} WHERE id = :key FOR UPDATE"
                connection.execute(text(lock.format(table)), {"key": made[member.name]})
                response = threads.submit(change)
                with pytest.raises(TimeoutError):
                    response.result(timeout=0.5)  # it waits for what the record refers to
                connection.execute(text(f"{lock} NOWAIT".format(books.table)), {"key": made["id"]})
            response.result()
        books.delete(made)


def test_version_is_not_compared_without_the_mixin(books: Records) -> None:
    if "optimistic_locking" not in books.mixins:
        created = books.create(books.body())
        assert "etag" not in created.headers
        books.change(created.json(), {}, headers={"if_match": '"7"'})


@needs("audit_log")
def test_writes_are_in_the_audit_log(books: Records) -> None:
    actor, body = unique_word(), books.body()
    made = books.create(body, headers={"x_actor": actor}).json()
    [created] = entries(books, made)
    assert (created["action"], created["actor"]) == ("create", actor)
    given = {member.name for member in books.columns if body[member.name] is not None}
    assert created["changes"].keys() - {"id", *books.added} == given
    for member in books.columns:
        if member.name in given:
            check_change(member, created["changes"][member.name], None, body[member.name])
    values = {member.name: books.value(member, 3 if member.field.type == "bool" else 4) for member in books.columns}
    books.change(made, values)
    updated = entries(books, made)[0]
    assert (updated["action"], updated["actor"]) == ("update", None)
    assert updated["changes"].keys() - MOVED == {name for name, value in values.items() if value != body[name]}
    for member in books.columns:
        if member.name in updated["changes"]:
            check_change(member, updated["changes"][member.name], body[member.name], values[member.name])
    alone = next(member for member in books.columns if not member.is_key)
    books.change(made, {alone.name: books.value(alone, 5)})
    assert entries(books, made)[0]["changes"].keys() - MOVED == {alone.name}
    count = len(entries(books, made))
    books.change(made, {})
    books.change(made, {"unknown": 1}, 422)
    assert len(entries(books, made)) == count
    books.delete(made, headers={"x_actor": actor})
    deleted = entries(books, made)[0]
    assert (deleted["action"], deleted["actor"]) == ("delete", actor)
    assert ("deleted_at" in deleted["changes"]) == ("soft_delete" in books.mixins)


@needs("audit_log", "bulk")
def test_bulk_writes_are_in_the_audit_log(books: Records) -> None:
    rows = [columns(books, books.body()) for _ in range(2)]
    books.call("bulk", 201, rows)
    for row, made in zip(rows, books.listed(), strict=True):
        [created] = entries(books, made)
        for member in books.columns:
            if row[member.name] is not None:
                check_change(member, created["changes"][member.name], None, row[member.name])
    both = books.listed()
    books.call("bulk_delete", 200, {"ids": ids(both)})
    assert [entries(books, one)[0]["action"] for one in both] == ["delete", "delete"]


@needs("search")
def test_records_are_found_by_their_words(books: Records) -> None:
    searched = [member for member in books.members if member.field.search]
    assert searched
    made = books.new()

    def found(words: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = books.call("search", 200, params={"q": words}).json()["items"]
        return items

    for member in searched:
        word, other = unique_word()[:12], unique_word()[:12]
        made = books.change(made, {member.name: word}).json()
        assert found(word) == found(f" {word.upper()} ") == [made]
        assert found(other) == []
        made = books.change(made, {member.name: other}).json()
        assert (found(word), found(other)) == ([], [made])
        if member.field.nullable:
            books.change(made, {member.name: None})
            assert found(other) == []
            made = books.change(made, {member.name: other}).json()
    books.delete(made)
    assert found(other) == []
    if "soft_delete" in books.mixins:
        restored = books.restore(made).json()
        assert found(other) == [restored]
    for words in ANY_WORDS:
        books.call("search", (200, 422), params={"q": words})
    for query in ({"q": " "}, {}, {"q": "x" * 201}, {"q": "a\x00b"}):
        problem = books.call("search", 422, params=query).json()
        assert locations(problem) == {("query", "q")}
    books.call("search", 422, params={"q": word, "limit": 101})


def test_only_searched_fields_make_a_search(books: Records) -> None:
    searched = any(member.field.search for member in books.members)
    assert ("search" in books.routes) == searched


def columns(books: Records, body: dict[str, Any]) -> dict[str, Any]:
    """Leave out of a body what a bulk call doesn't take."""
    names = {member.name for member in books.columns}
    return {name: value for name, value in body.items() if name in names}


def references(books: Records) -> dict[str, Any]:
    """Give the fields that refer to other records, each with a value that names an absent one."""
    absent: dict[str, Any] = {"ref": ABSENT, "many": [ABSENT]}
    return {member.name: absent[member.field.type] for member in books.members if member.is_key}


def entries(books: Records, record: dict[str, Any]) -> list[dict[str, Any]]:
    """Read the entries of the audit log about a record, newest first."""
    return books.blog.items("/audit", table_name=books.table, record_id=record["id"], limit=100)


def check_change(member: Member, change: dict[str, Any], old: Any, new: Any) -> None:
    """Compare a change in the audit log with what the values were."""
    if member.field.secret:
        assert change == {side: None if value is None else MASK for side, value in (("old", old), ("new", new))}
    else:
        assert member.is_same(change["old"], old), (member.name, change, old)
        assert member.is_same(change["new"], new), (member.name, change, new)
