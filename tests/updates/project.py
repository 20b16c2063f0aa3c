"""A project in a repository of its own, on a database, as its owner has it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import indent
from typing import Any

import copier
from sqlalchemy import MetaData, Table, inspect, select

from tests.harness.alembic import Alembic
from tests.harness.project_tests import run_tests
from tests.harness.rendering import files_of
from tests.harness.servers import engine
from tests.harness.variants import Variant, check_keys
from tests.harness.warm_process import WarmProcess
from tests.updates import edited_project
from tests.updates.releases import git

AUDIT = ("audit_log",)
FROZEN = "migrations/versions/"
# That of the tests for which one variant is as good as another.
VARIANT = Variant("sqlite", "async", "orm", ("timestamps",))
Rows = dict[str, list[Mapping[str, Any]]]


@dataclass
class Project:
    """A project of `variant` in `folder`."""

    folder: Path
    variant: Variant

    @classmethod
    def copy(cls, template: Path, variant: Variant, folder: Path, version: str | None = None) -> "Project":
        """Copy the template at a version, the newest where none is given, into a repository of its own."""
        ref = f"v{version}" if version else None
        copier.run_copy(f"git+file://{template}", folder, data=variant.answers, defaults=True, quiet=True, vcs_ref=ref)
        return cls.start(folder, variant)

    @classmethod
    def start(cls, folder: Path, variant: Variant) -> "Project":
        """Commit what was copied to a repository of its own."""
        git(folder, "init", "--quiet")
        project = cls(folder, variant)
        project.commit("Start")
        return project

    def commit(self, message: str) -> None:
        """Commit all there is."""
        git(self.folder, "add", "--all")
        git(self.folder, "commit", "--quiet", "--message", message)

    def update(self, **answers: Any) -> set[str]:
        """Do `copier update --defaults --data …` and give the files that it left in conflict."""
        check_keys(answers)
        copier.run_update(self.folder, data=answers, defaults=True, overwrite=True, quiet=True)
        return self.conflicts()

    def conflicts(self) -> set[str]:
        """Give the files in conflict."""
        return set(git(self.folder, "diff", "--name-only", "--diff-filter=U").splitlines())

    def resolve(self, name: str) -> None:
        """Mend a conflict as the owner does."""
        edited_project.resolve(self.folder, name, git(self.folder, "show", f":3:{name}"))
        git(self.folder, "add", name)

    def files(self) -> dict[str, bytes]:
        """Give the content of each file, those aside that are the owner's from the start."""
        return {
            name: content
            for name, content in files_of(self.folder).items()
            if not name.startswith((FROZEN, ".git/")) and "__pycache__" not in name
        }

    def revise(self, alembic: Alembic, message: str, upgrade: str = "") -> None:
        """Let Alembic write a revision, begin it with what `upgrade` adds, run it, and see that the models agree."""
        before = set(self.folder.glob("migrations/versions/*.py"))
        alembic(f"revision --autogenerate -m '{message}'")
        (revision,) = set(self.folder.glob("migrations/versions/*.py")) - before
        text = revision.read_text(encoding="utf-8")
        if upgrade:
            start = "def upgrade() -> None:\n"
            own, _, theirs = text.partition(start)
            own = own.replace("import Sequence\n", "import Sequence\n\nfrom alembic import op\n")
            revision.write_text(
                own + start + theirs.replace("    pass\n", indent(upgrade, "    "), 1), encoding="utf-8"
            )
        alembic("upgrade head", "check")

    def check_tests(self, warm_process: WarmProcess, url: str) -> None:
        """Check that its own tests pass, on the database at `url`."""
        done = run_tests(warm_process, self.folder, {"TEST_DATABASE_URL": url}, "--assert=plain")
        assert " passed" in done.output


def rows_of(url: str) -> Rows:
    """Read every row of every table, those of Alembic and of SQLite's search aside."""
    made = engine(url)
    rows: Rows = {}
    with made.connect() as connection:
        for name in inspect(connection).get_table_names():
            table = Table(name, MetaData(), autoload_with=connection)
            read = connection.execute(select(table).order_by(*table.primary_key.columns)).mappings()
            rows[name] = [dict(row) for row in read]
    return {name: read for name, read in rows.items() if name != "alembic_version" and "posts_search" not in name}


def check_kept(before: Rows, after: Rows, but: Iterable[str] = ()) -> None:
    """Check that what the tables had is there as it was, some columns and the log of changes aside."""
    for table, rows in before.items():
        if table not in after:
            assert table in AUDIT, table
            continue
        columns = [column for column in rows[0] if column not in but] if rows else []
        kept = [[{column: row[column] for column in columns} for row in read] for read in (rows, after[table])]
        assert kept[0] == kept[1], table
