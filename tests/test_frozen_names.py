"""No name that a project or its owner's code relies on goes missing without a word."""

import shutil
from pathlib import Path

import pytest

from tests.frozen import MARK, PAGE, answers_of, carried_over, listed, missing_since, questions_of
from tests.releases import RELEASES, extract

pytestmark = pytest.mark.xdist_group("frozen")
ORDER = list(RELEASES)


def known_to_be_gone(version: str) -> set[str]:
    """Give what the page says is gone of a release's names: what was last in it, or in one before."""
    return set().union(*(names for last, names in carried_over().items() if ORDER.index(last) >= ORDER.index(version)))


@pytest.mark.parametrize("version", RELEASES)
def test_no_name_of_a_release_is_gone_without_a_word(version: str, source: Path, tmp_path: Path) -> None:
    before = extract(version, tmp_path)
    missing = missing_since(before, source, answers_of(before))
    assert missing - known_to_be_gone(version) == set(), f"say in {PAGE.name} what to use instead, or bring it back"
    last = carried_over().get(version, set())
    assert last - missing == set(), f"{PAGE.name} says that it is gone, and it is there"


@pytest.mark.parametrize(
    ("old", "new", "gone"),
    [
        ("SQLite (a file, no server): sqlite", "SQLite (a file, no server): sqlite3", "database=sqlite"),
        ("description:\n", "summary:\n", "description"),
    ],
)
def test_a_renamed_question_or_value_is_found_out(old: str, new: str, gone: str, source: Path, tmp_path: Path) -> None:
    renamed = tmp_path / "copier.yml"
    text = (source / "copier.yml").read_text(encoding="utf-8")
    assert text.count(old) == 1
    renamed.write_text(text.replace(old, new), encoding="utf-8")
    assert questions_of(source) - questions_of(tmp_path) == {gone}


def test_a_renamed_file_and_what_it_offers_are_found_out(source: Path, tmp_path: Path) -> None:
    renamed = shutil.copytree(source, tmp_path / "renamed")
    (renamed / "template/app/limits.py").rename(renamed / "template/app/bounds.py")
    main = renamed / "template/app/main.py.jinja"
    main.write_text(main.read_text(encoding="utf-8").replace("def create_app", "def make_app"), encoding="utf-8")
    missing = missing_since(source, renamed, answers_of(source)[:1])
    assert {"app/limits.py", "app/limits.py:LimitBody", "app/main.py:create_app"} <= missing


def test_the_page_has_all_the_names(source: Path) -> None:
    head, mark, names = PAGE.read_text(encoding="utf-8").partition(MARK)
    assert (head + mark + names) == head + MARK + listed(source), "make names"
