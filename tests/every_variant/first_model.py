"""A first model where there is no example: the resource of docs/a-resource-by-hand.md, as it says for the variant.

The lines of mixins that the variant doesn't have are left out. One route is added, which changes books in bulk.
"""

import io
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from alembic import command
from alembic.config import Config
from fastapi import Depends, FastAPI

from tests.harness.pages import blocks_of
from tests.harness.variants import NO_AUTH

PAGE = "docs/a-resource-by-hand.md"
# A function of this name, and its decorator.
FUNCTION = r"(?m)(?:^ *@.*\n)?^( *)(?:async )?def {}\(.*\n(?:(?:\1[ )].*)?\n)*?(?=^\1[^ )\n]|\Z)"
# What is left out without a mixin, and what is written instead.
LEFT_OUT = {
    "soft_delete": {
        r".* unique_among_live\n|unique_among_live\(.*\n|.* is_live\n|\.where\(is_live\(books\)\)": "",
        r"(isbn: .*String\(13\))": r"\1, unique=True",
        r", include_deleted(: bool = False)?(?=[)\n])": "",
        FUNCTION.format(r"restore\w*"): "",
    },
    "optimistic_locking": {
        r".*import WITH_ETAG.*\n|WITH_ETAG \| |, 412|, if_match: IfMatch = None|.*await check_book\(.*\n": "",
        r"(?<=DatabaseDep), response: Response": "",
        r" +if if_match is not None:\n.*\n.*require_match.*\n": "",
        r"with_etag\(response, (.*)\)\n": r"\1\n",
        FUNCTION.format("check_book"): "",
    },
    "full_text_search": {
        r".*import make_searchable\n|make_searchable\(.*\n|.*import ranked\n|, BookSearch\b|, BooksFound\b": "",
        r"class (BookSearch|BooksFound)\(.*\n(    .*\n)+\n*": "",
        FUNCTION.format(r"search\w*"): "",
    },
}
CHANGED_IN_BULK = """
from app.web.schemas import Ids


@router.post("/bulk", status_code=204)
async def change_books(ids: Ids, title: str, db: DatabaseDep) -> None:
    async with db.begin() as transaction:
        await BookRepository(transaction).update_all(ids, {"title": title})
"""


def written_for(answers: Mapping[str, Any]) -> dict[str, str]:
    """Give the modules of the resource, as the page says that they are with these answers."""
    is_core = answers["data_access"] == "core"
    (bodies,), (router,) = blocks_of(PAGE, "python", "The bodies"), blocks_of(PAGE, "python", "The router")
    modules = {
        "tables" if is_core else "models": blocks_of(PAGE, "python", "The table")[is_core],
        "schemas": bodies,
        "repository": blocks_of(PAGE, "python", "The repository")[is_core],
        "router": router,
    }
    changes = {} if answers["io"] == "async" else {r"\b(async|await) ": ""}
    for mixin in LEFT_OUT.keys() - {*answers["mixins"]}:
        changes = LEFT_OUT[mixin] | changes
    for pattern, replacement in changes.items():
        modules = {name: re.sub(pattern, replacement, text) for name, text in modules.items()}
    return modules


@contextmanager
def migrated(answers: Mapping[str, Any]) -> Iterator[ModuleType]:
    """Give the router's module, the table made by a revision that Alembic has written."""
    import_module("app.tables")
    sys.modules["app.books"] = ModuleType("app.books")
    for name, text in written_for({**answers}).items():
        module = sys.modules[f"app.books.{name}"] = ModuleType(f"app.books.{name}")
        added = CHANGED_IN_BULK if name == "router" else ""
        code = text + (added if answers["io"] == "async" else re.sub(r"\b(async|await) ", "", added))
        exec(compile(code, module.__name__, "exec"), vars(module))  # noqa: S102 - from our own page
    config = Config("alembic.ini", stdout=io.StringIO())
    config.set_section_option("post_write_hooks", "hooks", "")  # nobody reads the revision
    revision: Any = command.revision(config, "Add books", autogenerate=True)
    try:
        command.upgrade(config, "head")
        command.check(config)
        yield module
    finally:
        Path(revision.path).unlink()


def include(app: FastAPI, module: ModuleType, answers: Mapping[str, Any]) -> None:
    """Add the routes of the resource to the application."""
    dependencies = []
    if answers["auth"] != NO_AUTH:
        access = import_module("app.auth.access")
        access.ACCESS.update({route.name: access.AUTHOR for route in module.router.routes})
        dependencies.append(Depends(import_module("app.auth.dependencies").require_access))
    elif "audit_log" in answers["mixins"]:
        dependencies.append(Depends(import_module("app.audit.actor").note_actor))
    app.include_router(module.router, prefix="/api/v1", dependencies=dependencies)
