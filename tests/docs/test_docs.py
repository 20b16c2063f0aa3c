"""The documentation builds, and what it names exists: commands, choices, files, code."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.pages import measured_with_httptools, multiples_of_the_textbook, pages, since_measured
from tests.harness.pages import blocks_of, text_of
from tests.harness.rendering import render
from tests.harness.variants import ROOT, questions

OF_ROOT = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"]
PAGES = [*(ROOT / name for name in OF_ROOT), *sorted((ROOT / "docs").rglob("*.md"))]
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]


def rows_of_choices(name: str) -> dict[str, list[list[str]]]:
    """Give the values and the default of each question, as the page's table of questions has them."""
    table = text_of(name).partition("| question | values | default |")[2].partition("\n\n")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
    return {row[0].strip("`"): [re.findall(r"`([^`]+)`", cell) for cell in row[1:3]] for row in rows}


def declared(question: dict[str, Any]) -> list[list[str]]:
    """Give the values and the default of a question as copier.yml declares them; nothing for free text."""
    if "choices" not in question:
        return [[], []]
    default = question["default"]
    defaults = default if isinstance(default, list) else [default]
    return [[written(value) for value in question["choices"].values()], [written(value) for value in defaults]]


def test_documentation_builds_without_warnings(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "site" / "http-contract" / "index.html").exists()


def pages_of(navigation: list[dict[str, Any]]) -> Iterator[str]:
    """Give the pages of a navigation, those of its sections too."""
    for entry in navigation:
        for page in entry.values():
            yield from [page] if isinstance(page, str) else pages_of(page)


def test_named_tests_exist() -> None:
    named = {name for page in PAGES for name in re.findall(r"`(test_\w+)`", page.read_text(encoding="utf-8"))}
    files = [path for folder in ("tests", "template") for path in (ROOT / folder).rglob("test_*.py*")]
    code = "\n".join(path.read_text(encoding="utf-8") for path in files if path.suffix in {".py", ".jinja"})
    assert "test_cookie_is_for_the_same_origin" in named
    assert named - set(re.findall(r"def (test_\w+)", code)) == set()


def test_every_page_is_in_the_navigation() -> None:
    navigation = yaml.safe_load(text_of("mkdocs.yml"))["nav"]
    listed = set(pages_of(navigation))
    docs = ROOT / "docs"
    assert listed == {str(page.relative_to(docs)) for page in PAGES if page.is_relative_to(docs)}


@pytest.mark.parametrize("name", [name for name in NAMES if name != "CHANGELOG.md"])  # which tells of earlier targets
def test_every_make_target_exists(name: str) -> None:
    targets = set(re.findall(r"(?m)^([a-z-]+):", text_of("Makefile")))
    named = set(re.findall(r"(?m)(?:`|^ *)make ([a-z-]+)", text_of(name)))
    assert named <= targets, named - targets


def written(value: bool | str) -> str:  # noqa: FBT001
    """Return the value as one writes it in YAML."""
    return str(value).lower() if isinstance(value, bool) else value


@pytest.mark.parametrize("name", ["README.md", "docs/choices.md"])
def test_table_of_choices_matches_copier_yml(name: str) -> None:
    assert rows_of_choices(name) == {key: declared(question) for key, question in questions().items()}


@pytest.mark.parametrize("name", NAMES)
def test_relative_links_exist(name: str) -> None:
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", text_of(name))
    broken = [link for link in links if not ((ROOT / name).parent / link).exists()]
    assert broken == []


def test_figures_of_readme_match_benchmarks() -> None:
    section = text_of("README.md").partition("## How fast")[2].partition("\n## ")[0]
    table = section.partition("|\n\n")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line[:1] == "|"]
    measured = multiples_of_the_textbook()
    for title, service in {"rendered, ORM": "rendered-orm", "rendered, Core": "rendered-core"}.items():
        assert [title, *(f"{ratio:.1f}" for ratio in measured[service].values())] in rows
    assert (since_measured() in section) == measured_with_httptools("requests")


def test_performance_pages_and_plots_are_made_from_the_results() -> None:
    outdated = [path.name for path, text in pages().items() if path.read_text(encoding="utf-8") != text]
    assert outdated == [], "run `python -m benchmarks --pages`"


def test_figures_of_lines_of_readme_match_a_project(source: Path, tmp_path: Path) -> None:
    project = render(source, tmp_path / "my-service", {})

    def lines(*folders: str) -> int:
        files = [file for folder in folders for file in (project / folder).rglob("*.py")]
        return sum(len(file.read_text(encoding="utf-8").splitlines()) for file in files)

    (sentence,) = re.findall(r"(?m)^.* lines of Python.*$", text_of("README.md"))
    told = re.findall(r"\d,\d{3}", sentence)
    measured = [lines("app", "migrations"), lines("tests")]
    assert [int(number.replace(",", "")) for number in told] == pytest.approx(measured, rel=0.05)


def test_tree_and_code_of_readme_match_a_project(source: Path, tmp_path: Path) -> None:
    project = render(source, tmp_path / "my-service", {})
    (tree,) = blocks_of("README.md", "text")
    folders = [tmp_path]
    for indent, path in re.findall(r"(?m)^( *)(\S+)", tree):
        folders[len(indent) // 2 + 1 :] = [folders[len(indent) // 2] / path]
        assert folders[-1].is_dir() if path.endswith("/") else folders[-1].is_file(), path
    (code,) = blocks_of("README.md", "python")
    for excerpt in re.split(r"(?m)^# (?=app/)", code)[1:]:
        path, _, lines = excerpt.partition("\n")
        assert lines.strip() in (project / path).read_text(encoding="utf-8"), path
