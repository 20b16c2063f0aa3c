"""What adding a resource to a project, and removing it, makes of the project's files."""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import indent

from copier_fastapi_sqlalchemy.resource.access import add_to_access, remove_from_access, replace_in_access, roles_of
from copier_fastapi_sqlalchemy.resource.clashes import check_names, name_problems
from copier_fastapi_sqlalchemy.resource.code import Code, read_text
from copier_fastapi_sqlalchemy.resource.errors import Refusal
from copier_fastapi_sqlalchemy.resource.formatting import edited, edited_text
from copier_fastapi_sqlalchemy.resource.merge import MARK, Merged, merge
from copier_fastapi_sqlalchemy.resource.names import Names
from copier_fastapi_sqlalchemy.resource.others import require_in_revisions
from copier_fastapi_sqlalchemy.resource.ownership import check_owner, rules_of
from copier_fastapi_sqlalchemy.resource.plan import Plan
from copier_fastapi_sqlalchemy.resource.project import ACCESS, RECORD, Project, require_unused
from copier_fastapi_sqlalchemy.resource.record import Resource
from copier_fastapi_sqlalchemy.resource.register import (
    MAIN,
    TABLES,
    Entry,
    add_to_main,
    add_to_tables,
    correct_tag,
    remove_from_main,
    remove_from_tables,
)
from copier_fastapi_sqlalchemy.resource.render import is_former, render
from copier_fastapi_sqlalchemy.resource.view import View


def entry_of(names: Names) -> Entry:
    """Give a resource as app/main.py lists it."""
    return Entry(names.plural, f"{names.labels.capitalize()}.")


def plan_addition(project: Project, resource: Resource, *, register: bool = True, formatted: bool = True) -> Plan:
    """Plan the files of a new resource; `register` puts it into app/main.py too.

    Raises:
        Refusal: a field doesn't suit the project, or a file can't be edited.

    """
    names, folder, limit = resource.names, project.folder, project.line_length
    check_owner(resource, project)
    view = View(resource, project)
    view.check_resource_name()
    check_names(resource, project)
    require_in_revisions(folder, view.sql_names()[0])
    texts: dict[str, str | None] = {
        path: text
        for path, text in render(resource, project).items()
        # What resources share may be there already.
        if _is_own(path, names) or not (folder / path).exists() or is_former(path, read_text(folder, path), project)
    }
    texts[TABLES] = edited(
        folder, TABLES, lambda text: add_to_tables(text, _table_module(project, names)), is_formatted=formatted
    )
    if register:
        texts[MAIN] = edited(
            folder, MAIN, lambda text: add_to_main(text, entry_of(names), limit), is_formatted=formatted
        )
    if register and project.has_accounts:
        rules = rules_of(resource, project, texts[router_path(names)] or "")
        texts[ACCESS] = edited(folder, ACCESS, lambda text: add_to_access(text, rules), is_formatted=formatted)
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
    if register and project.has_accounts and (folder / router_path(names)).exists():
        routes = roles_of(read_text(folder, router_path(names)))
        texts[ACCESS] = edited(folder, ACCESS, lambda text: remove_from_access(text, routes), is_formatted=formatted)
    require_unused(project, names, texts)
    texts |= dict.fromkeys(_unneeded(project, resource, texts))
    return Plan(f"Remove {names.labels}", folder, _changed(folder, texts))


@dataclass(frozen=True)
class Side:
    """A resource and the project that it is rendered for: before a change, or after it."""

    resource: Resource
    project: Project

    def texts(self) -> dict[str, str]:
        """Give the text of each file."""
        return render(self.resource, self.project)

    @property
    def table_path(self) -> str:
        """The path of the module of its tables."""
        return f"app/{self.resource.names.plural}/{self.project.answers.kind}.py"


@dataclass
class Change:
    """What a change makes of the files of a resource, what is said about it, and where conflicts are."""

    label: str  # of the new side, at a conflict
    texts: dict[str, str | None] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)

    def plan(self, title: str, folder: Path) -> Plan:
        """Plan what differs."""
        return Plan(title, folder, _changed(folder, self.texts))


def plan_change(change: Change, before: Side, after: Side) -> None:
    """Merge what differs between a resource as it was asked for and as it is now into its files.

    Raises:
        Refusal: a field doesn't suit the project, or a file can't be edited.

    """
    project, names, folder = after.project, after.resource.names, after.project.folder
    check_owner(after.resource, project)
    check_names(after.resource, project, {*name_problems(before.resource, before.project)})
    tables, old_tables = (View(side.resource, side.project).sql_names()[0] for side in (after, before))
    require_in_revisions(folder, tables - old_tables)
    old, new = before.texts(), after.texts()
    if before.table_path != after.table_path:
        old[after.table_path] = old.pop(before.table_path)  # merged as if it were renamed
        _rename_tables(change, before, after, old[after.table_path])
    record = f"app/{names.plural}/{RECORD}"
    change.texts[record] = new[record]
    for path in sorted((old.keys() | new.keys()) - {record, *change.texts}):
        if path not in new:
            _drop(change, folder, path, old[path], is_own=_is_own(path, names))
        elif path not in old:
            _write(change, folder, path, new[path], is_own=_is_own(path, names))
        elif old[path] != new[path]:
            _merge(change, folder, path, old[path], new[path])
    _correct_tag(change, folder, names)
    if project.has_accounts:
        was, is_now = (
            rules_of(side.resource, side.project, side.texts()[router_path(names)]) for side in (before, after)
        )
        _change_access(change, folder, was, is_now)
    gone = {path: text for path, text in old.items() if path not in new and not _is_own(path, names)}
    change.texts |= dict.fromkeys(_unimported(project, gone, change.texts))


def router_path(names: Names) -> str:
    """Give the path of the module with a resource's routes."""
    return f"app/{names.plural}/router.py"


def _correct_tag(change: Change, folder: Path, names: Names) -> None:
    """Let the tag in app/main.py be that of the router, unless the router's is the owner's."""
    entry, path = entry_of(names), router_path(names)
    router = change.texts.get(path) or (read_text(folder, path) if (folder / path).exists() else "")
    if entry.tag != entry.name and f'tags=["{entry.tag}"]' in router:
        main = change.texts.get(MAIN) or read_text(folder, MAIN)
        change.texts[MAIN] = edited_text(folder, MAIN, main, lambda text: correct_tag(text, entry))


def _change_access(change: Change, folder: Path, before: Mapping[str, str], after: Mapping[str, str]) -> None:
    """Let the rows of a resource's routes be those of its rules now; what its owner has edited stays."""

    def edit(text: str) -> str:
        text = remove_from_access(text, before.keys() - after.keys())
        text, edited_rows = replace_in_access(text, before, after)
        change.notes += [f"Read the row of {name} in {ACCESS}: it is yours, and stays." for name in edited_rows]
        return add_to_access(text, {name: rule for name, rule in after.items() if name not in before})

    change.texts[ACCESS] = edited_text(folder, ACCESS, change.texts.get(ACCESS) or read_text(folder, ACCESS), edit)


def _rename_tables(change: Change, before: Side, after: Side, old: str) -> None:
    """Merge the module of tables into one with another name, and let app/tables.py import that."""
    folder, names = after.project.folder, after.resource.names
    modules = [_table_module(side.project, names) for side in (before, after)]
    registered = change.texts.get(TABLES) or read_text(folder, TABLES)
    change.texts[TABLES] = add_to_tables(remove_from_tables(registered, modules[0]), modules[1])
    if not (folder / before.table_path).exists():
        return
    yours, new = read_text(folder, before.table_path), after.texts()[after.table_path]
    merged = merge(folder, after.table_path, yours, old, new, label=change.label)
    change.texts |= {before.table_path: None, after.table_path: new if yours == old else merged.text}
    if yours != old:
        change.conflicts += [f"{after.table_path}:{line}" for line in merged.conflicts or (1,)]
        change.notes.append(f"Bring your edits of {before.table_path} into {after.table_path}, which replaces it.")


def _drop(change: Change, folder: Path, path: str, old: str, *, is_own: bool) -> None:
    """Delete a file that isn't needed any longer, unless it was edited; what resources share is looked at later."""
    if not is_own or not (folder / path).exists():
        return
    if read_text(folder, path) == old:
        change.texts[path] = None
    else:
        change.notes.append(f"Delete {path}, unless you need it: it has edits of yours, and no use otherwise.")


def _write(change: Change, folder: Path, path: str, new: str, *, is_own: bool) -> None:
    if not (folder / path).exists():
        change.texts[path] = new
    elif is_own:
        _merge(change, folder, path, "", new)


def _merge(change: Change, folder: Path, path: str, old: str, new: str) -> None:
    """Merge a change of a file into what it is."""
    if not (folder / path).exists():
        change.notes.append(f"Make these changes by hand where you moved {path} to:\n{_difference(path, old, new)}")
        return
    yours = read_text(folder, path)
    if yours == new:
        return
    merged = Merged(new) if yours == old else merge(folder, path, yours, old, new, label=change.label)
    change.texts[path] = merged.text
    change.conflicts += [f"{path}:{line}" for line in merged.conflicts]


def _difference(path: str, old: str, new: str) -> str:
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), f"a/{path}", f"b/{path}", lineterm="")
    return indent("\n".join(lines), " " * 4)


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
    yield from _unimported(project, shared, texts)


def _unimported(project: Project, shared: Mapping[str, str], texts: Mapping[str, str | None]) -> Iterator[str]:
    """Give those of shared files that are as they were written, and that nothing imports."""
    if not shared:
        return
    changed = {path: text for path, text in texts.items() if text is None or MARK not in text}
    imported = {
        name
        for folder in ("app", "tests", "migrations")
        for module in Code(project.folder, folder, changed).modules.values()
        for node in module.imports()
        for name in module.named_by(node)
    }
    gone = []
    for path, text in shared.items():
        module = path.removesuffix(".py").replace("/", ".")
        is_imported = any(name == module or name.startswith(f"{module}.") for name in imported)
        if not is_imported and (project.folder / path).exists() and read_text(project.folder, path) == text:
            gone.append(path)
    yield from gone
    if gone:  # what they alone import isn't needed either
        others = {path: text for path, text in shared.items() if path not in gone}
        yield from _unimported(project, others, {**texts, **dict.fromkeys(gone)})


def _changed(folder: Path, texts: Mapping[str, str | None]) -> dict[str, str | None]:
    return {
        path: text
        for path, text in texts.items()
        if text is None or not (folder / path).exists() or read_text(folder, path) != text
    }
