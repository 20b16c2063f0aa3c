"""Any text and any choice as an answer: refused with a sentence, or rendered into files that are what they say."""

import ast
import io
import json
import shlex
import subprocess
import tomllib
from collections.abc import Iterator
from contextlib import redirect_stderr
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import copier
import pytest
import yaml
from dotenv import dotenv_values
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.fuzz.nasty import TEXTS
from tests.harness.commands import run_tool
from tests.harness.rendering import files_of
from tests.harness.variants import choices, questions

COLUMNS = 80
REMEDIES = ("Begin ", "Leave out ", "Type ", "Use ")
FREE_TEXT = ("project_name", "project_slug", "description", "copyright_holder")
# What means something in one of the languages that an answer is written into, and words of the code.
MEANINGFUL = (
    "#",
    "# Title",
    "---",
    "- item",
    "> quoted",
    "```",
    "~~~",
    "a: b",
    "key: [value",
    "&anchor *alias !tag",
    "'single'",
    "it's",
    "$HOME ${HOME} $(id) `id`",
    "%(name)s {0} {name}",
    "{{ 7 * 7 }}",
    "{% raw %}",
    "#{% endif %}",
    "<!-- comment -->",
    "<b>bold</b> & more",
    "[link](https://example.com)",
    "![image](x)",
    "| a | b |",
    "yes",
    "~",
    "0x1F",
    "1e3",
    "2026-01-01",
    "async def await for",
    "await the async with posts",
    "os Path asyncio metrics_router serves_metrics cors_options",
    "users posts comments audit",
    "=1+1",
    "@user",
    "a!b",
    "a;b|c&d>e",
    " leading",
    "trailing ",
    "\u0430\u0435\u043e \u2019 \u2013 \u00d7",
    "\u05e9\u05dc\u05d5\u05dd",
    "x" * 200,
    "word " * 39 + "end",
    "\u30d6" * 200,
    "my-service",
    "class",
    "None",
)
ANY_TEXT = st.one_of(
    st.sampled_from(MEANINGFUL),
    st.sampled_from(TEXTS),
    st.text(max_size=60),
    st.text(st.characters(categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=30),
    st.lists(st.sampled_from(MEANINGFUL), min_size=2, max_size=3).map(" ".join),
)
SLUG = st.one_of(st.from_regex(r"[a-z][a-z0-9]*(-[a-z0-9]+)?", fullmatch=True), ANY_TEXT)


def chosen(key: str) -> st.SearchStrategy[Any]:
    """Give any answer to a question that has choices."""
    question = questions()[key]
    if question.get("multiselect"):
        return st.lists(st.sampled_from(choices(key)), unique=True)
    return st.booleans() if question["type"] == "bool" else st.sampled_from(choices(key))


CHOSEN = st.fixed_dictionaries({key: chosen(key) for key in questions() if key not in FREE_TEXT})
DEFAULTS = {key: questions()[key]["default"] for key in questions() if key not in FREE_TEXT}
VALID = {"project_name": "Blog", "project_slug": "blog", "description": "Posts.", "copyright_holder": "Acme"}


@st.composite
def answers(draw: st.DrawFn) -> dict[str, Any]:
    """Give any combination of choices, and any text for some of the questions that take one."""
    given_ = {**VALID, **draw(CHOSEN)}
    for key in draw(st.sets(st.sampled_from(FREE_TEXT), min_size=1)):
        given_[key] = draw(SLUG if key == "project_slug" else ANY_TEXT)
    return given_


def test_any_answers_are_refused_or_rendered(source: Path, examples: int) -> None:
    rendered = []

    @settings(
        max_examples=2 * examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(answers())
    @example({**DEFAULTS, **VALID, "description": "Posts. "})
    @example({**DEFAULTS, **VALID, "description": ""})
    def check(given_: dict[str, Any]) -> None:
        with TemporaryDirectory() as folder:
            project = Path(folder) / "project"
            printed = io.StringIO()
            try:
                with redirect_stderr(printed):
                    copier.run_copy(str(source), project, data=given_, defaults=True)
            except ValueError as refusal:
                check_refusal(str(refusal), given_)
                assert not project.exists()
            else:
                rendered.append(given_)
                check_files(project)
                check_texts(project, given_)
                check_message(printed.getvalue(), given_)

    check()
    assert len(rendered) > examples // 3


def check_refusal(text: str, given_: dict[str, Any]) -> None:
    """Check that a refusal is one line, that names the question and then says what to do."""
    subject, _, sentence = text.partition(": ")
    key = subject.removeprefix("Validation error for question ").strip("'")
    assert key in FREE_TEXT, text
    assert given_[key] != VALID[key]
    assert sentence.startswith(REMEDIES), text
    assert sentence.endswith(".")
    assert "\n" not in text
    assert len(text) < COLUMNS


def check_files(project: Path) -> None:
    """Check that each file is of its language, and clean."""
    for name, content in files_of(project).items():
        if name.endswith(".ico") or not content:
            continue
        text = content.decode()
        assert text == text.rstrip("\n") + "\n", name
        assert not [line for line in text.splitlines() if line != line.rstrip(" \t")], name
        assert "\n\n\n" not in text or name.endswith((".py", ".mako")), name
        parse(name, text)
    run_tool(project, "ruff", "check", "--no-cache", "app/main.py")
    run_tool(project, "ruff", "format", "--no-cache", "--check", "app/main.py")


def parse(name: str, text: str) -> None:
    """Read a file in its language."""
    suffix = Path(name).suffix
    if suffix == ".py":
        ast.parse(text)
    elif suffix == ".toml":
        tomllib.loads(text)
    elif suffix in {".yaml", ".yml"}:
        list(yaml.safe_load_all(text))
    elif suffix == ".json":
        json.loads(text)
    elif Path(name).name == ".env.example":
        assert None not in dotenv_values(stream=io.StringIO(text)).values()
    elif Path(name).name == "Dockerfile":
        joined = text.replace("\\\n", " ")
        commands = [line.split()[0] for line in joined.splitlines() if line.strip() and not line.startswith("#")]
        known = {"FROM", "ENV", "WORKDIR", "COPY", "RUN", "USER", "EXPOSE", "CMD", "HEALTHCHECK", "ENTRYPOINT", "ARG"}
        assert {*commands} <= known
    elif suffix == ".md":
        for block in console_blocks(text):
            subprocess.run(["bash", "-n"], input=block, text=True, check=True)


def console_blocks(text: str) -> Iterator[str]:
    """Give the commands that a page of Markdown shows."""
    for part in text.split("```console\n")[1:]:
        yield part.partition("```")[0]


def check_texts(project: Path, given_: dict[str, Any]) -> None:
    """Check that the texts are where they belong, unchanged."""
    files = {name: content.decode() for name, content in files_of(project).items() if not name.endswith(".ico")}
    name, description = given_["project_name"], given_["description"]
    kept = yaml.safe_load(files[".copier-answers.yml"])
    asked = questions().keys() - ({"copyright_holder"} if given_["license"] in {"none", "Apache-2.0"} else set())
    assert {key: in_order(kept[key]) for key in asked} == {key: in_order(given_[key]) for key in asked}
    after = f"{description.strip()}\n\n## Start\n" if description.strip() else "## Start\n"
    assert files["README.md"].startswith(f"# {name}\n\n{after}")
    pyproject = tomllib.loads(files["pyproject.toml"])["project"]
    assert (pyproject["name"], pyproject["description"]) == (given_["project_slug"], description)
    constants = {each.value for each in ast.walk(ast.parse(files["app/main.py"])) if isinstance(each, ast.Constant)}
    assert {name, description} <= constants
    if "devcontainer" in given_["extras"]:
        assert json.loads(files[".devcontainer/devcontainer.json"])["name"] == name
    if "telemetry" in given_["extras"]:
        assert json.loads(files["grafana-dashboard.json"])["title"] == name
    if "copyright_holder" in asked:
        assert f"Copyright (c) {given_['copyright_holder']}" in files["LICENSE"]


def in_order(answer: Any) -> Any:
    """Put what was chosen into an order of ours: Copier keeps its own."""
    return sorted(answer) if isinstance(answer, list) else answer


def check_message(printed: str, given_: dict[str, Any]) -> None:
    """Check that a shell reads the answers in the command that is shown at the end, as they were given."""
    (command,) = [line for line in printed.splitlines() if line.startswith("    uvx copier copy --defaults")]
    words = shlex.split(command)
    said = dict(word.split("=", 1) for before, word in pairwise(words) if before == "--data")
    assert {key: said[key] for key in FREE_TEXT if key in said} == {
        key: given_[key] for key in FREE_TEXT if key in said
    }
    assert {"project_name", "project_slug", "description"} <= said.keys()


@pytest.mark.parametrize("key", FREE_TEXT)
def test_every_free_text_is_tried(key: str) -> None:
    assert "choices" not in questions()[key]
    assert [
        other for other, question in questions().items() if "choices" not in question and question["type"] == "str"
    ] == list(FREE_TEXT)
