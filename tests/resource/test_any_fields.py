"""Any fields and any names make a resource whose code is right, or are refused in one line."""

import ast
import builtins
import json
import keyword
import re
import shlex
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from sqlalchemy import Row, Table
from sqlalchemy.dialects.mysql.reserved_words import RESERVED_WORDS_MYSQL
from sqlalchemy.dialects.postgresql.base import RESERVED_WORDS
from sqlalchemy.orm import DeclarativeBase

from copier_fastapi_sqlalchemy.resource import render as rendering
from copier_fastapi_sqlalchemy.resource.clashes import check_names
from copier_fastapi_sqlalchemy.resource.errors import Refusal
from copier_fastapi_sqlalchemy.resource.fields import ON_DELETE, OPTIONS, parse_fields
from copier_fastapi_sqlalchemy.resource.names import names_of
from copier_fastapi_sqlalchemy.resource.project import Project, open_project, require_free
from copier_fastapi_sqlalchemy.resource.record import Resource
from copier_fastapi_sqlalchemy.resource.register import add_to_tables
from copier_fastapi_sqlalchemy.resource.render import TEMPLATES, render
from copier_fastapi_sqlalchemy.resource.view import View
from copier_fastapi_sqlalchemy.resource.wrapping import wrapped
from tests.harness.commands import run_tool
from tests.harness.servers import NewDatabase, engine
from tests.harness.warm_process import WarmProcess

EXAMPLES = 100
LINE_LENGTH = 100
# How many of the resources are added to one project, whose tables are made.
ADDED = 30
FIRST_PARTY = 'lint.isort.known-first-party=["app", "tests"]'
CREATE = """
import json, sys
from importlib import import_module
from fastapi import FastAPI
from sqlalchemy import create_engine
from sqlalchemy.orm import configure_mappers
from app.tables import metadata
app = FastAPI()
for name in json.loads(sys.argv[2]):
    app.include_router(import_module(f"app.{name}.router").router)
configure_mappers()
app.openapi()
engine = create_engine(sys.argv[1])
metadata.create_all(engine)
metadata.drop_all(engine)
engine.dispose()
"""
PLAIN = ["title", "book", "price", "due_on", "a", "x1", "order_id", "tags", "tag", "user", "users", "author", "posts"]
TEXTS = ["", "draft", "0", "-1", "1.5", "true", "null", "a\\b", 'say "no"', "{x}", "it's", "2026-01-31", "12:30", "é"]
# The arguments of types that take some.
ARGUMENTS = {
    "str": ["", "1", "40", "200", "700", "10000"],
    "decimal": ["1,0", "10,2", "18,18"],
    "enum": ["a", "draft,in-print", "class,none,true", "name,value", "x1,x2,x3"],
    "ref": ["users", "posts", "tags", "books"],
    "many": ["users", "tags", "posts"],
}
# Options and defaults that suit a type.
SUITABLE = {
    **dict.fromkeys(("str", "email", "int", "bigint", "float", "decimal"), ("unique", "index", "secret")),
    **dict.fromkeys(("date", "datetime", "time", "uuid"), ("unique", "index", "secret")),
    **dict.fromkeys(("bool", "enum"), ("index", "secret")),
    "ref": ("unique", "index", "cascade"),
    "many": (),
}
DEFAULTS = {
    **dict.fromkeys(("str", "text"), ("", "a", 'say "no"', "a\\b", "{x}", "it's")),
    **dict.fromkeys(("int", "bigint", "float"), ("0", "-1", "100")),
    "bool": ("true", "false"),
    "date": ("2026-01-31",),
    "datetime": ("2026-01-31T12:00:00+02:00",),
    "uuid": ("00000000-0000-4000-8000-000000000001",),
    "email": ("ada@example.com",),
    "url": ("https://example.com/?a=b",),
}
KINDS = [
    *("str", "str", "text", "int", "bigint", "bool", "float", "decimal", "date", "datetime", "time", "interval"),
    *("uuid", "json", "bytes", "email", "url", "enum", "enum", "ref", "ref", "many"),
]


def words_of_templates() -> Iterator[str]:
    """Give the names that the templates of a resource use, as fields can be called."""
    for path in TEMPLATES.rglob("*.py.jinja"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for attribute in ("id", "attr", "name", "arg"):
                if isinstance(name := getattr(node, attribute, None), str):
                    yield re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name.rpartition(".")[2]).lower().strip("_")


POOL = sorted(
    name
    for name in {
        *(name.lower() for name in (*dir(builtins), *keyword.kwlist, *keyword.softkwlist)),
        *dir(BaseModel),
        *dir(DeclarativeBase),
        *dir(Row),
        *dir(Table),
        *RESERVED_WORDS,
        *RESERVED_WORDS_MYSQL,
        *words_of_templates(),
    }
    if re.fullmatch(r"[a-z][a-z0-9_]{,23}", name)  # with both a longer name and a longer field, lines are too long
)
random = st.from_regex(r"[a-z]{1,9}(_[a-z0-9]{1,9}){0,1}", fullmatch=True)
words = st.one_of(st.sampled_from(PLAIN), random, random, st.sampled_from(POOL))


@st.composite
def fields(draw: Callable[..., Any]) -> str:
    """Draw a field as a user types it, of which one in some can't be."""
    kind = draw(st.sampled_from(KINDS))
    is_odd = draw(st.integers(0, 9)) == 0
    parts = [draw(words), kind + draw(st.sampled_from(["", "?"] if is_odd or kind != "many" else [""]))]
    parts += [draw(st.sampled_from(ARGUMENTS[kind]))] if kind in ARGUMENTS else []
    options = (*OPTIONS, *ON_DELETE) if is_odd else SUITABLE.get(kind, ("secret",))
    parts += draw(st.lists(st.sampled_from(options), max_size=2, unique=True)) if options else []
    defaults = tuple(TEXTS) if is_odd else DEFAULTS.get(kind, ())
    default = f"={draw(st.sampled_from(defaults))}" if defaults and draw(st.booleans()) else ""
    return ":".join(filter(None, parts)) + default


@st.composite
def commands(draw: Callable[..., Any]) -> tuple[str, str | None, list[str], list[str]]:
    """Draw the arguments of `resource add`: a name, the singular, fields, and fields that are unique together."""
    name = draw(words)
    singular = draw(st.one_of(st.none(), words))
    plural = name if (singular and singular != name) or name.endswith("s") else f"{name}s"
    chosen = draw(st.lists(fields(), min_size=1, max_size=5))
    names = [field.partition(":")[0] for field in chosen]
    together = draw(st.lists(st.sampled_from(names), max_size=3)) if draw(st.booleans()) else []
    return plural, singular, chosen, together


def typed(command: tuple[str, str | None, list[str], list[str]]) -> str:
    """Write a command as a user types it."""
    plural, singular, chosen, together = command
    options = [*(["--singular", singular] if singular else []), *(["--unique", ",".join(together)] if together else [])]
    return shlex.join(["resource", "add", plural, *chosen, *options])


def rendered_texts(project: Project, command: tuple[str, str | None, list[str], list[str]]) -> dict[str, str]:
    """Render a resource, without formatting it; give nothing where it is refused, which takes one line."""
    plural, singular, chosen, together = command
    try:
        names = names_of(plural, singular)
        require_free(project, names)
        resource = Resource(names, parse_fields(chosen), (tuple(together),) if together else ())
        View(resource, project).check_resource_name()
        check_names(resource, project)
        return render(resource, project)
    except Refusal as refusal:
        text = str(refusal)
        assert text.endswith(".")
        assert "\n" not in text
        assert len(text) < 400
        return {}


@pytest.fixture(scope="module")
def drawn(project: Path) -> dict[str, dict[str, str]]:
    """The files of resources that were drawn and not refused, by the commands that add them; not formatted yet."""
    opened = open_project(project)
    found: dict[str, dict[str, str]] = {}

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=[*HealthCheck],
    )
    @given(commands())
    def draw(command: tuple[str, str | None, list[str], list[str]]) -> None:
        texts = rendered_texts(opened, command)
        for path, text in texts.items():
            if path.endswith(".py"):
                ast.parse(text, path)
        if texts:
            found[typed(command)] = texts

    with patch.object(rendering, "tidy", lambda text, *_: text):
        draw()
    return found


@pytest.fixture(scope="module")
def written(drawn: dict[str, dict[str, str]], project: Path, scratch: Path) -> Iterator[Path]:
    """A folder with the files of each resource in a folder of its own, formatted as `add` does."""
    folder = scratch / "drawn"
    for number, (command, texts) in enumerate(drawn.items()):
        for path, text in texts.items():
            file = folder / str(number) / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        shutil.copy(project / "pyproject.toml", folder / str(number))
        (folder / str(number) / "command.txt").write_text(command, encoding="utf-8")
    rules = ["--select", "I,F401,F811", "--fix", "--exit-zero"]
    run_tool(folder, "ruff", "check", "--no-cache", "--quiet", "--config", FIRST_PARTY, *rules)
    run_tool(folder, "ruff", "format", "--no-cache", "--quiet")
    for file in folder.rglob("*.py"):
        file.write_text(wrapped(file.read_text(encoding="utf-8"), LINE_LENGTH), encoding="utf-8")
    yield folder
    shutil.rmtree(folder)


@pytest.mark.example
def test_code_is_clean_or_refused(written: Path, drawn: dict[str, dict[str, str]]) -> None:
    assert len(drawn) > EXAMPLES / 10
    run_tool(written, "ruff", "check", "--no-cache", "--no-fix", "--quiet", "--config", FIRST_PARTY)
    run_tool(written, "ruff", "format", "--no-cache", "--check", "--quiet")


@pytest.mark.example
def test_code_is_imported_and_makes_its_tables(
    written: Path, project: Path, scratch: Path, warm_process: WarmProcess, new_database: NewDatabase
) -> None:
    made = Path(shutil.copytree(project, scratch / "with-drawn"))
    registered = (made / "app/tables.py").read_text(encoding="utf-8")
    tables: set[str] = set()
    names: list[str] = []
    for folder in sorted(written.iterdir()):
        [record] = folder.glob("app/*/resource.toml")
        package = record.parent
        [module] = [path for path in package.iterdir() if path.name in {"models.py", "tables.py"}]
        text = module.read_text(encoding="utf-8")
        own = {*re.findall(r'(?:Table\(|__tablename__ = )\s*"(\w+)"', text)}
        if own & tables or re.search(r'"books"|books\.id', text) or len(names) == ADDED:
            continue
        tables |= own
        names.append(package.name)
        shutil.copytree(folder / "app", made / "app", dirs_exist_ok=True)
        registered = add_to_tables(registered, f"app.{package.name}.{module.stem}")
    (made / "app/tables.py").write_text(registered, encoding="utf-8")
    assert len(names) > 3
    with new_database() as url:
        driven = engine(url).url.render_as_string(hide_password=False)
        command = ["-W", "error", "-c", CREATE, driven, json.dumps(names)]
        warm_process.run(command, made, {"DATABASE_URL": url})
    shutil.rmtree(made)
