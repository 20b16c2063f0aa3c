"""A resource with fields of every type works in a project of every kind, as it is written: with no hand laid on it."""

from pathlib import Path

import pytest

from copier_fastapi_sqlalchemy.resource.changes import plan_addition, plan_removal
from copier_fastapi_sqlalchemy.resource.errors import Refusal
from copier_fastapi_sqlalchemy.resource.fields import parse_fields
from copier_fastapi_sqlalchemy.resource.names import names_of
from copier_fastapi_sqlalchemy.resource.project import open_project
from copier_fastapi_sqlalchemy.resource.record import Resource
from copier_fastapi_sqlalchemy.resource.types import TYPES
from tests.contract.blog import Blog
from tests.harness.alembic import Alembic
from tests.harness.commands import check_code
from tests.harness.project_tests import run_tests
from tests.harness.rendering import files_of, render, render_variant
from tests.harness.servers import NewDatabase
from tests.harness.service import calling
from tests.harness.variants import Variant
from tests.harness.warm_process import WarmProcess

FIELDS = (
    "title:str:200:unique:search",
    "body:text?:search",
    "pages:int=0",
    "copies:bigint:index",
    "published:bool=false",
    "ratio:float:index",
    "price:decimal:10,2:index",
    "printed_on:date?:index",
    "starts_at:datetime:index",
    "opens_at:time:index",
    "lasts:interval",
    "code:uuid:unique",
    "extra:json",
    "cover:bytes?",
    "contact:email",
    "site:url?",
    "status:enum:draft,in-print,out=draft",
    "query:enum:all,some",
    "token:str:40:secret",
    "whole:ref:books?",
)
REFERENCES = ("author:ref:users", "editor:ref:users?", "tags:many:tags")


def fields_for(variant: Variant) -> list[str]:
    """Give fields of every type, as far as the variant can have them."""
    fields = [*FIELDS, *(REFERENCES if variant.example else [])]
    if "full_text_search" in variant.mixins:
        return fields
    return [field.replace(":search", "") for field in fields]


def resource(plural: str, *fields: str, unique: tuple[tuple[str, ...], ...] = ()) -> Resource:
    return Resource(names_of(plural), parse_fields(fields), unique)


def add(project: Path, new: Resource) -> None:
    plan_addition(open_project(project), new).write()


@pytest.mark.parametrize(
    ("name", "fields", "unique", "remedy"),
    [
        ("requests", ["title:str"], (), "Give the resource another name, or --singular"),
        ("transactions", ["amount:int"], (), "Give the resource another name, or --singular"),
        ("values", ["title:str"], (), "Give the resource another name, or --singular"),
        ("dates", ["day:date"], (), "Give the resource another name, or --singular"),
        ("collections", ["title:str"], (), "Give the resource another name, or --singular"),
        ("books", ["owner:ref:users", "owner_id:int"], (), "Give 'owner_id' or 'owner' another name"),
        ("books", ["tags:many:tags", "tag_ids:json"], (), "Give 'tags' or 'tag_ids' another name"),
        ("books", ["tags:many:tags", "tag:ref:tags"], (), "Give 'tags' or 'tag' another name"),
        ("books", ["values:many:tags"], (), "Give the field 'values' another name"),
        ("books", ["title:str:unique"], (("title",),), "Say once that title is unique."),
        ("books", ["title:str"], (("title", "title"),), "Say once that title, title is unique."),
        ("books", ["title:str"], (("author",),), "Name fields of the resource in --unique: 'author' isn't one."),
        (
            "books",
            ["author:ref:writers"],
            (),
            "Let 'author' refer to a table of the project: comments, posts, tags, users.",
        ),
        ("books", ["author:ref:profiles"], (), "Let 'author' refer to another table: 'profiles' has no key `id`"),
        ("books", ["title:str:search"], (), "Leave `search` out"),
    ],
)
def test_names_that_cannot_be_are_refused(
    source: Path, tmp_path: Path, name: str, fields: list[str], unique: tuple[tuple[str, ...], ...], remedy: str
) -> None:
    project = open_project(render(source, tmp_path / "project", {}))
    with pytest.raises(Refusal) as refusal:
        plan_addition(project, resource(name, *fields, unique=unique))
    assert str(refusal.value).startswith(remedy)


def test_fields_are_of_every_type() -> None:
    assert {field.type for field in parse_fields([*FIELDS, *REFERENCES])} == {*TYPES}


def test_added_resource_is_clean_and_passes_its_tests(
    variant: Variant,
    new_database: NewDatabase,
    source: Path,
    tmp_path: Path,
    warm_process: WarmProcess,
    mypy_cache: Path,
) -> None:
    project = render_variant(source, variant, tmp_path / "project")
    before = files_of(project)
    books, items = (
        resource("books", *fields_for(variant)),
        resource("order_items", "name:str", "book:ref:books:cascade", unique=(("name", "book"),)),
    )
    add(project, books)
    add(project, items)
    check_code(project, mypy_cache)
    with new_database() as url:
        alembic = Alembic(warm_process, project, url)
        alembic("upgrade head", "revision --autogenerate -m 'Add books'")
        alembic("upgrade head", "check")
        folders = ("tests/books", "tests/order_items", "tests/test_migrations.py", "tests/test_tables.py")
        assert " passed" in run_tests(warm_process, project, {"TEST_DATABASE_URL": url}, *folders).output
    for added in (items, books):
        plan_removal(open_project(project), added).write()
    after = files_of(project)
    assert {path: text for path, text in after.items() if is_source(path)} == {
        path: text for path, text in before.items() if is_source(path)
    }


@pytest.mark.each_database
@pytest.mark.base
def test_row_that_others_refer_to_is_not_deleted(
    variant: Variant, new_database: NewDatabase, source: Path, tmp_path: Path, warm_process: WarmProcess
) -> None:
    project = render_variant(source, variant, tmp_path / "project")
    add(project, resource("shelves", "name:str"))
    add(project, resource("folders", "shelf:ref:shelves:restrict"))
    with new_database() as url:
        alembic = Alembic(warm_process, project, url)
        alembic("upgrade head", "revision --autogenerate -m 'Add shelves'", "upgrade head")
        with calling(warm_process, project, {"DATABASE_URL": url}, tmp_path, path="") as client:
            blog = Blog(client)
            shelf = blog.create("/shelves", {"name": "A"})["id"]
            folder = blog.create("/folders", {"shelf_id": shelf})["id"]
            refused = [
                blog.delete(f"/shelves/{shelf}", expect=409),
                blog.post("/shelves/bulk-delete", {"ids": [shelf]}, expect=409),
            ]
            details = {response.json()["detail"] for response in refused}
            assert details == {"Other rows refer to what is to be deleted."}
            blog.delete(f"/folders/{folder}")
            blog.delete(f"/shelves/{shelf}")


def is_source(path: str) -> bool:
    """Tell whether a file is neither a cache's nor a revision."""
    return not any(part == "versions" or "cache" in part for part in Path(path).parts)
