"""Copier's questions: what they refuse and where the template can be copied from."""

import fcntl
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any

import copier
import pytest
import yaml
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from tests.harness.commands import run, run_tool, tool
from tests.harness.constraints import packages_of, requirements_of
from tests.harness.rendering import files_of, render, render_variant
from tests.harness.variants import ROOT, all_variants, check_keys, choices, questions, select
from tests.updates.releases import IDENTITY, git

COLUMNS = 80
VALIDATED = [
    ("project_name", "", "Type a name."),
    ("project_name", "   ", "Type a name."),
    ("project_name", "n" * 41, "Use at most 40 characters."),
    ("project_name", "n" * 5000, "Use at most 40 characters."),
    ("project_name", "two\nlines", "Use printable characters only."),
    ("project_name", "zero\u200bwidth", "Use printable characters only."),
    ("project_name", " Blog", "Leave out spaces at the ends."),
    ("project_name", 'The "Blog"', 'Leave out " \\ ` { } < and >.'),
    ("project_name", "{{ 7 * 7 }}", 'Leave out " \\ ` { } < and >.'),
    ("project_slug", "", "Begin with a letter, a to z."),
    ("project_slug", "-blog", "Begin with a letter, a to z."),
    ("project_slug", "1blog", "Begin with a letter, a to z."),
    ("project_slug", "my_service", "Use a-z, 0-9 and hyphens between."),
    ("project_slug", "blog--api", "Use a-z, 0-9 and hyphens between."),
    ("project_slug", "blog-", "Use a-z, 0-9 and hyphens between."),
    ("project_slug", "bl\u00f6g" * 1000, "Use a-z, 0-9 and hyphens between."),
    ("project_slug", "blog\n", "Use a-z, 0-9 and hyphens between."),
    ("project_slug", "b" * 51, "Use at most 50 characters."),
    ("project_slug", "fastapi", "Use another: it is a package."),
    ("project_slug", "performance-schema", "Use another: it is reserved."),
    ("description", "d" * 201, "Use at most 200 characters."),
    ("description", "two\nlines", "Use printable characters only."),
    ("description", 'says "hello"', 'Leave out " and \\.'),
    ("copyright_holder", " ", "Type a name."),
    ("copyright_holder", "h" * 81, "Use at most 80 characters."),
    ("copyright_holder", "two\nlines", "Use printable characters."),
    ("copyright_holder", "Acme ", "Leave out spaces at the ends."),
    ("copyright_holder", "<Acme>", 'Leave out " \\ ` { } < and >.'),
]
REFUSED = [
    *VALIDATED,
    ("database", "oracle", "oracle"),
    ("io", "threads", "threads"),
    ("data_access", "raw", "raw"),
    ("mixins", "[timestamp]", "timestamp"),
    ("mixins", "timestamps", "Not a YAML list"),
    ("example", "maybe", "maybe"),
    ("ci", "jenkins", "jenkins"),
    ("extras", "[helm]", "helm"),
    ("license", "mit", "mit"),
]


def copy(destination: Path, *arguments: str, source: str = str(ROOT)) -> subprocess.CompletedProcess[str]:
    """Run `copier copy` with its defaults, as a user does."""
    command = [tool("copier"), "copy", "--defaults", "--vcs-ref=HEAD", *arguments, source, str(destination)]
    return subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


@pytest.mark.parametrize(("key", "value", "reason"), REFUSED, ids=[f"{key}={value[:12]}" for key, value, _ in REFUSED])
def test_invalid_answer_is_refused_with_a_sentence(
    key: str, value: str, reason: str, source: Path, tmp_path: Path
) -> None:
    destination = tmp_path / "project"
    with pytest.raises((ValueError, TypeError), match=r".") as refusal:
        render(source, destination, {key: value} | ({"license": "MIT"} if key == "copyright_holder" else {}))
    assert reason in str(refusal.value)
    assert not destination.exists()
    if (key, value, reason) in VALIDATED:
        assert str(refusal.value) == f"Validation error for question '{key}': {reason}"
        assert len(str(refusal.value)) < COLUMNS


def test_refusal_of_typed_answer_fits_in_a_terminal(source: Path, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
    command = [tool("copier"), "copy", str(source), str(tmp_path / "project")]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True) as process:
        os.close(theirs)
        screen = ""
        for seen, typed in [("called?", "\r"), ("short name", "\x15Bad\r")]:
            while seen not in screen:
                screen += os.read(ours, 1024).decode(errors="replace")
            os.write(ours, typed.encode())
        expected = "Validation error for question 'project_slug': Begin with a letter, a to z."
        while expected not in screen:
            screen += os.read(ours, 1024).decode(errors="replace")
        process.terminate()
    os.close(ours)


def test_slug_cannot_be_an_installed_package(source: Path, tmp_path: Path) -> None:
    required = {
        requirement
        for variant in select("*-timestamps")
        for requirement in requirements_of(render_variant(source, variant, tmp_path / variant.id))
    }
    required |= set(requirements_of(render(source, tmp_path / "extras", {"extras": list(choices("extras"))})))
    text = (source / "copier.yml").read_text(encoding="utf-8")
    refused = {name for names in re.findall(r"project_slug in '([^']+)'", text) for name in names.split()}
    assert packages_of(required) | {"pip"} <= refused


def test_name_and_description_may_have_words_of_the_code(source: Path, tmp_path: Path) -> None:
    answers = {"example": False, "project_name": "posts", "description": "Keeps users and comments: watch them."}
    main = (render(source, tmp_path / "project", answers) / "app/main.py").read_text(encoding="utf-8")
    assert re.findall(r"(?m)^from app\.(users|posts|comments|audit)", main) == []


@pytest.mark.parametrize("slug", ["app", "tests", "blog", "order", "select", "b" * 50])
def test_valid_slugs(slug: str, source: Path, tmp_path: Path) -> None:
    project = render(source, tmp_path / "project", {"project_slug": slug})
    assert f'name = "{slug}"' in (project / "pyproject.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("value", ["oracle", "maybe"])
def test_invalid_data_option_is_refused(value: str, source: Path, tmp_path: Path) -> None:
    key = {"oracle": "database", "maybe": "example"}[value]
    done = copy(tmp_path / "project", "--data", f"{key}={value}", source=str(source))
    assert done.returncode != 0
    assert value in done.stderr
    assert not (tmp_path / "project").exists()


@pytest.mark.parametrize("value", ["true", "false", True, False])
def test_example_is_true_or_false(value: Any, source: Path, tmp_path: Path) -> None:
    project = render(source, tmp_path / "project", {"example": value})
    assert (project / "app" / "users").exists() == (str(value).lower() == "true")


def test_invalid_typed_answers_are_asked_again(source: Path, tmp_path: Path) -> None:
    clear, enter, interrupt = "\x15", "\r", "\x03"
    asked = questions().keys() - {"copyright_holder"}  # which no license has none of
    with create_pipe_input() as keyboard, create_app_session(input=keyboard, output=DummyOutput()):
        keyboard.send_text(clear + '"quoted"' + enter + clear + "Typed Name" + enter)
        keyboard.send_text(clear + "Bad_Slug" + enter + clear + "typed-name" + enter)
        keyboard.send_text(enter * (len(asked) - 2) + interrupt)
        copier.run_copy(str(source), tmp_path / "project", quiet=True)
    answers = yaml.safe_load((tmp_path / "project" / ".copier-answers.yml").read_text(encoding="utf-8"))
    assert (answers["project_name"], answers["project_slug"]) == ("Typed Name", "typed-name")
    assert asked <= set(answers)


def test_slug_is_derived_from_name(source: Path, tmp_path: Path) -> None:
    project = render(source, tmp_path / "project", {"project_name": "Ünser 2. Blog, v3!"})
    assert 'name = "nser-2-blog-v3"' in (project / "pyproject.toml").read_text(encoding="utf-8")


def test_name_in_any_script(source: Path, tmp_path: Path) -> None:
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
def test_description_renders_clean(description: str, source: Path, tmp_path: Path) -> None:
    project = render(source, tmp_path / "project", {"description": description.strip()})
    run_tool(project, "ruff", "check", "--no-cache")
    run_tool(project, "ruff", "format", "--no-cache", "--check")
    found: dict[str, str] = {}
    text = (project / "app" / "main.py").read_text(encoding="utf-8")
    exec(re.findall(r'(?m)^DESCRIPTION = ".+"$', text)[0], found)  # noqa: S102
    assert found["DESCRIPTION"] == description.strip()


def test_unknown_key_is_refused() -> None:
    with pytest.raises(ValueError, match=r"copier.yml asks no data_base: it asks project_name"):
        check_keys({"data_base": "sqlite"})


def test_every_choice_is_in_the_matrix() -> None:
    variants = all_variants()
    for key in ("database", "io", "data_access"):
        assert {variant.answers[key] for variant in variants} == set(choices(key))
    assert {variant.mixins for variant in variants} >= {(), choices("mixins")}
    assert len(variants) == len(set(variants)) == 12 * 2 ** len(choices("mixins")) * 2


def test_every_question_is_in_the_matrix_or_tested_alone() -> None:
    free_text = {"project_name", "project_slug", "description", "copyright_holder"}
    files_alone = {"ci", "extras", "license"}
    assert set(questions()) == free_text | files_alone | set(all_variants()[0].answers)


@pytest.mark.parametrize("kind", ["checkout", "folder", "url"])
def test_template_is_copied_from_checkout_folder_and_git_url(
    kind: str, source: Path, template: Path, tmp_path: Path
) -> None:
    origin = {"checkout": str(template), "folder": str(source), "url": f"git+file://{template}"}[kind]
    done = copy(tmp_path / "project", source=origin)
    assert done.returncode == 0, done.stderr
    rendered, expected = files_of(tmp_path / "project"), files_of(render(source, tmp_path / "expected", {}))
    answers = ".copier-answers.yml"
    assert {name: content for name, content in rendered.items() if name != answers} == {
        name: content for name, content in expected.items() if name != answers
    }
    assert (b"\n_commit:" in rendered[answers]) == (kind != "folder")


def end_message(printed: str) -> list[str]:
    """Give the commands of the message at the end, one a line."""
    return re.findall(r"(?m)^    (\S.*)$", printed.partition("is ready.")[2])


def test_commands_of_end_message_work(source: Path, tmp_path: Path) -> None:
    destination = tmp_path / "Rock 'n' Roll"
    given = ["project_name=Rock 'n' Roll", "database=postgresql", "mixins=[]", "example=false"]
    done = copy(destination, *(part for data in given for part in ("--data", data)), source=str(source))
    assert done.returncode == 0, done.stderr
    again, *steps, serve, test, add = end_message(done.stderr)
    assert [serve, test] == ["python3 dev.py serve", "python3 dev.py test"]
    run(" && ".join(steps), tmp_path, os.environ | IDENTITY)
    before = files_of(destination)
    assert git(destination, "status", "--short") == ""
    arguments = add.partition("copier-fastapi-sqlalchemy copier-fastapi-sqlalchemy ")[2]
    command = f"{sys.executable} -m copier_fastapi_sqlalchemy {arguments} --dry-run"
    run(command, destination, os.environ | {"PYTHONPATH": str(ROOT)})

    shutil.rmtree(destination)
    run(again.replace("uvx copier", tool("copier")), tmp_path, os.environ)
    assert files_of(destination) == {name: text for name, text in before.items() if not name.startswith(".git/")}


def test_end_message_depends_on_system_and_folder(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(copier._main, "OS", "windows")  # noqa: SLF001
    monkeypatch.chdir(tmp_path)
    copier.run_copy(str(source), "my service", defaults=True)
    windows = end_message(capsys.readouterr().err)
    assert windows[1] == 'cd "my service"'
    assert windows[-2] == "python dev.py test"
    assert '--data "project_name=Example Service" --data project_slug=example-service' in windows[0]
    assert windows[0].endswith(' "my service"')

    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    copier.run_copy(str(source), ".", defaults=True)
    assert end_message(capsys.readouterr().err)[1] == "git init"


def test_no_question_needs_trust() -> None:
    text = (ROOT / "copier.yml").read_text(encoding="utf-8")
    assert not [key for key in ("_tasks", "_migrations", "_jinja_extensions") if key in text]
