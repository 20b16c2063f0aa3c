"""Rows that are there get a value in a column that a change adds, as the service itself would have written it."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from copier_fastapi_sqlalchemy.resource.changes import Change, Side, plan_addition, plan_change
from copier_fastapi_sqlalchemy.resource.fields import parse_field, parse_fields
from copier_fastapi_sqlalchemy.resource.fill import Fill, literal_of
from copier_fastapi_sqlalchemy.resource.names import names_of
from copier_fastapi_sqlalchemy.resource.project import Project, open_project
from copier_fastapi_sqlalchemy.resource.record import Resource
from copier_fastapi_sqlalchemy.resource.revision import column_of, review_of
from copier_fastapi_sqlalchemy.resource.sql import quoted
from copier_fastapi_sqlalchemy.resource.types import TYPES
from tests.harness.alembic import Alembic
from tests.harness.rendering import render_variant
from tests.harness.servers import NewDatabase, engine
from tests.harness.variants import Variant
from tests.harness.warm_process import WarmProcess

AWKWARD = 'it\'s 100% "a\\b" :c ::d é'
# A field of each type, the text of a value, and the value as the project's tables give it.
VALUES: dict[str, tuple[str, Any]] = {
    "name:str:100": (AWKWARD, AWKWARD),
    "body:text": (AWKWARD, AWKWARD),
    "pages:int": ("-7", -7),
    "copies:bigint": (str(-(2**63)), -(2**63)),
    "published:bool": ("true", True),
    "sold:bool": ("False", False),
    "ratio:float": ("-2.5e-300", -2.5e-300),
    "price:decimal:10,2": ("-12.5", "-12.50"),
    "printed_on:date": ("1999-12-31", "1999-12-31"),
    "starts_at:datetime": ("2026-01-31T12:00:00.000001+02:00", "2026-01-31 10:00:00.000001+00:00"),
    "opens_at:time": ("12:30:00.000001", "12:30:00.000001"),
    "lasts:interval": ("-P1DT0.000001S", "-2 days, 23:59:59.999999"),
    "code:uuid": ("00000000-0000-4000-8000-00000000000F", "00000000-0000-4000-8000-00000000000f"),
    "extra:json": ('{"a": [1, 0.5, null, ":b \'é\' 50%"]}', {"a": [1, 0.5, None, ":b 'é' 50%"]}),
    "cover:bytes": ("AP8=", "b'\\x00\\xff'"),
    "contact:email": ("ada@example.com", "ada@example.com"),
    "site:url": ("https://example.com:80/?q=a:b%20c", "https://example.com:80/?q=a:b%20c"),
    "status:enum:draft,in-print": ("in-print", "in-print"),
    "editor:ref:users": ("1", 1),
    "select:int": ("1", 1),  # a word of SQL
}
READ = """
import json, sys
from sqlalchemy import create_engine, select
from app.tables import metadata
engine = create_engine(sys.argv[1])
with engine.connect() as connection:
    books = metadata.tables["books"]
    rows = connection.execute(select(books).order_by(books.c.id)).mappings()
    print(json.dumps([dict(row) for row in rows], default=str))
engine.dispose()
"""


FIND = """
import sys
from sqlalchemy import create_engine, select
from app.db.search import ranked
from app.tables import metadata
engine = create_engine(sys.argv[1])
with engine.connect() as connection:
    print(connection.scalars(ranked(select(metadata.tables["books"].c.id), "books", sys.argv[2])).all())
engine.dispose()
"""


def resource(*fields: str) -> Resource:
    return Resource(names_of("books"), parse_fields(fields))


def change(alembic: Alembic, project: Project, old: Resource, new: Resource, fills: tuple[Fill, ...] = ()) -> str:
    """Change a resource without conflicts, run the revision and give it as Alembic wrote it."""
    made = Change("resource change")
    plan_change(made, Side(old, project), Side(new, project))
    assert (made.notes, made.conflicts) == ([], [])
    made.plan("Change books", project.folder).write()
    return revise(alembic, project, old, new, fills)


def revise(alembic: Alembic, project: Project, old: Resource, new: Resource, fills: tuple[Fill, ...]) -> str:
    before = set(project.folder.glob("migrations/versions/*.py"))
    alembic("revision --autogenerate -m 'Change books'")
    (path,) = set(project.folder.glob("migrations/versions/*.py")) - before
    written = path.read_text(encoding="utf-8")
    review = review_of(project, old, new, fills)
    path.write_text(review.edit(written), encoding="utf-8")
    alembic("upgrade head", "check")
    return "".join(review.losses(written))


def rows(warm_process: WarmProcess, project: Project, url: str) -> list[dict[str, Any]]:
    """Read the books through the project's own types."""
    driven = engine(url).url.render_as_string(hide_password=False)
    output = warm_process.run(["-c", READ, driven], project.folder, {"DATABASE_URL": url}).output
    found: list[dict[str, Any]] = json.loads(output.splitlines()[-1])
    return found


def execute(url: str, *statements: str) -> None:
    made = engine(url)
    with made.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    made.dispose()


@pytest.fixture
def opened(variant: Variant, source: Path, tmp_path: Path) -> Project:
    """A project of the variant, in a folder of its own."""
    return open_project(render_variant(source, variant, tmp_path / "project"))


@pytest.mark.each_database
@pytest.mark.example
def test_rows_get_values_of_every_type(opened: Project, new_database: NewDatabase, warm_process: WarmProcess) -> None:
    assert {parse_field(field).type for field in VALUES} == {*TYPES} - {"many"}
    old, new = resource("title:str"), resource("title:str", *VALUES, "tags:many:tags")
    plan_addition(opened, old).write()
    with new_database() as url:
        alembic = Alembic(warm_process, opened.folder, url)
        alembic("upgrade head", "revision --autogenerate -m 'Add books'", "upgrade head")
        warm_process.run(["-m", "app.seed"], opened.folder, {"DATABASE_URL": url})
        execute(url, "INSERT INTO books (title) VALUES ('first'), ('second')")
        fills = tuple(
            Fill(column_of(field), literal_of(field, VALUES[text][0], opened.answers.database), is_new=True)
            for text, field in zip(VALUES, new.fields[1:], strict=False)
        )
        assert change(alembic, open_project(opened.folder), old, new, fills) == ""
        expected = {fill.column: value for fill, (_, value) in zip(fills, VALUES.values(), strict=True)}
        found = rows(warm_process, opened, url)
        assert [{name: row[name] for name in expected} for row in found] == [expected] * 2
        assert [row["title"] for row in found] == ["first", "second"]
        alembic("downgrade -1", "upgrade head", "check")


@pytest.mark.each_database
@pytest.mark.base
def test_values_are_converted_to_another_type(
    opened: Project, new_database: NewDatabase, warm_process: WarmProcess
) -> None:
    old = resource("code:str:20:unique", "sold:bool", "copies:int")
    new = resource("code:int:unique", "sold:int", "copies:bool")
    plan_addition(opened, old).write()
    with new_database() as url:
        alembic = Alembic(warm_process, opened.folder, url)
        alembic("upgrade head", "revision --autogenerate -m 'Add books'", "upgrade head")
        execute(url, "INSERT INTO books (code, sold, copies) VALUES ('12', true, 0)")
        change(alembic, open_project(opened.folder), old, new)
        [row] = rows(warm_process, opened, url)
        assert [row[name] for name in ("code", "sold", "copies")] == [12, 1, False]
        alembic("downgrade -1", "upgrade head", "check")


@pytest.mark.each_database
@pytest.mark.mixin("full_text_search")
def test_rows_keep_their_values_in_changed_columns(
    opened: Project, new_database: NewDatabase, warm_process: WarmProcess
) -> None:
    old = resource("title:str:50:search", "state:enum:a,b", "price:decimal:10,2", "note:str?", "order:int?")
    new = resource(
        *("title:str:90:search", "state:enum:a,b,c", "price:decimal:12,4", "note:str", "order:bigint"),
        "body:str:50?:search",
    )
    plan_addition(opened, old).write()
    with new_database() as url:
        alembic = Alembic(warm_process, opened.folder, url)
        alembic("upgrade head", "revision --autogenerate -m 'Add books'", "upgrade head")
        price, order = (
            ("1250" if opened.answers.database == "sqlite" else "12.50"),
            quoted("order", opened.answers.database),
        )
        columns = f"INSERT INTO books (title, state, price, note, {order})"
        execute(url, f"{columns} VALUES ('first', 'a', {price}, NULL, NULL), ('second', 'b', {price}, 'kept', 2)")
        fills = tuple(
            Fill(name, literal_of(parse_field(field), value, opened.answers.database), is_new=False)
            for name, field, value in [("note", "note:str", "a :b's"), ("order", "order:bigint", "0")]
        )
        assert change(alembic, open_project(opened.folder), old, new, fills) == ""
        kept = [[row[name] for name in ("price", "note", "order")] for row in rows(warm_process, opened, url)]
        assert kept == [["12.5000", "a :b's", 0], ["12.5000", "kept", 2]]
        execute(url, f"{columns.replace('note', 'note, body')} VALUES ('third', 'c', {price}, '', 'hidden word', 3)")
        driven = engine(url).url.render_as_string(hide_password=False)
        for words, found in {"hidden": [3], "second": [2]}.items():
            done = warm_process.run(["-c", FIND, driven, words], opened.folder, {"DATABASE_URL": url})
            assert done.output.splitlines()[-1] == str(found)
        if opened.answers.database == "postgresql":
            execute(url, "DELETE FROM books WHERE state = 'c'")
            alembic("downgrade -1", "upgrade head", "check")
