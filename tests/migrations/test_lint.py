"""`python -m migrations.lint` finds what new revisions do that tables with data had better not see."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.variants import Variant
from tests.updates.releases import git

pytestmark = [pytest.mark.example, pytest.mark.each_database]
REVISION = """
import sqlalchemy as sa
from alembic import op

revision: str = "{name}"
down_revision: str | None = "{before}"


def upgrade() -> None:
{upgrade}

def downgrade() -> None:
    op.drop_column("posts", "title")
"""
REQUIRED = '    op.add_column("posts", sa.Column("rating", sa.Integer(), nullable=False))\n'
DROPPED = '    op.drop_column("posts", "title")\n'
BATCH = """    with op.batch_alter_table("posts", schema=None) as batch_op:
        batch_op.add_column(sa.Column("rating", sa.Integer(), nullable=False))
        batch_op.drop_column("title")
"""
FINE = """    op.add_column("posts", sa.Column("rating", sa.Integer(), nullable=True))
    op.add_column("posts", sa.Column("views", sa.BigInteger(), server_default="0", nullable=False))
"""


@pytest.fixture
def repository(project: Path, tmp_path: Path) -> Path:
    """The project in a repository, with its revisions committed."""
    folder = Path(shutil.copytree(project, tmp_path / "project"))
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "Start")
    return folder


def revise(repository: Path, upgrade: str, name: str = "0002", before: str = "0001") -> None:
    """Add a revision, which git doesn't know yet."""
    text = REVISION.format(name=name, before=before, upgrade=upgrade)
    (repository / f"migrations/versions/{name}_change.py").write_text(text, encoding="utf-8")


def lint(repository: Path, *arguments: str) -> tuple[int, str]:
    """Lint, and give the status and what was printed, without what Alembic says."""
    command = [sys.executable, "-m", "migrations.lint", *arguments]
    done = subprocess.run(command, cwd=repository, env=os.environ, capture_output=True, text=True, check=False)
    said = [line for line in done.stderr.splitlines() if " alembic.runtime.migration " not in line]
    return done.returncode, done.stdout + "\n".join(said)


def test_nothing_new_passes(repository: Path) -> None:
    assert lint(repository, "HEAD") == (0, "")


def test_harmless_revision_passes(repository: Path) -> None:
    revise(repository, FINE)
    assert lint(repository, "HEAD") == (0, "")


def test_first_revision_passes(repository: Path) -> None:
    git(repository, "rm", "--quiet", "--cached", "migrations/versions/0001_blog.py")
    git(repository, "commit", "--quiet", "--message", "Before there was a table")
    git(repository, "add", "--all")
    assert lint(repository, "HEAD") == (0, "")


@pytest.mark.parametrize("upgrade", [REQUIRED, DROPPED, BATCH], ids=["required", "dropped", "batch"])
def test_risk_is_found_in_new_revision_only(repository: Path, upgrade: str, variant: Variant) -> None:
    if upgrade == BATCH and variant.database != "sqlite":
        return  # it is SQLite's way
    revise(repository, upgrade)
    status, said = lint(repository, "HEAD")
    assert status == 1
    if variant.database == "postgresql":
        found = {REQUIRED: "adding-required-field", DROPPED: "ban-drop-column"}[upgrade]
        assert found in said
    else:
        required = "add a server_default, for the rows that are there."
        dropped = "keep posts.title, which app/ still declares."
        expected = {REQUIRED: [required], DROPPED: [dropped], BATCH: [required, dropped]}[upgrade]
        first = 10 if upgrade != BATCH else 11
        assert said.splitlines() == [
            f"migrations/versions/0002_change.py:{first + number}: {text}" for number, text in enumerate(expected)
        ]
    git(repository, "add", "--all")
    assert lint(repository, "HEAD") == (status, said)
    git(repository, "commit", "--quiet", "--message", "Change")
    assert lint(repository, "HEAD") == (0, "")
    assert lint(repository, "HEAD^")[0] == 1


def test_intended_risk_can_be_allowed(repository: Path, variant: Variant) -> None:
    reviewed = "squawk-ignore ban-drop-column" if variant.database == "postgresql" else "reviewed"
    upgrade = f"{DROPPED.rstrip()}  # {reviewed}\n"
    revise(repository, upgrade)
    assert lint(repository, "HEAD") == (0, "")


def test_commit_is_needed_and_must_be_known(repository: Path) -> None:
    assert lint(repository)[1] == "Name the commit to compare with: python -m migrations.lint main"
    status, said = lint(repository, "nowhere")
    assert (status, said.splitlines()[-1]) == (1, "Name a commit that git has here, not nowhere.")
