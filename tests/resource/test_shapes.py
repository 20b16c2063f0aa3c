"""Resources of every shape work as they are written: with some routes, with a cursor, and below a parent."""

import ast
import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from copier_fastapi_sqlalchemy.resource import render as render_module
from copier_fastapi_sqlalchemy.resource.changes import plan_addition, plan_removal
from copier_fastapi_sqlalchemy.resource.errors import Refusal
from copier_fastapi_sqlalchemy.resource.fields import parse_fields
from copier_fastapi_sqlalchemy.resource.names import names_of
from copier_fastapi_sqlalchemy.resource.project import MIXINS, open_project
from copier_fastapi_sqlalchemy.resource.record import Resource
from copier_fastapi_sqlalchemy.resource.render import render as render_resource
from copier_fastapi_sqlalchemy.resource.shape import PAGINGS, ROUTES, check_routes, parse_only
from tests.contract.blog import Blog
from tests.harness.alembic import Alembic
from tests.harness.commands import check_code
from tests.harness.project_tests import run_tests
from tests.harness.rendering import files_of, render, render_variant
from tests.harness.servers import NewDatabase
from tests.harness.service import calling
from tests.harness.variants import Variant
from tests.harness.warm_process import WarmProcess
from tests.resource.conftest import Render

SHORT = ("name:str:40:search", "day:date:index", "price:decimal:10,2", "token:str:40:secret", "whole:ref:books?")
MORE = ("at:datetime:unique", "share:decimal:3,3:unique", "others:many:books")
# Some routes alone: each variant takes one of these.
ONLY = (
    *("read", "list", "update", "delete", "create,read", "read,list", "read,update", "read,delete"),
    *("create,read,list", "read,list,update", "list,update,delete", "list,delete,bulk", "create,read,list,bulk"),
    *("create,read,update,delete", "create,read,list,update,delete", "read,list,delete,bulk"),
    "create,read,list,update,bulk",
)


def resource(
    plural: str,
    *fields: str,
    unique: tuple[tuple[str, ...], ...] = (),
    only: str | None = None,
    paging: str = "pages",
    parent: str = "",
) -> Resource:
    return Resource(names_of(plural), parse_fields(fields), unique, only=parse_only(only), paging=paging, parent=parent)


def shapes_for(variant: Variant) -> list[Resource]:
    """Give resources of every paging and with a parent, and one with some routes alone, in turn."""
    fields = SHORT if "full_text_search" in variant.mixins else [field.replace(":search", "") for field in SHORT]
    only = [routes for routes in ONLY if "read" in routes or "optimistic_locking" not in variant.mixins]
    number, owners = crc32(variant.id.encode()), "users" if variant.example else "books"
    parent = ("", "books")[number // 64 % 2]
    return [
        resource("books", "title:str:200", "pages:int=0"),
        resource("chapters", *fields, unique=(("book", "name"),), parent="books", paging="cursor"),
        resource("readings", *fields, *MORE, only=only[number % len(only)], parent=parent),
        resource("albums", *fields, unique=(("name", "day"),), parent=owners),
    ]


def add(project: Path, new: Resource) -> None:
    plan_addition(open_project(project), new).write()


@pytest.mark.parametrize(
    ("fields", "options", "remedy"),
    [
        (
            ["title:str"],
            {"parent": "writers"},
            "Let --parent name a table that has a key `id` of its own: comments, ",
        ),
        (["title:str"], {"parent": "profiles"}, "Let --parent name a table that has a key `id` of its own: "),
        (["title:str"], {"parent": "books"}, "Let --parent name a table that has a key `id` of its own: "),
        (["user:ref:users"], {"parent": "users"}, "Leave 'user' out: --parent users adds it."),
        (["user_id:int"], {"parent": "users"}, "Leave 'user_id' out: --parent users adds it."),
        (["title:str"], {"parent": "users", "unique": (("user",),)}, "Name another field in --unique beside 'user'."),
        (
            ["title:str"],
            {"parent": "users", "unique": (("users", "title"),)},
            "Name fields of the resource in --unique",
        ),
        (["title:str"], {"only": "update"}, "Add read to --only: with optimistic_locking, "),
    ],
)
def test_shape_that_cannot_be_is_refused(
    source: Path, tmp_path: Path, fields: list[str], options: dict[str, Any], remedy: str
) -> None:
    project = open_project(render(source, tmp_path / "project", {"mixins": ["optimistic_locking"]}))
    with pytest.raises(Refusal) as refusal:
        plan_addition(project, resource("books", *fields, **options))
    assert str(refusal.value).startswith(remedy)


def test_resources_of_every_shape_are_clean_and_pass_their_tests(
    variant: Variant,
    new_database: NewDatabase,
    source: Path,
    tmp_path: Path,
    warm_process: WarmProcess,
    mypy_cache: Path,
) -> None:
    project = render_variant(source, variant, tmp_path / "project")
    before = files_of(project)
    added = shapes_for(variant)
    for one in added:
        add(project, one)
    check_code(project, mypy_cache)
    with new_database() as url:
        alembic = Alembic(warm_process, project, url)
        alembic("upgrade head", "revision --autogenerate -m 'Add books'")
        alembic("upgrade head", "check")
        folders = [f"tests/{one.names.plural}" for one in added]
        folders += ["tests/test_migrations.py", "tests/test_tables.py"]
        assert " passed" in run_tests(warm_process, project, {"TEST_DATABASE_URL": url}, *folders).output
    for one in reversed(added):
        plan_removal(open_project(project), one).write()
    after = files_of(project)
    assert {path: text for path, text in after.items() if is_source(path)} == {
        path: text for path, text in before.items() if is_source(path)
    }


def subsets(mixins: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Give all sets of routes that a resource can have."""
    for number in range(1, len(ROUTES) + 1):
        for chosen in combinations(ROUTES, number):
            try:
                check_routes(chosen, mixins)
            except Refusal:
                continue
            yield chosen


def unused(texts: dict[str, str]) -> Iterator[str]:
    """Give what the modules of a resource define and nothing uses."""
    code = "".join(texts.values())
    for path, text in texts.items():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                is_called = "router.py" in path and (path.startswith("app/") or node.name.startswith("test_"))
                names = [] if is_called and node.name != "check_book" else [node.name]
            elif isinstance(node, ast.Assign | ast.AnnAssign) and node.col_offset == 0:
                target = node.targets[0] if isinstance(node, ast.Assign) else node.target
                names = [target.id] if isinstance(target, ast.Name) else []
            else:
                names = []
            yield from (f"{path}: {name}" for name in names if len(re.findall(rf"\b{name}\b", code)) == 1)


@pytest.mark.parametrize("access", ["orm", "core"])
@pytest.mark.parametrize("mixins", [(), ("timestamps",), MIXINS], ids=len)
def test_nothing_is_left_over(
    rendered: Render, monkeypatch: pytest.MonkeyPatch, access: str, mixins: tuple[str, ...]
) -> None:
    monkeypatch.setattr(render_module, "tidy", lambda text, *_: text)
    project = open_project(rendered(Variant("postgresql", "async", access, mixins)))
    fields = ["name:str:40:search", "day:date:unique", "token:str:40:secret", "editor:ref:users?", "tags:many:tags"]
    fields = fields if mixins == MIXINS else [field.replace(":search", "") for field in fields]
    for number, only in enumerate(subsets(mixins)):
        for chosen in (fields, ["pages:int"]):
            paging, parent = PAGINGS[number % 2], ("", "users")[number // 2 % 2]
            made = resource("books", *chosen, only=",".join(only), paging=paging, parent=parent)
            texts = {path: text for path, text in render_resource(made, project).items() if "/books/" in path}
            texts = {path: text for path, text in texts.items() if path.endswith(("schemas.py", "ory.py", "router.py"))}
            assert [*unused(texts)] == [], (only, paging, parent)


@pytest.mark.each_database
@pytest.mark.mixin("soft_delete")
def test_rows_of_a_deleted_parent_are_404(
    variant: Variant, new_database: NewDatabase, source: Path, tmp_path: Path, warm_process: WarmProcess
) -> None:
    project = render_variant(source, variant, tmp_path / "project")
    add(project, resource("shelves", "name:str"))
    add(project, resource("folders", "name:str", parent="shelves"))
    with new_database() as url:
        alembic = Alembic(warm_process, project, url)
        alembic("upgrade head", "revision --autogenerate -m 'Add shelves'", "upgrade head")
        with calling(warm_process, project, {"DATABASE_URL": url}, tmp_path, path="") as client:
            blog = Blog(client)
            shelf = blog.create("/shelves", {"name": "A"})["id"]
            path, body = f"/shelves/{shelf}/folders", {"name": "B"}
            folder = blog.create(path, body)
            assert (folder["shelf_id"], blog.get(path).json()["items"]) == (shelf, [folder])
            blog.delete(f"/shelves/{shelf}")
            for gone in (path, f"/folders/{folder['id']}"):
                blog.get(gone, expect=404)
            blog.post(path, body, expect=404)
            blog.post(f"{path}/bulk", [body], expect=404)
            assert blog.get(path, include_deleted=True).json()["total"] == 1
            blog.restore(f"/shelves/{shelf}")
            assert blog.get(path).json()["total"] == 1


def is_source(path: str) -> bool:
    """Tell whether a file is neither a cache's nor a revision."""
    return not any(part == "versions" or "cache" in part for part in Path(path).parts)
