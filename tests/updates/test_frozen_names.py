"""No name that a project or its owner's code relies on goes missing without a word."""

import shutil
from pathlib import Path

import pytest

from tests.harness.variants import choices
from tests.updates.frozen_names import MARK, PAGE, covering_answers, listed, missing_since, questions_of

pytestmark = pytest.mark.xdist_group("frozen")


@pytest.mark.parametrize(
    ("old", "new", "gone"),
    [
        ("SQLite (a file, no server): sqlite", "SQLite (a file, no server): sqlite3", "database=sqlite"),
        ("description:\n", "summary:\n", "description"),
    ],
)
def test_renamed_question_or_value_is_found(old: str, new: str, gone: str, source: Path, tmp_path: Path) -> None:
    renamed = tmp_path / "copier.yml"
    text = (source / "copier.yml").read_text(encoding="utf-8")
    assert text.count(old) == 1
    renamed.write_text(text.replace(old, new), encoding="utf-8")
    assert questions_of(source) - questions_of(tmp_path) == {gone}


def test_renamed_file_and_function_are_found(source: Path, tmp_path: Path) -> None:
    renamed = shutil.copytree(source, tmp_path / "renamed")
    middleware = renamed / "template/app/web/middleware.py.jinja"
    middleware.rename(renamed / "template/app/bounds.py.jinja")
    main = renamed / "template/app/main.py.jinja"
    main.write_text(main.read_text(encoding="utf-8").replace("def create_app", "def make_app"), encoding="utf-8")
    missing = missing_since(source, renamed, covering_answers()[:1])
    assert {"app/web/middleware.py", "app/web/middleware.py:BodyLimitMiddleware", "app/main.py:create_app"} <= missing


def test_answers_cover_each_value_of_auth_and_extras() -> None:
    given = covering_answers()
    assert {answers.get("auth", "none") for answers in given} == set(choices("auth"))
    assert {extra for answers in given for extra in answers.get("extras", ())} == set(choices("extras"))


def test_page_lists_all_names(source: Path) -> None:
    head, mark, names = PAGE.read_text(encoding="utf-8").partition(MARK)
    assert (head + mark + names) == head + MARK + listed(source), "make names"
