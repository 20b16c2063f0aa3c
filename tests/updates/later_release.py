"""A release of the template that doesn't exist yet: changes in most files, of the kinds that a year brings.

Each change is found by a pattern, so that it can be made to the template as it is today.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from tests.harness.edits import substitute

REMOVED = "tests/web/test_paging.py"
ADDED = "app/access_log.py"
QUESTION = """
access_log:
  type: str
  help: How does the access log look?
  choices: [plain, json]
  default: plain
"""
MODULE = '''\
"""How the access log looks."""

from typing import Literal

FORMAT: Literal["plain", "json"] = "{{ access_log }}"


def is_plain(name: str) -> bool:
    return name == "plain"
'''
MODULE_TEST = """\
from app.access_log import FORMAT, is_plain


def test_access_log_is_plain() -> None:
    assert is_plain(FORMAT)
"""
ROUTE = '''

@router.get("/region")
async def region() -> Health:
    """Answer wherever it runs."""
    return Health()
'''
TYPE = '''\
class LowerCase(TypeDecorator[str]):
    """A text in lower case."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, _dialect: Dialect) -> str | None:
        return value and value.lower()


'''
TEST = """

def test_this_module_is_one_of_the_tests() -> None:
    assert __name__.startswith("tests.")
"""
STEP = """\
      - name: Version of git
        run: git --version
"""
# What changes in a file of the template: patterns, and what replaces the first text that each finds.
CHANGES: dict[str, list[tuple[str, str]]] = {
    "copier.yml": [(r"\n(?=database:\n)", QUESTION + "\n")],
    "template/app/settings.py.jinja": [(r"(?m)^(?=    db_pool_size: )", '    service_region: str = "local"\n')],
    "template/.env.example.jinja": [
        (r"(?m)^(DB_MAX_OVERFLOW=.*\n)", r"\1\n# The region that the service runs in.\nSERVICE_REGION=local\n")
    ],
    "template/app/main.py.jinja": [(r"(?m)^MAX_BODY_SIZE = .*$", "MAX_BODY_SIZE = 2 * 1024 * 1024")],
    "template/app/web/health.py.jinja": [(r"\Z", ROUTE)],
    "template/app/db/types.py.jinja": [
        (r"(?m)^from sqlalchemy\.types import TypeDecorator$", "from sqlalchemy.types import String, TypeDecorator"),
        (r"(?m)^(?=class JSONObject)", TYPE),
    ],
    "template/pyproject.toml.jinja": [
        (r'(?m)^    "alembic>=[\d.]+",$', '    "alembic>=1.19",'),
        (r'(?m)^(?=    "pydantic-settings)', '    "idna>=3",\n'),
        (r'(?m)^(?=    "pytest>=)', '    "packaging>=24",\n'),
    ],
    "template/.github/workflows/ci.yml.jinja": [
        (r"(?m)^(?=      - name: Install)", STEP),
        (r"run: uv run coverage run -m pytest\n", "run: uv run pytest --verbose\n"),
    ],
    "template/Dockerfile.jinja": [(r"(?m)^(?=CMD )", "LABEL region=local\n")],
    "template/README.md.jinja": [(r"\Z", "\n## Region\n\n`SERVICE_REGION` names it.\n")],
}


def change(source: Path) -> None:
    """Change the template in `source` as a year does."""
    template = source / "template"
    for name, changes in CHANGES.items():
        for pattern, replacement in changes:
            substitute(source / name, pattern, replacement)
    for file in files(template, "app/**/router.py.jinja"):
        substitute(file, r"(?m)^router = ResourceRouter\((.*)\)$", r"router = ResourceRouter(\1, deprecated=False)")
    for file in files(template, "**/*.py*"):
        reword_docstring(file)
    for file in files(template, "tests/**/test_*.py*"):
        substitute(file, r"\Z", TEST)
    move_last_definition(template / "app/web/middleware.py.jinja")
    (template / REMOVED).unlink()
    (template / f"{ADDED}.jinja").write_text(MODULE, encoding="utf-8")
    (template / "tests/test_access_log.py").write_text(MODULE_TEST, encoding="utf-8")


def files(template: Path, pattern: str) -> Iterator[Path]:
    """Give the files of a pattern, those of one data access or database too."""
    for tree in (template, *sorted(template.glob("{{*}}"))):
        yield from (path for path in sorted(tree.glob(pattern)) if tree != template or "{{" not in path.as_posix())


def reword_docstring(file: Path) -> None:
    """Write the first line of a module's docstring anew, where there is room; one file's owner has put a line there."""
    text = file.read_text(encoding="utf-8")
    found = re.match(r'(?:#\{%.*\n)*"""[^"\n]{1,80}(?=\.(?:"""|\n))', text)
    if found and not file.match("app/db/types.py.jinja"):
        file.write_text(f"{found[0]}, in short{text[found.end() :]}", encoding="utf-8")


def move_last_definition(file: Path) -> None:
    """Move the last function or class of a module before the first."""
    head, *definitions = re.split(r"\n\n\n(?=class |def |async def |@)", file.read_text(encoding="utf-8").rstrip("\n"))
    *others, last = definitions
    file.write_text("\n\n\n".join([head, last, *others]) + "\n", encoding="utf-8")
