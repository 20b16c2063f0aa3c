"""After `copier update` with other answers, a refreshed resource is as if it had been added to such a project."""

from dataclasses import replace
from pathlib import Path

import pytest

from copier_fastapi_sqlalchemy.resource.changes import entry_of
from copier_fastapi_sqlalchemy.resource.names import names_of
from copier_fastapi_sqlalchemy.resource.project import open_project
from copier_fastapi_sqlalchemy.resource.record import from_toml
from copier_fastapi_sqlalchemy.resource.refresh import sides
from copier_fastapi_sqlalchemy.resource.register import add_to_main, add_to_tables
from tests.harness.rendering import files_of
from tests.harness.variants import Variant
from tests.resource.conftest import Render, Start, add_all, commit, copy_with_dev
from tests.resource.test_change import read
from tests.resource.test_commands import commands, done, own_files, run

BOOKS = ("title:str:200:unique", "starts_at:datetime", "author:ref:users", "tags:many:tags")
LOANS = ("book:ref:books", "lasts:interval", "fee:decimal:5,2")
RESOURCES = (("books", BOOKS), ("loans", LOANS))
BEFORE = Variant("sqlite", "async", "orm", ("soft_delete",))
MODELS, TABLES = "app/books/models.py", "app/books/tables.py"


class AtWork:
    """A project with resources, whose answers change."""

    def __init__(self, rendered: Render, folder: Path, before: Variant) -> None:
        """Take a project in a repository."""
        self.rendered, self.before, self.folder = rendered, before, folder

    def update(self, after: Variant) -> Path:
        """Do what `copier update` does, where the owner has edited nothing; give what a new project would be."""
        new = copy_with_dev(self.rendered, after, self.folder.with_name("new"))
        old = files_of(copy_with_dev(self.rendered, self.before, self.folder.with_name("old")))
        texts = files_of(new)
        for path in old.keys() - texts.keys():
            (self.folder / path).unlink()
        for path, content in texts.items():
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / path).write_bytes(content)
        kind = "models" if self.before.data_access == "orm" else "tables"
        for path in ("app/main.py", "app/tables.py"):
            text = read(self.folder, path)
            for plural, _ in RESOURCES:
                module = f"app.{plural}.{kind}"
                text = add_to_main(text, entry_of(names_of(plural))) if "main" in path else add_to_tables(text, module)
            (self.folder / path).write_text(text, encoding="utf-8")
        commit(self.folder)
        add_all(new, RESOURCES)
        return new


@pytest.mark.parametrize(
    "after",
    [
        replace(BEFORE, io="sync"),
        replace(BEFORE, data_access="core"),
        replace(BEFORE, database="postgresql"),
        replace(BEFORE, mixins=("timestamps", "audit_log", "optimistic_locking")),
    ],
    ids=str,
)
def test_refreshed_resources_are_as_if_added_anew(rendered: Render, start: Start, after: Variant) -> None:
    at_work = AtWork(rendered, start(BEFORE, RESOURCES), BEFORE)
    new, project = at_work.update(after), at_work.folder
    output = done(project, "refresh")
    ran = commands(project)
    assert {path: text for path, text in own_files(project).items() if "/versions/" not in path} == {
        path: text for path, text in own_files(new).items() if "/versions/" not in path
    }
    steps = ["run alembic upgrade head", "run alembic revision --autogenerate -m Refresh books, loans"]
    if after.database != BEFORE.database:
        steps = []
    elif after.mixins == BEFORE.mixins:
        steps += ["run alembic upgrade head", "test tests/books", "test tests/loans"]
    assert ran == steps
    commit(project)
    assert done(project, "refresh").startswith("Nothing to do: ")
    assert "Refresh books, loans in " in output


def test_refresh_there_and_back_leaves_what_was_before(rendered: Render, start: Start) -> None:
    core = replace(BEFORE, data_access="core", io="sync")
    at_work = AtWork(rendered, start(core, RESOURCES), core)
    new = at_work.update(BEFORE)
    done(at_work.folder, "refresh", "books", "loans", "--no-migrate")
    assert own_files(at_work.folder) == own_files(new)


def test_edits_are_kept_and_those_of_models_are_left_to_carry_over(rendered: Render, start: Start) -> None:
    at_work = AtWork(rendered, start(BEFORE, RESOURCES), BEFORE)
    project = at_work.folder
    for path in (MODELS, "app/books/router.py", "app/books/schemas.py"):
        with (project / path).open("a", encoding="utf-8") as file:
            file.write("\n\nOURS = 1\n")
    commit(project)
    at_work.update(replace(BEFORE, data_access="core"))
    before = own_files(project)
    shown = run(project, "refresh", "--dry-run")
    assert (shown.exit_code, own_files(project)) == (0, before)
    assert shown.stderr.startswith(
        f"Bring your edits of {MODELS} into {TABLES}, which replaces it.\nConflict: {TABLES}:"
    )
    result = run(project, "refresh")
    assert result.exit_code == 1
    assert commands(project) == []
    assert f"\nConflicts:\n  {TABLES}:" in result.stderr
    assert f"\nBring your edits of {MODELS} into {TABLES}, which replaces it.\n" in result.stderr
    assert result.stderr.endswith(
        "  Run it: python3 dev.py test tests/books\n  Run it: python3 dev.py test tests/loans\n"
    )
    assert not (project / MODELS).exists()
    assert "OURS = 1\n" in read(project, TABLES)
    assert read(project, "app/books/schemas.py").endswith("\nOURS = 1\n")
    imports = read(project, "app/tables.py").splitlines()
    assert {"import app.books.tables", "import app.loans.tables"} <= {*imports}
    assert not any(line.endswith(".models") for line in imports)


def test_fields_are_not_searched_without_the_mixin(rendered: Render, start: Start) -> None:
    searching = replace(BEFORE, mixins=("full_text_search",))
    project = AtWork(rendered, start(BEFORE, RESOURCES), BEFORE).folder
    path = project / "app/books/resource.toml"
    text = read(project, "app/books/resource.toml").replace('["soft_delete"]', '["full_text_search"]')
    path.write_text(text.replace("title:str:200:unique", "title:str:200:search:unique"), encoding="utf-8")
    resource = from_toml(read(project, "app/books/resource.toml"))
    opened = open_project(project)
    before, after = sides(opened, resource, [resource])
    assert before.project.answers.mixins == searching.mixins
    assert "make_searchable" in before.texts()[MODELS]
    assert "make_searchable" not in after.texts()[MODELS]
    assert '"title:str:200:unique"' in after.texts()["app/books/resource.toml"]


def test_routes_are_kept_and_read_is_added_for_etags(rendered: Render, start: Start) -> None:
    opened = open_project(AtWork(rendered, start(BEFORE, RESOURCES), BEFORE).folder)
    recorded = from_toml(opened.records["books"])
    chosen = replace(recorded, only=("list", "update"), paging="cursor", parent="users", unique=(("user", "title"),))
    locking = replace(opened, answers=replace(opened.answers, mixins=("optimistic_locking",)))
    before, after = sides(locking, chosen, [chosen])
    assert (before.resource.only, after.resource.only) == (("list", "update"), ("read", "list", "update"))
    assert replace(after.resource, only=chosen.only) == chosen


def test_refusal_writes_nothing(rendered: Render, start: Start) -> None:
    at_work = AtWork(rendered, start(BEFORE, RESOURCES), BEFORE)
    project = at_work.folder
    path = project / "app/books/resource.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.partition("\n# The project's")[0], encoding="utf-8")
    commit(project)
    before = own_files(project)
    result = run(project, "refresh")
    assert result.exit_code == 2
    assert result.stderr.startswith("Add [answers] to app/books/resource.toml first, each on a line, with what ")
    assert result.stderr.endswith(
        'today\'s are database = "sqlite" io = "async" data_access = "orm" mixins = ["soft_delete"].\n'
    )
    assert run(project, "refresh", "shelves").stderr.startswith("Name a resource that was added (books, loans): ")
    path.write_text(text.replace('io = "async"', 'io = "parallel"'), encoding="utf-8")
    assert run(project, "refresh").stderr.startswith("Use a newer version of this command: it doesn't know io=parallel")
    path.write_text(text.replace('io = "async"\n', ""), encoding="utf-8")
    assert run(project, "refresh").stderr.startswith("Restore resource.toml from your history: it can't be read")
    path.write_text(text.replace('io = "async"', 'io = "sync"'), encoding="utf-8")
    assert run(project, "refresh").stderr.startswith("Commit or stash your changes first")
    path.write_text(text.partition("\n# The project's")[0], encoding="utf-8")
    assert own_files(project) == before
