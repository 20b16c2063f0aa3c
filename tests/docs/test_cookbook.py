"""Each recipe in docs/cookbook.md works in the projects that it is for, and is clean by their own rules."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.harness.commands import run_tool
from tests.harness.project_tests import run_tests
from tests.harness.servers import DRIVERS, NewDatabase
from tests.harness.variants import ROOT, Variant, all_variants
from tests.harness.warm_process import WarmProcess

PAGE = ROOT / "docs/cookbook.md"
TESTS = Path(__file__).with_name("recipe_tests.py")
# A line such as `ORM, on MySQL:` or `Core joins single rows, and …:`, and the code that it is about.
BLOCK = re.compile(r"^((?:ORM|Core)\b[^\n]*):\n\n```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TITLES = {"SQLite": "sqlite", "PostgreSQL": "postgresql", "MySQL": "mysql"}


def recipes() -> dict[str, str]:
    """Give the text below each heading of a recipe, by the name that its module and its test have."""
    parts = re.split(r"(?m)^### (.*)$", PAGE.read_text(encoding="utf-8"))
    names = [re.sub(r"[\W_]+", "_", heading.lower()).strip("_") for heading in parts[1::2]]
    return {name: re.split(r"(?m)^## ", text)[0] for name, text in zip(names, parts[2::2], strict=True)}


def blocks_for(variant: Variant, text: str) -> Iterator[str]:
    """Give the code of a recipe for `variant`, changed as the page says."""
    for label, code in BLOCK.findall(text):
        words = re.findall(r"\w+", label.partition(",")[0].lower())
        databases = [database for title, database in TITLES.items() if title in label]
        if variant.data_access in words and (not databases or variant.database in databases):
            yield for_io(variant, code.replace("postgresql", variant.database))


def for_io(variant: Variant, code: str) -> str:
    """Leave out `async` and `await` where the variant has neither."""
    return code if variant.io == "async" else re.sub(r"\b(async|await) ", "", code)


@pytest.fixture
def cookbook(project: Path, variant: Variant, tmp_path: Path) -> Path:
    """A copy of the project with a module of each recipe in `cookbook/`."""
    copied = shutil.copytree(project, tmp_path / "project", ignore=shutil.ignore_patterns("__pycache__"))
    (copied / "cookbook").mkdir()
    (copied / "cookbook/__init__.py").touch()
    for name, text in recipes().items():
        for code in blocks_for(variant, text):
            (copied / f"cookbook/{name}.py").write_text(code, encoding="utf-8")
    return copied


def test_every_block_of_code_is_read() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert len(BLOCK.findall(page)) == page.count("```python")


@pytest.mark.parametrize("name", recipes())
def test_every_recipe_is_there_in_orm_and_in_core(name: str) -> None:
    variants = [variant for variant in all_variants() if variant.is_base]
    bases = [variant.base for variant in variants if len(list(blocks_for(variant, recipes()[name]))) == 1]
    orm, core = ([base for base in bases if base.endswith(access)] for access in ("orm", "core"))
    assert len(orm) == len(core) >= 4


def test_every_recipe_has_a_test() -> None:
    assert re.findall(r"(?m)^async def test_(\w+)", TESTS.read_text(encoding="utf-8")) == list(recipes())


@pytest.mark.base
@pytest.mark.each_base
def test_recipes_work(cookbook: Path, variant: Variant, warm_process: WarmProcess, new_database: NewDatabase) -> None:
    tests = cookbook / TESTS.name
    tests.write_text(for_io(variant, TESTS.read_text(encoding="utf-8")), encoding="utf-8")
    names = [path.stem for path in sorted(cookbook.glob("cookbook/[!_]*.py"))]
    with new_database() as url:
        own = make_url(url).set(drivername=DRIVERS[variant.database]).render_as_string(hide_password=False)
        chosen = [f"{TESTS.name}::test_{name}" for name in names]
        run_tests(warm_process, cookbook, {"DATABASE_URL": url, "COOKBOOK_URL": own}, *chosen)


@pytest.mark.base
@pytest.mark.each_base
def test_recipes_are_formatted_and_linted(cookbook: Path, variant: Variant) -> None:
    if variant.io == "async":  # what the page shows
        run_tool(cookbook, "ruff", "format", "--no-cache", "--diff", "cookbook")
    run_tool(cookbook, "ruff", "check", "--no-cache", "cookbook")


@pytest.mark.base
@pytest.mark.each_base
def test_recipes_are_typed(cookbook: Path, warm_process: WarmProcess, mypy_cache: Path) -> None:
    warm_process.run(["-m", "mypy", "--strict", "--cache-dir", str(mypy_cache), "cookbook"], cookbook)
