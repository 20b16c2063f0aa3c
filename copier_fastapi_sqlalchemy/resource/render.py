"""Renders the files of a resource, by the same technique and macros as the template's own."""

import ast
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2

from copier_fastapi_sqlalchemy.resource import formatting, former
from copier_fastapi_sqlalchemy.resource.names import Names
from copier_fastapi_sqlalchemy.resource.record import Resource
from copier_fastapi_sqlalchemy.resource.reserved import path_constant
from copier_fastapi_sqlalchemy.resource.view import View
from copier_fastapi_sqlalchemy.resource.wrapping import wrapped

if TYPE_CHECKING:
    from copier_fastapi_sqlalchemy.resource.project import Project

PACKAGE = Path(str(files("copier_fastapi_sqlalchemy")))
TEMPLATES = PACKAGE / "resource" / "templates"
# In a wheel the macros are in the package, in a checkout beside it.
MACROS = PACKAGE / "macros" if (PACKAGE / "macros").is_dir() else PACKAGE.parent / "macros"
# What resources share, each written with the first that imports it.
SUPPORT = [file.relative_to(TEMPLATES).as_posix() for file in sorted(TEMPLATES.glob("support/*/*.py"))]
HELPERS = {f"tests/{name}.py": f"tests/{name}.py.jinja" for name in ("callers", "rows")}
SHARED = {path.replace("support/", "app/", 1): path for path in SUPPORT} | HELPERS
# What they were in resources of a form or an older one.
FORMER_SHARED = {
    former.WITH_EQUAL_ROWS: {
        **{f"app/web/{name}.py": f"former/{name}.py" for name in ("binary", "numbers", "times")},
        "tests/rows.py": "former/rows.py.jinja",
    },
    former.WITH_NUMBERS: {
        "app/web/intervals.py": "former/intervals_or_numbers.py",
        "app/web/moments.py": "former/moments.py",
    },
    former.WITHOUT_ROWS: {"app/web/intervals.py": "former/intervals.py"},
}
# Docstrings, comments and strings; those with a space are sentences.
TEXT = re.compile(r'"""(?:.|\n)*?"""|(?m:(?:^| )# .*$)|"[^"\n]*"')
WORD = re.compile(
    r"/(?:books|owners)\b|\bBOOKS\b|\bOwner\b|(?<![a-z])(?:book|owner)s?(?![a-z])|(?<![A-Za-z])Books?(?![a-z])"
)
PROSE_WORD = re.compile(r"\{[^{}\n]*\}|\b[Aa] book\b|\b[Bb]ooks?\b|\bowners?\b")


def render(resource: Resource, project: "Project") -> dict[str, str]:
    """Give the text of each file of a resource by its path in the project, formatted as the project formats.

    Raises:
        Refusal: a field doesn't suit the project.

    """
    texts = {path: tidy(text, path, project.folder) for path, text in own_texts(resource, project).items()}
    schemas = f"app/{resource.names.plural}/schemas.py"
    if not texts[schemas].strip():
        del texts[schemas]
    sources = dict(SHARED)
    for form, paths in FORMER_SHARED.items():
        sources |= paths if resource.form <= form else {}
    texts = _with_shared(texts, sources, project)
    if resource.form != former.FORM:
        texts = {path: wrapped(text, project.line_length) for path, text in texts.items()}
    return dict(sorted(texts.items()))


def _with_shared(texts: dict[str, str], sources: Mapping[str, str], project: "Project") -> dict[str, str]:
    """Add the files that resources share, as far as files import them."""
    new = {
        path: _shared_text(path, source, project)
        for path, source in sources.items()
        if path not in texts and any(f"from {_module(path)} import" in text for text in texts.values())
    }
    return _with_shared(texts | new, sources, project) if new else texts


def is_former(path: str, text: str, project: "Project") -> bool:
    """Tell whether a file that resources share is as a former version wrote it."""
    sources = [paths[path] for paths in FORMER_SHARED.values() if path in paths]
    return any(wrapped(_shared_text(path, one, project), project.line_length) == text for one in sources)


def _shared_text(path: str, source: str, project: "Project") -> str:
    names = Names("books", "book")  # no file that resources share has a name of theirs
    text = _environment(names, former.NOW, ()).get_template(source).render(project.answers.facts())
    return tidy(text, path, project.folder)


def own_texts(resource: Resource, project: "Project") -> dict[str, str]:
    """Give the text of each file that only this resource has, not formatted yet.

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
    test = "test_router" if context["creates"] else "test_router_of_rows"
    sources[f"{tests}/test_router.py"] = f"tests/{test}.py.jinja"
    texts = {f"{folder}/__init__.py": "", f"{tests}/__init__.py": "", f"{folder}/resource.toml": record.to_toml()}
    words = tuple((view.parent.words() if view.parent else {}).items())
    environment = _environment(resource.names, resource.form, words)
    for path, source in sources.items():
        name = Path(path).name
        text = environment.get_template(source).render(context, imports=view.imports(name))
        if name == "router.py" and view.manys:
            text = text.replace(f".get({resource.names.singular}_id", f".get_detail({resource.names.singular}_id")
        if name == "test_router.py" and view.parent:
            text = with_fixture(text, context["path"])
        texts[path] = text
    return texts


def _module(path: str) -> str:
    """Give the name of the module that a file is."""
    return path.removesuffix(".py").replace("/", ".")


def tidy(text: str, path: str, folder: Path) -> str:
    """Sort the imports of a Python file, leave out those that it doesn't use, and format it, by the project's rules."""
    return formatting.tidy(folder, path, text, "I,F401,F811") if path.endswith(".py") and text else text


@cache
def _environment(names: Names, form: int, words: tuple[tuple[str, str], ...]) -> jinja2.Environment:
    """Give the environment of the templates, in which a resource of books has other names."""
    constant = path_constant(names, form)

    def load(name: str) -> str | None:
        path = MACROS.parent / name if name.startswith("macros/") else TEMPLATES / name
        if not path.is_file():
            return None
        text = path.read_text(encoding="utf-8")
        return text if name.startswith("macros/") else rename(text, names, constant, dict(words))

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


def with_fixture(text: str, name: str) -> str:
    """Let each function of a module of tests that uses a fixture have it as its second parameter."""
    lines = text.splitlines(keepends=True)
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name != name:
            first = node.args.args[:1]
            if first and any(isinstance(part, ast.Name) and part.id == name for part in ast.walk(node)):
                line, column = (first[0].end_lineno or 0) - 1, first[0].end_col_offset or 0
                lines[line] = f"{lines[line][:column]}, {name}: str{lines[line][column:]}"
    return "".join(lines)


def rename(source: str, names: Names, constant: str, parent: Mapping[str, str]) -> str:
    """Give the source of a template, which is of books of an owner, as it is for another resource.

    `constant` names its path, and `parent` has what stands for the words about the owner.
    """
    words = {"book": names.singular, "books": names.plural, "Book": names.class_name, "Books": names.classes_name}
    words |= {"/books": f"/{names.path}", "BOOKS": constant, **parent}
    pieces, end = [], 0
    for text in TEXT.finditer(source):
        is_prose = " " in text[0].strip()
        pieces += [
            _rename_code(source[end : text.start()], words),
            _rename_prose(text[0], names, words) if is_prose else _rename_code(text[0], words),
        ]
        end = text.end()
    return "".join([*pieces, _rename_code(source[end:], words)])


def _rename_code(code: str, words: Mapping[str, str]) -> str:
    return WORD.sub(lambda found: words.get(found[0], found[0]), code)


def _rename_prose(text: str, names: Names, code: Mapping[str, str]) -> str:
    """Rename in a sentence; what is in braces is code."""
    words = {"book": names.label, "books": names.labels}
    words |= {word: code.get(word, word).replace("_", " ") for word in ("owner", "owners")}
    words |= {"a book": f"{names.article} {names.label}", "A book": f"{names.article.capitalize()} {names.label}"}

    def word(found: re.Match[str]) -> str:
        if found[0].startswith("{"):
            return _rename_code(found[0], code)
        return words.get(found[0]) or words[found[0].lower()].capitalize()

    return PROSE_WORD.sub(word, text)
