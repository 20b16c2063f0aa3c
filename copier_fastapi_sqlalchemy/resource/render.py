"""Renders the files of a resource, by the same technique and macros as the template's own."""

import re
from dataclasses import replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2

from copier_fastapi_sqlalchemy.resource import formatting
from copier_fastapi_sqlalchemy.resource.names import Names
from copier_fastapi_sqlalchemy.resource.record import Resource
from copier_fastapi_sqlalchemy.resource.view import View

if TYPE_CHECKING:
    from copier_fastapi_sqlalchemy.resource.project import Project

PACKAGE = Path(str(files("copier_fastapi_sqlalchemy")))
TEMPLATES = PACKAGE / "resource" / "templates"
# In a wheel the macros are in the package, in a checkout beside it.
MACROS = PACKAGE / "macros" if (PACKAGE / "macros").is_dir() else PACKAGE.parent / "macros"
# Docstrings, comments and strings; those with a space are sentences.
TEXT = re.compile(r'"""(?:.|\n)*?"""|(?m:(?:^| )# .*$)|"[^"\n]*"')
WORD = re.compile(r"/books\b|(?<![a-z])books?(?![a-z])|(?<![A-Za-z])Books?(?![a-z])")
PROSE_WORD = re.compile(r"\{[^{}\n]*\}|\b[Aa] book\b|\b[Bb]ooks?\b")


def render(resource: Resource, project: "Project") -> dict[str, str]:
    """Give the text of each file of a resource by its path in the project, formatted as the project formats.

    Raises:
        Refusal: a field doesn't suit the project.

    """
    view = View(resource, project)
    context = view.context()
    folder, access = f"app/{resource.names.plural}", "orm" if project.answers.orm else "core"
    table = "models.py" if project.answers.orm else "tables.py"
    sources = {f"{folder}/{table}": f"{access}/{table}.jinja", f"{folder}/schemas.py": "schemas.py.jinja"}
    sources |= {f"{folder}/repository.py": f"{access}/repository.py.jinja", f"{folder}/router.py": "router.py.jinja"}
    if context["enums"]:
        sources[f"{folder}/enums.py"] = "enums.py.jinja"
    tests, record = f"tests/{resource.names.plural}", replace(resource, answers=project.answers)
    sources[f"{tests}/test_router.py"] = "tests/test_router.py.jinja"
    if context["referring"]:
        sources["tests/rows.py"] = "tests/rows.py.jinja"
    texts = {f"{folder}/__init__.py": "", f"{tests}/__init__.py": "", f"{folder}/resource.toml": record.to_toml()}
    for path, source in sources.items():
        name = Path(path).name
        text = _environment(resource.names).get_template(source).render(context, imports=view.imports(name))
        if name == "router.py" and view.manys:
            text = text.replace(f".get({resource.names.singular}_id", f".get_detail({resource.names.singular}_id")
        texts[path] = text
    for support in _support(view):
        texts[f"app/db/{support}"] = (TEMPLATES / "support" / support).read_text(encoding="utf-8")
    return {path: tidy(text, path, project.folder) for path, text in sorted(texts.items())}


def _support(view: View) -> list[str]:
    """Give the modules of `app/db` that the project needs for types that its database lacks."""
    types = {field.field.type for field in view.fields}
    database = view.project.answers.database
    needed = ["decimals.py"] if "decimal" in types and database == "sqlite" else []
    return needed + (["durations.py"] if "interval" in types and database != "postgresql" else [])


def tidy(text: str, path: str, folder: Path) -> str:
    """Sort the imports of a Python file, leave out those that it doesn't use, and format it, by the project's rules."""
    return formatting.tidy(folder, path, text, "I,F401,F811") if path.endswith(".py") and text else text


@cache
def _environment(names: Names) -> jinja2.Environment:
    """Give the environment of the templates, in which a resource of books has other names."""

    def load(name: str) -> str | None:
        path = MACROS.parent / name if name.startswith("macros/") else TEMPLATES / name
        if not path.is_file():
            return None
        text = path.read_text(encoding="utf-8")
        return text if name.startswith("macros/") else rename(text, names)

    return jinja2.Environment(
        loader=jinja2.FunctionLoader(load),
        extensions=["jinja2_ansible_filters.AnsibleCoreFiltersExtension"],
        autoescape=False,  # noqa: S701 - what is rendered is Python
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        block_start_string="#{%",
        trim_blocks=True,
        lstrip_blocks=True,
    )


def rename(source: str, names: Names) -> str:
    """Give the source of a template, which is of books, as it is for another resource."""
    pieces, end = [], 0
    for text in TEXT.finditer(source):
        is_prose = " " in text[0].strip()
        pieces += [
            _rename_code(source[end : text.start()], names),
            (_rename_prose if is_prose else _rename_code)(text[0], names),
        ]
        end = text.end()
    return "".join([*pieces, _rename_code(source[end:], names)])


def _rename_code(code: str, names: Names) -> str:
    words = {"book": names.singular, "books": names.plural, "Book": names.class_name, "Books": names.classes_name}
    words["/books"] = f"/{names.path}"
    return WORD.sub(lambda found: words[found[0]], code)


def _rename_prose(text: str, names: Names) -> str:
    """Rename in a sentence; what is in braces is code."""
    words = {"book": names.label, "books": names.labels}
    words |= {"a book": f"{names.article} {names.label}", "A book": f"{names.article.capitalize()} {names.label}"}

    def word(found: re.Match[str]) -> str:
        if found[0].startswith("{"):
            return _rename_code(found[0], names)
        return words.get(found[0]) or words[found[0].lower()].capitalize()

    return PROSE_WORD.sub(word, text)
