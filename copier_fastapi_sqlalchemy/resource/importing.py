"""Plans the import of tables that are there: which, in which order, and what is written."""

import difflib
import re
import shutil
import sqlite3
import tempfile
from collections.abc import Collection, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy.dialects import postgresql

from copier_fastapi_sqlalchemy.resource.adaptation import Adaptation, Adapter
from copier_fastapi_sqlalchemy.resource.adapted import adapt_model
from copier_fastapi_sqlalchemy.resource.baseline import revision_text
from copier_fastapi_sqlalchemy.resource.changes import plan_addition
from copier_fastapi_sqlalchemy.resource.code import read_text
from copier_fastapi_sqlalchemy.resource.declared import Declared
from copier_fastapi_sqlalchemy.resource.errors import Refusal
from copier_fastapi_sqlalchemy.resource.formatting import edited, tidy
from copier_fastapi_sqlalchemy.resource.names import Names, names_of, singular_of
from copier_fastapi_sqlalchemy.resource.others import ENV, leave_alone
from copier_fastapi_sqlalchemy.resource.plan import Plan
from copier_fastapi_sqlalchemy.resource.project import ANSWERS, Project, open_project, require_free
from copier_fastapi_sqlalchemy.resource.reflection import Reflected, TableInfo
from copier_fastapi_sqlalchemy.resource.sql import quoted
from copier_fastapi_sqlalchemy.resource.understanding import Imported, Reader

# What of a project decides how a resource is written.
COPIED = ("app", "tests", "pyproject.toml", "ruff.toml", ".ruff.toml", ANSWERS)
PAIR = 2


@dataclass(frozen=True)
class ImportPlan:
    """What an import writes, what was understood, and what becomes of tables that are there."""

    plan: Plan
    imports: tuple[Imported, ...]
    adaptations: tuple[Adaptation, ...]
    notes: tuple[str, ...]
    revision: str  # the path of the first one

    @property
    def conversions(self) -> list[str]:
        """What the first revision changes of columns that are there."""
        return [text for one in self.adaptations for text in one.conversions]

    @property
    def kept(self) -> tuple[tuple[str, Sequence[str]], ...]:
        """The triggers and indexes of each table that a copy of it lacks, on SQLite."""
        infos = [info for one in self.imports for info in (one.table, *one.associations) if info.unseen]
        return tuple((info.name, [name for name, _ in info.unseen]) for info in infos)

    def lines(self) -> list[str]:
        """Say what was understood of each table."""
        lines = []
        for one in self.imports:
            fields = " ".join(field.text for field in one.resource.fields)
            together = "".join(f" --unique {','.join(group)}" for group in one.resource.unique)
            lines += [f"{one.names.plural} {fields}{together}", *(f"  {note}" for note in one.notes)]
        return [*lines, *self.notes]


def plan_import(
    project: Project,
    reflected: Reflected,
    names: Sequence[str],
    singulars: Mapping[str, str],
    *,
    register: bool = True,
    formatted: bool = True,
) -> ImportPlan:
    """Plan the import of tables.

    Raises:
        Refusal: one isn't there, or can't be a resource of the project.

    """
    tables, notes = reflected.tables, list[str]()
    for name in names:
        if name not in tables:
            free = sorted(tables.keys() - project.tables.keys())
            close = difflib.get_close_matches(name, free, n=3, cutoff=0.5) or free[:10]
            raise Refusal(
                f"Name tables of the database, such as {', '.join(close)}: {name} isn't one."
                if close
                else f"Give another database with --from: this one has no table {name}, nor any other to import."
            )
        if table := project.tables.get(name):
            raise Refusal(f"Leave out {name}: {table.module} has this table already.")
    for name in singulars:
        if name not in names:
            raise Refusal(f"Write --singular TABLE=NAME for a table that is imported: {name!r} isn't one.")
    given = [tables[name] for name in dict.fromkeys(names)]
    named = {info.name: names_of(info.name, singulars.get(info.name)) for info in given if not _is_association(info)}
    ordered = _in_order([info for info in given if info.name in named])
    owners, left = _associations(ordered, named, given, tables, project)
    notes += left
    known = frozenset(name for name, table in project.tables.items() if table.has_generated_key) | named.keys()
    imports = []
    for info in ordered:
        require_free(project, named[info.name])
        imports.append(Reader(info, named[info.name], project, known).read(owners.get(info.name, [])))
    imported = {info.name for info in ordered} | {info.name for infos in owners.values() for info in infos}
    others = tables.keys() - imported - project.tables.keys()
    enums = {
        str(column["type"].name)
        for name in others | (tables.keys() & project.tables.keys())
        for column in tables[name].columns.values()
        if isinstance(column["type"], postgresql.ENUM)
    }
    declared = Adapter(imports, project.answers, reflected.dialect, enums)
    adaptations = tuple(declared.adaptation(info) for info in declared.infos)
    _check_neighbours(project, reflected, declared, adaptations)
    if reflected.is_own:
        _check_dependents(reflected, imported)
    title = f"Import {', '.join(one.names.labels for one in imports)}"
    texts = _texts(project, imports, register=register, formatted=formatted)
    path, text = revision_text(declared, title, project.folder, adaptations)
    if reflected.is_own:
        texts |= _env(project, {*others, *enums})
    if not reflected.is_own:
        notes.append("This isn't the project's own database: there, the tables are made, without rows.")
    return ImportPlan(
        Plan(title, project.folder, {**texts, path: text}), tuple(imports), adaptations, tuple(notes), path
    )


def _texts(project: Project, imports: Sequence[Imported], *, register: bool, formatted: bool) -> dict[str, str | None]:
    """Give the text of each file, from a copy of the project to which the resources are added in turn."""
    texts: dict[str, str | None] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for place in (project.folder / copied for copied in COPIED):
            if place.is_dir():
                shutil.copytree(place, folder / place.name, ignore=shutil.ignore_patterns("__pycache__"))
            elif place.exists():
                shutil.copy(place, folder)
        for one in imports:
            copied = open_project(folder)
            plan = plan_addition(copied, one.resource, register=register, formatted=formatted)
            path = f"app/{one.names.plural}/{project.answers.kind}.py"
            adapted = adapt_model(path, str(plan.texts[path]), one, project.answers.database)
            new: dict[str, str | None] = {**plan.texts, path: tidy(folder, path, adapted, "I,F401,F811")}
            replace(plan, texts=new).write()
            texts |= new
    return texts


def _env(project: Project, others: Collection[str]) -> dict[str, str | None]:
    """Give the text of migrations/env.py where it has to leave out other tables than before."""
    old = read_text(project.folder, ENV)
    new = edited(project.folder, ENV, lambda text: leave_alone(text, others))
    return {} if new == old else {ENV: new}


def _is_association(info: TableInfo) -> bool:
    """Tell whether a table has two references alone, which are its key."""
    pairs = sorted(reference["constrained_columns"] for reference in info.references)
    return len(info.key) == PAIR and {*info.key} == {*info.columns} and pairs == sorted([name] for name in info.key)


def _in_order(infos: Sequence[TableInfo]) -> list[TableInfo]:
    """Give tables after those that they refer to; raises Refusal where they refer to each other."""
    left, ordered = list(infos), list[TableInfo]()
    while left:
        names = {info.name for info in left}
        free = [info for info in left if not (_targets(info) & names) - {info.name}]
        if not free:
            shown = ", ".join(sorted(_in_cycle(left)))
            raise Refusal(
                f"Import one without the other, with its reference dropped: {shown} refer to each other, and a"
                " resource refers to those before it."
            )
        ordered += free
        left = [info for info in left if info not in free]
    return ordered


def _in_cycle(infos: Sequence[TableInfo]) -> set[str]:
    """Give the names of tables that others of them refer to, over and over."""
    names = {info.name for info in infos}
    while True:
        referred = {target for info in infos if info.name in names for target in _targets(info) - {info.name}}
        if names <= referred:
            return names
        names &= referred


def _targets(info: TableInfo) -> set[str]:
    return {reference["referred_table"] for reference in info.references}


def _associations(
    ordered: Sequence[TableInfo],
    named: Mapping[str, Names],
    given: Sequence[TableInfo],
    tables: Mapping[str, TableInfo],
    project: Project,
) -> tuple[dict[str, list[TableInfo]], list[str]]:
    """Give the association tables of each table, and say of those that it can't have."""
    owners: dict[str, list[TableInfo]] = {}
    notes = []
    places = {info.name: number for number, info in enumerate(ordered)}
    for info in tables.values():
        targets = _targets(info)
        is_given = info in given
        if not _is_association(info) or not (is_given or targets & places.keys()) or info.name in project.tables:
            continue
        owner = next((name for name in named if _suits(info, named[name])), None)
        missing = sorted(targets - places.keys() - project.tables.keys())
        if owner and not missing and all(places.get(target, -1) < places[owner] for target in targets - {owner}):
            owners.setdefault(owner, []).append(info)
            continue
        problem = _problem(info, missing, owner, named)
        if is_given:
            raise Refusal(f"Leave out {info.name}: {problem}.")
        notes.append(f"{info.name} is left out: {problem}")
    return owners, notes


def _suits(info: TableInfo, names: Names) -> bool:
    """Tell whether a table is what `add` gives a resource for an association."""
    many = info.name.removeprefix(f"{names.singular}_")
    own, other = f"{names.singular}_id", f"{singular_of(many)}_id"
    references = {name: info.reference(name) for name in (own, other) if name in info.columns}
    return (
        many != info.name
        and len(references) == PAIR
        and references[own]["referred_table"] == names.plural
        and references[other]["referred_table"] != names.plural
        and all(one["referred_columns"] == ["id"] for one in references.values())
        and all(one["options"].get("ondelete") == "CASCADE" for one in references.values())
    )


def _problem(info: TableInfo, missing: Sequence[str], owner: str | None, named: Mapping[str, Names]) -> str:
    if missing:
        return f"it refers to {', '.join(missing)}, which isn't imported"
    if owner:
        return f"{owner} would come before what it has many of"
    names = next((named[name] for name in named if name in _targets(info)), None)
    example = f"{names.singular}_tags with {names.singular}_id and tag_id" if names else "book_tags"
    return f"an association is called as in {example}, both ON DELETE CASCADE"


def _check_dependents(reflected: Reflected, tables: Collection[str]) -> None:
    """Raise Refusal where a view, or another table's trigger, uses a table: SQLite then can't rename a copy of it."""
    found = dict[str, str]()
    for table in tables if reflected.schema else ():
        name = quoted(table, "sqlite")
        with closing(sqlite3.connect(":memory:")) as empty:
            for sql in reflected.schema:
                with suppress(sqlite3.Error):  # of a table that another one makes, or of an extension
                    empty.execute(sql)
            empty.execute(f"CREATE TABLE a_copy AS SELECT * FROM {name}")  # noqa: S608 - the name is quoted
            empty.execute(f"DROP TABLE {name}")
            while used := _used_by(empty, f"ALTER TABLE a_copy RENAME TO {name}"):
                found[used[1]] = used[0]
                empty.execute(f"DROP {used[0]} {quoted(used[1], 'sqlite')}")
    for kind in ("view", "trigger"):
        names = [name for name in sorted(found) if found[name] == kind]
        if names:
            shown = f"{kind}{'s' if names[1:] else ''} {', '.join(names)}"
            them, uses = ("them", "they use") if names[1:] else ("it", "it uses")
            raise Refusal(
                f"Drop the {shown} first, and make {them} again afterwards: SQLite can't copy a table {uses}."
            )


def _used_by(database: sqlite3.Connection, statement: str) -> tuple[str, str] | None:
    """Give the kind and the name of what keeps a statement from being executed, if anything does."""
    try:
        database.execute(statement)
    except sqlite3.OperationalError as error:
        found = re.match(r"error in (view|trigger) (.+?)(?: after rename)?: ", str(error))
        return (found[1], found[2]) if found else None
    return None


def _check_neighbours(
    project: Project, reflected: Reflected, declared: Declared, adaptations: Sequence[Adaptation]
) -> None:
    """Raise Refusal where a revision would break what isn't imported."""
    names = {info.name for info in declared.infos}
    for info, adaptation in zip(declared.infos, adaptations, strict=True):
        changes_key = any(text.startswith(f"{info.name}.id,") for text in adaptation.conversions)
        others = [other.name for other in reflected.tables.values() if info.name in _targets(other) - {other.name}]
        others = [name for name in others if name not in names]
        if changes_key and others and project.answers.database == "mysql":
            raise Refusal(
                f"Name {', '.join(others)} too: its reference to {info.name} has to change its type along with the id."
            )
