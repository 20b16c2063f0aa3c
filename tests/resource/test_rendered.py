"""What fields refer to has to be there, and names have to suit the code."""

from pathlib import Path

import pytest

from copier_fastapi_sqlalchemy.resource.changes import plan_addition
from copier_fastapi_sqlalchemy.resource.errors import Refusal
from copier_fastapi_sqlalchemy.resource.fields import parse_fields
from copier_fastapi_sqlalchemy.resource.names import names_of
from copier_fastapi_sqlalchemy.resource.project import open_project
from copier_fastapi_sqlalchemy.resource.record import Resource
from tests.contract.blog import Blog
from tests.harness.alembic import Alembic
from tests.harness.rendering import render, render_variant
from tests.harness.servers import NewDatabase
from tests.harness.service import calling
from tests.harness.variants import Variant
from tests.harness.warm_process import WarmProcess


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
        (
            "books",
            ["title:str", "sequels:many:books"],
            (),
            "Let 'sequels' name another table than the resource's own: `many` can't refer to 'books' itself.",
        ),
        ("books", ["title:str:search"], (), "Leave `search` out"),
        ("books", ["tags:many:tags"], (), "Add a field that is a column"),
        ("filters", ["title:str"], (), "Give the resource another name, or --singular"),
        ("limits", ["title:str"], (), "Give the resource another name, or --singular: its code uses 'LimitQuery'"),
    ],
)
def test_names_that_cannot_be_are_refused(
    source: Path, tmp_path: Path, name: str, fields: list[str], unique: tuple[tuple[str, ...], ...], remedy: str
) -> None:
    project = open_project(render(source, tmp_path / "project", {}))
    with pytest.raises(Refusal) as refusal:
        plan_addition(project, resource(name, *fields, unique=unique))
    assert str(refusal.value).startswith(remedy)


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
