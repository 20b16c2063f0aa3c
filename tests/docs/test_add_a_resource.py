"""Who follows docs/add-a-resource.md has a resource that works, with every mixin, on every server."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from httpx2 import codes
from sqlalchemy import inspect

from tests.harness.alembic import Alembic
from tests.harness.commands import check_code, run_tool
from tests.harness.edits import replace_text
from tests.harness.pages import blocks_of
from tests.harness.rendering import render_variant
from tests.harness.servers import NewDatabase, engine
from tests.harness.service import calling
from tests.harness.variants import Variant
from tests.harness.warm_process import WarmProcess

PAGE = "docs/add-a-resource.md"
# A column that the page doesn't have: a book can be part of another, and is deleted and restored with it.
PARENT = {
    "orm": 'parent_id: Mapped[int | None] = mapped_column(ForeignKey("books.id", ondelete="CASCADE"), index=True)',
    "core": 'parent_id: Named[int | None] = Column(Key, ForeignKey("books.id", ondelete="CASCADE"), index=True)',
}


def written_for(variant: Variant) -> dict[str, str]:
    """Give the files of the resource, as the page says that they are for `variant`."""
    is_core = variant.data_access == "core"
    table = blocks_of(PAGE, "python", "The table")[is_core].replace("import Column, ", "import Column, ForeignKey, ")
    table = table.replace("import String", "import ForeignKey, String")
    table = table.replace("\n\n\nclass BookColumns", "\nfrom app.db.types import Key\n\n\nclass BookColumns")
    table = re.sub(r"(\n +)(summary: .*)", rf"\1\2\1{PARENT[variant.data_access]}", table)
    (bodies,), (router,) = blocks_of(PAGE, "python", "The bodies"), blocks_of(PAGE, "python", "The router")
    bodies = bodies.replace('summary: Summary = ""', 'summary: Summary = ""\n    parent_id: int | None = None')
    files = {
        "__init__.py": "",
        ("tables.py" if is_core else "models.py"): table,
        "schemas.py": bodies,
        "repository.py": blocks_of(PAGE, "python", "The repository")[is_core],
        "router.py": router,
    }
    if variant.io == "sync":
        return {name: re.sub(r"\b(async|await) ", "", text) for name, text in files.items()}
    return files


def add_resource(project: Path, variant: Variant) -> None:
    """Do what the page says."""
    (project / "app/books").mkdir()
    for name, text in written_for(variant).items():
        (project / "app/books" / name).write_text(text, encoding="utf-8")
    module = "tables" if variant.data_access == "core" else "models"
    replace_text(
        project / "app/tables.py", ("import app.audit.log", f"import app.audit.log\nimport app.books.{module}")
    )
    replace_text(
        project / "app/main.py",
        ("from app.db.database", "from app.books.router import router as books\nfrom app.db.database"),
        ("ROUTERS = (audit,)", "ROUTERS = (audit, books)"),
    )


class Books:
    """The calls of the resource."""

    def __init__(self, api: httpx2.Client) -> None:
        """Make them with `api`."""
        self._api = api

    def call(self, status: int, method: str, path: str = "", **options: Any) -> Any:
        """Give the answer's body, once its status is what it should be."""
        response = self._api.request(method, f"/books{path}", **options)
        assert response.status_code == status, f"{method} {path}: {response.status_code} {response.text}"
        return response.json() if response.content else None

    def add(self, isbn: int, **fields: Any) -> dict[str, Any]:
        """Add a book."""
        body = {"title": f"Volume {isbn}", "isbn": f"{isbn:013}", "summary": "Of whales.", **fields}
        made: dict[str, Any] = self.call(codes.CREATED, "POST", json=body)
        return made

    def found(self) -> list[int]:
        """Give the ids that a search finds, which is the same as the list's."""
        found = {book["id"] for book in self.call(codes.OK, "GET", "/search", params={"q": "whales"})["items"]}
        assert found == {book["id"] for book in self.call(codes.OK, "GET")["items"]}
        return sorted(found)


def check_at_work(api: httpx2.Client) -> None:
    """Check what each mixin is for."""
    books = Books(api)
    whole = books.add(1)
    part = books.add(2, parent_id=whole["id"])
    page = books.add(3, parent_id=part["id"])
    whole_path, part_path = f"/{whole['id']}", f"/{part['id']}"
    assert whole["version"] == 1
    assert whole["created_at"] == whole["updated_at"]
    books.call(codes.CONFLICT, "POST", json={"title": "Again", "isbn": whole["isbn"]})
    assert books.found() == [whole["id"], part["id"], page["id"]]

    heavier = books.add(4, title="Whales", summary="")
    assert books.call(codes.OK, "GET", "/search", params={"q": "whales"})["items"][0] == heavier
    books.call(codes.NO_CONTENT, "DELETE", f"/{heavier['id']}")

    changed = books.call(codes.OK, "PATCH", whole_path, json={"title": "All"}, headers={"If-Match": '"1"'})
    assert (changed["version"], changed["title"]) == (2, "All")
    assert changed["updated_at"] > changed["created_at"]
    books.call(codes.PRECONDITION_FAILED, "PATCH", whole_path, json={"title": "None"}, headers={"If-Match": '"1"'})
    books.call(codes.PRECONDITION_FAILED, "DELETE", whole_path, headers={"If-Match": '"1"'})

    books.call(codes.NO_CONTENT, "DELETE", whole_path, headers={"If-Match": '"2"'})
    assert books.found() == []
    books.call(codes.NOT_FOUND, "GET", part_path)
    assert books.call(codes.OK, "GET", part_path, params={"include_deleted": True})["deleted_at"] is not None
    books.call(codes.CONFLICT, "POST", f"{part_path}/restore")
    taken = books.add(1)
    books.call(codes.CONFLICT, "POST", f"{whole_path}/restore")
    books.call(codes.NO_CONTENT, "DELETE", f"/{taken['id']}")
    assert books.call(codes.OK, "POST", f"{whole_path}/restore")["deleted_at"] is None
    assert books.found() == [whole["id"], part["id"], page["id"]]

    entries = (
        api.get("/audit", params={"table_name": "books", "record_id": whole["id"]}).raise_for_status().json()["items"]
    )
    assert sorted(entry["action"] for entry in entries) == ["create", "delete", "restore", "update"]


@pytest.mark.each_database
@pytest.mark.mixin("audit_log")
def test_resource_works_with_all_mixins(
    variant: Variant,
    new_database: NewDatabase,
    source: Path,
    tmp_path: Path,
    warm_process: WarmProcess,
    mypy_cache: Path,
) -> None:
    bare = replace(variant, example=False)
    project = render_variant(source, bare, tmp_path / "project")
    add_resource(project, bare)
    with new_database() as url:
        alembic = Alembic(warm_process, project, url)
        alembic("upgrade head", "revision --autogenerate -m 'Add books'")
        alembic("upgrade head", "check")
        assert inspect(engine(url)).get_columns("books")[0]["name"] == "id"
        run_tool(project, "ruff", "format", "--no-cache", "--quiet")
        check_code(project, mypy_cache)
        with calling(warm_process, project, {"DATABASE_URL": url}, tmp_path) as api:
            check_at_work(api)
