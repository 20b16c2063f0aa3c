"""What adding a resource to a project, and removing it, makes of the project's files."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from copier_fastapi_sqlalchemy.resource.code import Code, read_text
from copier_fastapi_sqlalchemy.resource.errors import Refusal
from copier_fastapi_sqlalchemy.resource.formatting import edited
from copier_fastapi_sqlalchemy.resource.names import Names
from copier_fastapi_sqlalchemy.resource.plan import Plan
from copier_fastapi_sqlalchemy.resource.project import Project, require_unused
from copier_fastapi_sqlalchemy.resource.record import Resource
from copier_fastapi_sqlalchemy.resource.register import (
    MAIN,
    TABLES,
    Entry,
    add_to_main,
    add_to_tables,
    remove_from_main,
    remove_from_tables,
)
from copier_fastapi_sqlalchemy.resource.render import render


def entry_of(names: Names) -> Entry:
    """Give a resource as app/main.py lists it."""
    return Entry(names.plural, f"{names.labels.capitalize()}.")


def plan_addition(project: Project, resource: Resource, *, register: bool = True, formatted: bool = True) -> Plan:
    """Plan the files of a new resource; `register` puts it into app/main.py too.

    Raises:
        Refusal: a field doesn't suit the project, or a file can't be edited.

    """
    names, folder, limit = resource.names, project.folder, project.line_length
    texts: dict[str, str | None] = {
        path: text
        for path, text in render(resource, project).items()
        if _is_own(path, names) or not (folder / path).exists()  # what resources share may be there already
    }
    texts[TABLES] = edited(
        folder, TABLES, lambda text: add_to_tables(text, _table_module(project, names)), is_formatted=formatted
    )
    if register:
        texts[MAIN] = edited(
            folder, MAIN, lambda text: add_to_main(text, entry_of(names), limit), is_formatted=formatted
        )
    return Plan(f"Add {names.labels}", folder, _changed(folder, texts))


def plan_removal(project: Project, resource: Resource, *, register: bool = True, formatted: bool = True) -> Plan:
    """Plan to delete the packages of a resource, and what only it needs; `register` takes it out of app/main.py too.

    Raises:
        Refusal: something uses the resource or refers to its table, or a file can't be edited.

    """
    names, folder, limit = resource.names, project.folder, project.line_length
    texts: dict[str, str | None] = dict.fromkeys(_own_files(folder, names))
    texts[TABLES] = edited(
        folder, TABLES, lambda text: remove_from_tables(text, _table_module(project, names)), is_formatted=formatted
    )
    if register:
        texts[MAIN] = edited(
            folder, MAIN, lambda text: remove_from_main(text, entry_of(names), limit), is_formatted=formatted
        )
    require_unused(project, names, texts)
    texts |= dict.fromkeys(_unneeded(project, resource, texts))
    return Plan(f"Remove {names.labels}", folder, _changed(folder, texts))


def _table_module(project: Project, names: Names) -> str:
    return f"app.{names.plural}.{project.answers.kind}"


def _is_own(path: str, names: Names) -> bool:
    return path.startswith((f"app/{names.plural}/", f"tests/{names.plural}/"))


def _own_files(folder: Path, names: Names) -> Iterator[str]:
    for package in (f"app/{names.plural}", f"tests/{names.plural}"):
        for path in sorted((folder / package).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path.relative_to(folder).as_posix()


def _unneeded(project: Project, resource: Resource, texts: Mapping[str, str | None]) -> Iterator[str]:
    """Give the files that came with the resource for all to share, and that nothing imports without it."""
    try:
        shared = {path: text for path, text in render(resource, project).items() if not _is_own(path, resource.names)}
    except Refusal:  # what it refers to is gone: then nothing is certain
        return
    imported = {
        name
        for folder in ("app", "tests", "migrations")
        for module in Code(project.folder, folder, texts).modules.values()
        for node in module.imports()
        for name in module.named_by(node)
    }
    for path, text in shared.items():
        module = path.removesuffix(".py").replace("/", ".")
        is_imported = any(name == module or name.startswith(f"{module}.") for name in imported)
        if not is_imported and (project.folder / path).exists() and read_text(project.folder, path) == text:
            yield path


def _changed(folder: Path, texts: Mapping[str, str | None]) -> dict[str, str | None]:
    return {
        path: text
        for path, text in texts.items()
        if text is None or not (folder / path).exists() or read_text(folder, path) != text
    }
