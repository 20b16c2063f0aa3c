"""A resource with fields of every type works in a project of every kind, as it is written: with no hand laid on it.

`contract.py` says what it has to do over HTTP. The database is migrated, and that suite run, in one fork.
"""

import functools
import json
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.harness.commands import run_tool
from tests.harness.project_tests import run_tests
from tests.harness.rendering import files_of
from tests.harness.servers import NewDatabase
from tests.harness.variants import ROOT, Variant
from tests.harness.warm_process import WarmProcess

DRIVE = Path(__file__).parent / "drive.py"
# Adds resources, or removes them, as the command does.
WRITE = """
import json, sys
from pathlib import Path
import typeguard
typeguard.typechecked = lambda function, **_: function  # it takes two seconds of the import of inflect
from copier_fastapi_sqlalchemy.resource.changes import plan_addition, plan_removal
from copier_fastapi_sqlalchemy.resource.fields import parse_fields
from copier_fastapi_sqlalchemy.resource.names import names_of
from copier_fastapi_sqlalchemy.resource.project import open_project
from copier_fastapi_sqlalchemy.resource.record import Resource
plans = {"add": plan_addition, "remove": plan_removal}
for plural, fields, unique, options in json.loads(sys.argv[3]):
    options = {name: tuple(value) if isinstance(value, list) else value for name, value in options.items()}
    resource = Resource(names_of(plural), parse_fields(fields), tuple(map(tuple, unique)), **options)
    plans[sys.argv[1]](open_project(Path(sys.argv[2])), resource).write()
"""
BOOKS = (
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
# What can be null there can't here, and the other way round; and what is unique, has an index or a default.
ORDER_ITEMS = (
    "name:str:13",
    "book:ref:books:cascade",
    "note:str:10?=none",
    "rest:ref:books?:unique",
    "count_of:int?:unique",
    "number:bigint?:unique",
    "is_gift:bool?=true",
    "ratio:float?=0.5",
    "price:decimal:18,6?:unique",
    "share:decimal:3,3=0.125",
    "amount:decimal:18,0?",
    "day:date:unique",
    "at:datetime?:unique",
    "daily:time?:unique:index",
    "lasts:interval?",
    "code:uuid?:index",
    "extra:json?",
    "picture:bytes:secret",
    "mail:email?:unique",
    "link:url:secret",
    "state:enum:new,done?",
    "gifts:many:books",
)
CHAPTERS = ("title:str:100", "number:int", "kind:enum:prose,verse=prose", "body:text?", "after:ref:chapters?")
PRICES = ("amount:decimal:10,2:index", "day:date:unique", "book:ref:books", "secret_code:uuid:secret")
Step = Callable[[str], None]
# Its name, its fields, which are unique together, and its other options.
Resource = tuple[str, list[str], list[list[str]], dict[str, Any]]


@dataclass(frozen=True)
class Added:
    """A project to which resources were added, and what its files were before."""

    project: Path
    resources: tuple[Resource, ...]
    before: dict[str, bytes]
    remove: Callable[[], None]

    @property
    def names(self) -> list[str]:
        """The names of the resources."""
        return [plural for plural, *_ in self.resources]


def resources_for(variant: Variant) -> tuple[Resource, ...]:
    """Give resources with fields of every type, as far as the variant can have them."""
    fields = [*BOOKS, *(REFERENCES if variant.example else [])]
    if "full_text_search" not in variant.mixins:
        fields = [field.replace(":search", "") for field in fields]
    return (
        ("books", fields, [], {}),
        ("order_items", [*ORDER_ITEMS], [["name", "book"], ["code"]], {}),
        ("chapters", [*CHAPTERS], [["book", "number"]], {"parent": "books", "paging": "cursor"}),
        ("prices", [*PRICES], [], {"only": ["create", "read", "list"]}),
    )


def sources_of(project: Path) -> dict[str, bytes]:
    """Give the files of a project that are neither a cache's nor revisions."""
    return {
        path: text
        for path, text in files_of(project).items()
        if not any(part == "versions" or "cache" in part for part in Path(path).parts)
    }


@pytest.fixture(scope="session")
def generator() -> Path:
    """The folder of the package that writes resources."""
    return ROOT


@pytest.fixture(scope="session")
def chosen_checks() -> list[str]:
    """The checks of the contract to run: none stands for all."""
    return []


@pytest.fixture(scope="module")
def added(
    project: Path, variant: Variant, scratch: Path, generator: Path, warm_process: WarmProcess
) -> Iterator[Added]:
    """A copy of the project with the resources."""
    copy = Path(shutil.copytree(project, scratch / "with-resources", ignore=shutil.ignore_patterns("*cache*")))
    before, resources = sources_of(copy), resources_for(variant)

    def write(verb: str, chosen: Sequence[Resource]) -> None:
        warm_process.run(["-c", WRITE, verb, str(copy), json.dumps(chosen)], generator)

    write("add", resources)
    yield Added(copy, resources, before, lambda: write("remove", resources[::-1]))
    shutil.rmtree(copy)


@pytest.fixture(scope="module")
def outcomes(
    warm_process: WarmProcess,
    added: Added,
    variant: Variant,
    new_database: NewDatabase,
    scratch: Path,
    chosen_checks: list[str],
) -> Callable[[], dict[str, Any]]:
    """A way to what migrating and driving came to; both are done when it is asked for first."""

    @functools.cache
    def drive() -> dict[str, Any]:
        result = scratch / "resource-outcomes.json"
        result.unlink(missing_ok=True)
        started = time.perf_counter()
        with new_database() as url:
            given = [json.dumps(value) for value in (variant.mixins, added.names, chosen_checks)]
            command = ["-W", "error", str(DRIVE), *given, str(result)]
            warm_process.run(command, added.project, {"DATABASE_URL": url})
        found: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
        found["migrate"]["seconds"] = time.perf_counter() - started - found["drive"]["seconds"]
        return found

    return drive


@pytest.fixture
def holds(outcomes: Callable[[], dict[str, Any]], request: pytest.FixtureRequest) -> Step:
    """Fail with what a step says, and report how many checks it had and how long they took."""

    def holds(step: str) -> None:
        outcome = outcomes()[step]
        request.node.user_properties += [("checks", outcome["checks"]), ("seconds", outcome["seconds"])]
        if outcome["failed"]:
            pytest.fail(outcome["failed"], pytrace=False)

    return holds


@pytest.mark.each_mixin
def test_written(added: Added) -> None:
    written = sources_of(added.project)
    assert written.keys() > added.before.keys()
    assert {path for path in added.before if written[path] != added.before[path]} == {"app/main.py", "app/tables.py"}


@pytest.mark.each_mixin
def test_clean(added: Added) -> None:
    run_tool(added.project, "ruff", "check", "--no-cache", "--no-fix")
    run_tool(added.project, "ruff", "format", "--no-cache", "--check")


@pytest.mark.each_mixin
def test_migrated(holds: Step) -> None:
    holds("migrate")


@pytest.mark.each_mixin
def test_contract_kept(holds: Step) -> None:
    holds("drive")


def test_typed(added: Added, warm_process: WarmProcess, mypy_cache: Path) -> None:
    warm_process.run(["-m", "mypy", "--cache-dir", str(mypy_cache)], added.project)


def test_tested(added: Added, warm_process: WarmProcess, new_database: NewDatabase, holds: Step) -> None:
    holds("migrate")
    folders = [f"tests/{name}" for name in added.names]
    with new_database() as url:
        done = run_tests(
            warm_process,
            added.project,
            {"TEST_DATABASE_URL": url},
            *(*folders, "tests/test_migrations.py", "tests/test_tables.py", "tests/web/test_docs.py"),
        )
    assert " passed" in done.output


@pytest.mark.each_mixin
def test_removed(added: Added) -> None:
    added.remove()
    assert sources_of(added.project) == added.before
