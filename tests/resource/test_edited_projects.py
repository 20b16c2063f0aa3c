"""A resource is added to a project that its owner has made his own, and taken out of it again, or it is refused."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from itertools import cycle
from pathlib import Path

import pytest

from copier_fastapi_sqlalchemy.resource.changes import plan_addition, plan_removal
from copier_fastapi_sqlalchemy.resource.errors import Refusal
from copier_fastapi_sqlalchemy.resource.fields import parse_fields
from copier_fastapi_sqlalchemy.resource.names import names_of
from copier_fastapi_sqlalchemy.resource.project import open_project, require_free
from copier_fastapi_sqlalchemy.resource.record import Resource
from tests.harness.commands import run_tool, tool
from tests.harness.edits import replace_text, substitute
from tests.harness.variants import Variant
from tests.harness.warm_process import WarmProcess
from tests.resource.conftest import Render
from tests.resource.test_every_resource import sources_of

ORM = Variant("sqlite", "async", "orm", ("timestamps", "audit_log"))
CORE = Variant("postgresql", "sync", "core", ("soft_delete",))
FIELDS = ("title:str:200:unique", "price:decimal:10,2", "starts_at:datetime?", "author:ref:users", "tags:many:tags")
ROUTES = """
import json
from app.main import create_app
from app.settings import Settings
from app.tables import metadata
app = create_app(Settings(database_url="sqlite:///app.db" if SQLITE else "postgresql://localhost/app"))
print(json.dumps([sorted(app.openapi()["paths"]), sorted(metadata.tables)]))
"""
Edit = Callable[[Path], None]


def ruff(*options: str) -> Edit:
    """Give an edit that has the project formatted by other rules."""

    def edit(project: Path) -> None:
        substitute(project / "pyproject.toml", r"\[tool\.ruff\]\n(line-length = 100)\n", "[tool.ruff]\n" + options[0])
        for extra in options[1:]:
            with (project / "pyproject.toml").open("a", encoding="utf-8") as file:
                file.write(extra)
        run_tool(project, "ruff", "check", "--no-cache", "--quiet", "--fix", "--select", "I", "--exit-zero")
        run_tool(project, "ruff", "format", "--no-cache", "--quiet")

    return edit


def ruff_toml(project: Path) -> None:
    """Move the rules of ruff into a file of their own."""
    text = (project / "pyproject.toml").read_text(encoding="utf-8")
    rules, rest = re.findall(r"(?ms)^\[tool\.ruff.*?(?=^\[tool\.mypy)", text), text
    (project / "ruff.toml").write_text(
        rules[0].replace("[tool.ruff]\n", "").replace("[tool.ruff.", "["), encoding="utf-8"
    )
    (project / "pyproject.toml").write_text(rest.replace(rules[0], ""), encoding="utf-8")


def crlf(project: Path) -> None:
    """Check the project out as git does on Windows."""
    for path in project.rglob("*.py"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))


def renamed(project: Path) -> None:
    """Call the routers something else."""
    main = project / "app/main.py"
    text = main.read_text(encoding="utf-8")
    for name in ("users", "posts"):
        text = text.replace(f"router as {name}\n", f"router as {name}_router\n")
    text = re.sub(r"ROUTERS = \(users, posts,", "ROUTERS = (users_router, posts_router,", text)
    main.write_text(text, encoding="utf-8")


def modules(project: Path) -> None:
    """Import the routers' modules."""
    main = project / "app/main.py"
    text = main.read_text(encoding="utf-8").replace("from app.users.router import router as users\n", "")
    text = text.replace(
        "from app.web import docs, health\n",
        "from app.users import router as of_users\nfrom app.web import docs, health\n",
    )
    main.write_text(text.replace("ROUTERS = (users,", "ROUTERS = (of_users.router,"), encoding="utf-8")


def listed(project: Path) -> None:
    """Write the routers one below the other, in a list, with comments, and describe no tags."""
    main = project / "app/main.py"
    names = "users, posts, comments, tags" + (", audit" if "audit\n" in main.read_text(encoding="utf-8") else "")
    lines = "".join(f"    {name},  # ours\n" for name in names.split(", "))
    replace_text(main, (f"ROUTERS = ({names})\n", f"ROUTERS = [\n{lines}]\n"))
    substitute(main, r"(?ms)^TAGS = \[\n.*?^\]\n", "TAGS = []\n")


def annotations(project: Path) -> None:
    """Put a future import and a constant between the imports."""
    main = project / "app/main.py"
    replace_text(
        main,
        ("from collections.abc", "from __future__ import annotations\n\nfrom collections.abc"),
        ("MAX_BODY_SIZE = ", "if True:\n    from app.web.links import path_to as path_to\n\nMAX_BODY_SIZE = "),
    )


def own_orm(project: Path) -> None:
    """Add a model by hand, in a package of several modules and with bases of the owner's own."""
    write(
        project,
        {
            "app/shops/__init__.py": "",
            "app/shops/bases.py": "from app.db.base import Record\n\n\nclass Named(Record):\n    __abstract__ = True\n",
            "app/shops/models/__init__.py": "from app.shops.models.shop import Shop as Shop\n",
            "app/shops/models/shop.py": (
                "from sqlalchemy import String\nfrom sqlalchemy.orm import Mapped, mapped_column\n\n"
                "from app.shops.bases import Named\n\n\n"
                'class Shop(Named):\n    __tablename__ = "shops"\n\n    name: Mapped[str] = mapped_column(String(20))\n'
            ),
            "app/shops/api.py": (
                'from fastapi import APIRouter\n\nshops = APIRouter(tags=["shops"])\n\n\n'
                '@shops.get("/shops")\ndef list_shops() -> list[str]:\n    return []\n'
            ),
        },
    )
    replace_text(
        project / "app/main.py",
        ("from app.tagging.router", "from app.shops.api import shops\nfrom app.tagging.router"),
        ("ROUTERS = (users, posts,", "ROUTERS = (shops, users, posts,"),
    )
    replace_text(project / "app/tables.py", ("import app.tagging", "import app.shops.models\nimport app.tagging"))


def own_core(project: Path) -> None:
    """Add a table by hand, without columns of the mixins."""
    write(
        project,
        {
            "app/shops.py": (
                "from sqlalchemy import Column, Named, String, Table\n\n"
                "from app.db.base import KeyColumns\nfrom app.db.metadata import metadata\n\n\n"
                "class ShopColumns(KeyColumns):\n    name: Named[str] = Column(String(20))\n\n\n"
                'SHOPS = Table("shops", metadata, ShopColumns)\n'
            ),
        },
    )
    replace_text(project / "app/tables.py", ("import app.tagging", "import app.shops\nimport app.tagging"))


def in_a_function(project: Path) -> None:
    """Make the routers in a function."""
    substitute(project / "app/main.py", r"ROUTERS = \(users", "ROUTERS = tuple(routers())\nOTHERS = (users")


def without_tables(project: Path) -> None:
    """Register the tables elsewhere."""
    (project / "app/tables.py").rename(project / "app/all_tables.py")


def broken(project: Path) -> None:
    """Leave a conflict of git."""
    substitute(project / "app/main.py", "ROUTERS = ", "<<<<<<< HEAD\nROUTERS = ")


def other_config(project: Path) -> None:
    """Give ruff a setting that it doesn't have."""
    substitute(project / "pyproject.toml", r"\[tool\.ruff\]\n", "[tool.ruff]\nunknown = 1\n")


def table_of_that_name(project: Path) -> None:
    """Have a table of that name already."""
    write(project, {"app/old.py": 'from app.db.metadata import metadata\nbooks = Table("books", metadata)\n'})


def route_of_that_name(project: Path) -> None:
    """Have a route of that name already."""
    write(project, {"app/old.py": 'from fastapi import APIRouter\nrouter = APIRouter(prefix="/books")\n'})


EDITS: dict[str, Edit] = {
    "short lines": ruff("line-length = 72\n"),
    "long lines": ruff("line-length = 140\n"),
    "single quotes and tabs": ruff(
        "line-length = 100\n", "\n[tool.ruff.format]\nquote-style = 'single'\nindent-style = 'tab'\n"
    ),
    "one import a line": ruff(
        "line-length = 100\n", "\n[tool.ruff.lint.isort]\nforce-single-line = true\nlines-after-imports = 3\n"
    ),
    "imports in another order": ruff(
        "line-length = 100\n", "\n[tool.ruff.lint.isort]\nforce-sort-within-sections = true\norder-by-type = false\n"
    ),
    "rules in a file of their own": ruff_toml,
    "CRLF": crlf,
    "routers with other names": renamed,
    "modules of routers": modules,
    "routers in a list": listed,
    "future import": annotations,
}
REFUSED: dict[str, tuple[Edit, str]] = {
    "routers of a function": (in_a_function, r"^Give --no-register, .*: line \d+ assigns ROUTERS no tuple or list\.$"),
    "no app/tables.py": (without_tables, r"^Update the project first, .*: app/tables\.py is missing"),
    "conflict": (broken, r"^Resolve the conflict in app/main\.py, line \d+, first\.$"),
    "unknown setting of ruff": (other_config, r"^Correct what ruff finds first, or give --no-format: .*unknown"),
    "table of that name": (table_of_that_name, r"^Choose another name: app\.old has a table books\.$"),
    "route of that name": (route_of_that_name, r"^Choose another name: app\.old has the routes of /books\.$"),
}


def write(project: Path, texts: dict[str, str]) -> None:
    """Write files."""
    for path, text in texts.items():
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        (project / path).write_text(text, encoding="utf-8")


def add(project: Path, *fields: str) -> Resource:
    """Add books."""
    resource = Resource(names_of("books"), parse_fields(fields), (("title", "author"),))
    opened = open_project(project)
    require_free(opened, resource.names)
    plan_addition(opened, resource).write()
    return resource


def is_clean(project: Path) -> bool:
    """Tell whether the project's own linter and formatter pass."""
    commands = (["check", "--no-fix"], ["format", "--check"])
    return all(
        subprocess.run([tool("ruff"), *command, "--no-cache", "--quiet"], cwd=project, check=False).returncode == 0
        for command in commands
    )


def check_served(project: Path, variant: Variant, warm_process: WarmProcess) -> None:
    """Check that the resource has routes and tables."""
    code = f"SQLITE = {variant.database == 'sqlite'}\n{ROUTES}"
    done = warm_process.run(["-W", "error", "-c", code], project)
    paths, tables = json.loads(done.output.splitlines()[-1])
    assert {"/api/v1/books", "/api/v1/books/{book_id}"} <= {*paths}
    assert {"books", "book_tags", "users"} <= {*tables}


@pytest.mark.parametrize(("edit", "variant"), [*zip(EDITS, cycle([ORM, CORE]), strict=False)])
def test_resource_is_added_to_an_edited_project(
    rendered: Render, tmp_path: Path, edit: str, variant: Variant, warm_process: WarmProcess
) -> None:
    project = Path(shutil.copytree(rendered(variant), tmp_path / "project"))
    EDITS[edit](project)
    before, was_clean = sources_of(project), is_clean(project)
    resource = add(project, *FIELDS)
    assert is_clean(project) or not was_clean
    check_served(project, variant, warm_process)
    plan_removal(open_project(project), resource).write()
    assert sources_of(project) == before


@pytest.mark.parametrize(("variant", "edit"), [(ORM, own_orm), (CORE, own_core)], ids=["orm", "core"])
def test_resource_refers_to_a_table_made_by_hand(
    rendered: Render, tmp_path: Path, edit: Edit, variant: Variant, warm_process: WarmProcess
) -> None:
    project = Path(shutil.copytree(rendered(variant), tmp_path / "project"))
    edit(project)
    before = sources_of(project)
    resource = add(project, *FIELDS, "store:ref:shops?", "shops:many:shops")
    assert is_clean(project)
    check_served(project, variant, warm_process)
    plan_removal(open_project(project), resource).write()
    assert sources_of(project) == before


@pytest.mark.parametrize("edit", REFUSED)
def test_project_that_cannot_be_served_is_refused(rendered: Render, tmp_path: Path, edit: str) -> None:
    project = Path(shutil.copytree(rendered(ORM), tmp_path / "project"))
    change, message = REFUSED[edit]
    change(project)
    before = sources_of(project)
    with pytest.raises(Refusal, match=message) as refusal:
        add(project, *FIELDS)
    assert "\n" not in str(refusal.value)
    assert sources_of(project) == before
