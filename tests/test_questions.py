"""Copier's questions: what they refuse and where the template can be copied from."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import copier
import pytest
import yaml
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from tests.rendering import files_of, render
from tests.variants import ROOT, Variant, all_variants, check_keys, choices, questions, select

COPIER = Path(sys.executable).with_name("copier")
RUFF = Path(sys.executable).with_name("ruff")
REFUSED = [
    ("project_name", "", "A service needs a name."),
    ("project_name", "   ", "A service needs a name."),
    ("project_name", "n" * 41, "41 characters"),
    ("project_name", 'The "Blog"', "can't be a name"),
    ("project_name", "two\nlines", "can't be a name"),
    ("project_name", "{{ 7 * 7 }}", "can't be a name"),
    ("project_slug", "My_Service", "My_Service can't be a short name"),
    ("project_slug", "-blog", "-blog can't be a short name"),
    ("project_slug", "blog--api", "blog--api can't be a short name"),
    ("project_slug", "1blog", "1blog can't be a short name"),
    ("project_slug", "b" * 51, "51 characters"),
    ("project_slug", "fastapi", "fastapi is the name of a package"),
    ("description", "d" * 201, "201 characters"),
    ("description", 'says "hello"', "can't hold quotes"),
    ("database", "oracle", "oracle"),
    ("io", "threads", "threads"),
    ("data_access", "raw", "raw"),
    ("mixins", "[timestamp]", "timestamp"),
    ("mixins", "timestamps", "Not a YAML list"),
    ("example", "maybe", "maybe"),
    ("ci", "jenkins", "jenkins"),
    ("extras", "[helm]", "helm"),
]


def copy(destination: Path, *arguments: str, source: str = str(ROOT)) -> subprocess.CompletedProcess[str]:
    """Run `copier copy` with its defaults, as a user does."""
    command = [str(COPIER), "copy", "--defaults", "--vcs-ref=HEAD", *arguments, source, str(destination)]
    return subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


@pytest.mark.parametrize(("key", "value", "reason"), REFUSED, ids=[f"{key}={value[:12]}" for key, value, _ in REFUSED])
def test_an_answer_that_cannot_work_is_refused_with_a_sentence(
    key: str, value: str, reason: str, source: Path, tmp_path: Path
) -> None:
    destination = tmp_path / "project"
    with pytest.raises((ValueError, TypeError), match=r".") as refusal:
        render(source, destination, {key: value})
    assert reason in str(refusal.value)
    assert not destination.exists()


@pytest.mark.parametrize("value", ["oracle", "maybe"])
def test_data_on_the_command_line_is_refused_too(value: str, source: Path, tmp_path: Path) -> None:
    key = {"oracle": "database", "maybe": "example"}[value]
    done = copy(tmp_path / "project", "--data", f"{key}={value}", source=str(source))
    assert done.returncode != 0
    assert value in done.stderr
    assert not (tmp_path / "project").exists()


@pytest.mark.parametrize("value", ["true", "false", True, False])
def test_the_example_is_answered_with_true_or_false(value: Any, source: Path, tmp_path: Path) -> None:
    project = render(source, tmp_path / "project", {"example": value})
    assert (project / "app" / "users").exists() == (str(value).lower() == "true")


def test_typed_answers_are_refused_until_they_can_work(source: Path, tmp_path: Path) -> None:
    clear, enter, interrupt = "\x15", "\r", "\x03"
    with create_pipe_input() as keyboard, create_app_session(input=keyboard, output=DummyOutput()):
        keyboard.send_text(clear + '"quoted"' + enter + clear + "Typed Name" + enter)
        keyboard.send_text(clear + "Bad_Slug" + enter + clear + "typed-name" + enter)
        keyboard.send_text(enter * (len(questions()) - 2) + interrupt)
        copier.run_copy(str(source), tmp_path / "project", quiet=True)
    answers = yaml.safe_load((tmp_path / "project" / ".copier-answers.yml").read_text(encoding="utf-8"))
    assert (answers["project_name"], answers["project_slug"]) == ("Typed Name", "typed-name")
    assert set(questions()) <= set(answers)


def test_a_slug_is_made_of_the_name(source: Path, tmp_path: Path) -> None:
    project = render(source, tmp_path / "project", {"project_name": "Ünser 2. Blog, v3!"})
    assert 'name = "nser-2-blog-v3"' in (project / "pyproject.toml").read_text(encoding="utf-8")


def test_a_name_in_any_script_works(source: Path, tmp_path: Path) -> None:
    project = render(source, tmp_path / "project", {"project_name": "ブログ"})
    assert "ブログ" in (project / "README.md").read_text(encoding="utf-8")
    assert 'name = "service"' in (project / "pyproject.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "description",
    [
        "Posts.",
        "Ada\N{RIGHT SINGLE QUOTATION MARK}s blog \N{EN DASH} with posts.",
        "w" * 81,
        "The blog of a team. " * 10,
        "ブログ" * 65 + "。",
    ],
    ids=["short", "typographic", "one-word", "long", "wide"],
)
def test_any_description_renders_clean(description: str, source: Path, tmp_path: Path) -> None:
    project = render(source, tmp_path / "project", {"description": description.strip()})
    for command in (["check", "--no-cache"], ["format", "--no-cache", "--check"]):
        done = subprocess.run([str(RUFF), *command], cwd=project, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
    found: dict[str, str] = {}
    text = (project / "app" / "main.py").read_text(encoding="utf-8")
    exec(re.findall(r'(?sm)^DESCRIPTION = "(?:[^"]+|"".+?"")"$', text)[0], found)  # noqa: S102
    assert "".join(found["DESCRIPTION"].split()) == "".join(description.split())


def test_a_key_that_is_no_question_is_refused() -> None:
    with pytest.raises(ValueError, match=r"copier.yml asks no data_base: it asks project_name"):
        check_keys({"data_base": "sqlite"})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("sqlite", "sqlite is no variant: write DATABASE-IO-DATA_ACCESS-MIXINS"),
        ("oracle-sync-orm-plain", "oracle is no database: choose from sqlite, postgresql, mysql."),
        ("sqlite-sync-orm-stamps", "stamps is no mixins: choose from timestamps"),
    ],
)
def test_a_variant_that_does_not_exist_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=r".") as refusal:
        select(text)
    assert reason in str(refusal.value)


def test_every_choice_is_in_the_matrix() -> None:
    variants = all_variants()
    for key in ("database", "io", "data_access"):
        assert {variant.answers[key] for variant in variants} == set(choices(key))
    assert {variant.mixins for variant in variants} >= {(), choices("mixins")}
    assert len(variants) == len(set(variants)) == 12 * 2 ** len(choices("mixins")) * 2
    assert [Variant.parse(variant.id) for variant in variants] == list(variants)


def test_every_question_is_in_the_matrix_or_tested_by_itself() -> None:
    free_text = {"project_name", "project_slug", "description"}
    files_alone = {"ci", "extras"}
    assert set(questions()) == free_text | files_alone | set(all_variants()[0].answers)


@pytest.fixture(scope="session")
def repository(source: Path, scratch: Path) -> Path:
    """The template in a git repository with one commit."""
    folder = scratch / "repository"
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com"]
    subprocess.run(["cp", "-r", str(source), str(folder)], check=True)
    for command in (["init", "--quiet"], ["add", "--all"], [*identity, "commit", "--quiet", "-m", "The template"]):
        subprocess.run(["git", *command], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.mark.parametrize("kind", ["checkout", "folder", "url"])
def test_it_is_copied_from_a_checkout_a_folder_and_a_git_url(
    kind: str, source: Path, repository: Path, tmp_path: Path
) -> None:
    origin = {"checkout": str(repository), "folder": str(source), "url": f"git+file://{repository}"}[kind]
    done = copy(tmp_path / "project", source=origin)
    assert done.returncode == 0, done.stderr
    rendered, expected = files_of(tmp_path / "project"), files_of(render(source, tmp_path / "expected", {}))
    answers = ".copier-answers.yml"
    assert {name: content for name, content in rendered.items() if name != answers} == {
        name: content for name, content in expected.items() if name != answers
    }
    assert (b"\n_commit:" in rendered[answers]) == (kind != "folder")


def test_the_end_message_names_the_next_commands_and_the_same_answers(source: Path, tmp_path: Path) -> None:
    done = copy(tmp_path / "project", "--data", "database=postgresql", "--data", "mixins=[]", source=str(source))
    assert done.returncode == 0, done.stderr
    for text in ("dev.py serve", "dev.py test", "copier copy", "database=postgresql", "mixins=[]"):
        assert text in done.stderr
    assert "{{" not in done.stderr


def test_no_question_needs_trust() -> None:
    text = (ROOT / "copier.yml").read_text(encoding="utf-8")
    assert not [key for key in ("_tasks", "_migrations", "_jinja_extensions") if key in text]
