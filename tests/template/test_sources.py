"""A template file is a file of its language: its tags are comments on lines of their own, and few."""

import ast
import json
import re
import subprocess
from pathlib import Path

import yaml

from tests.harness.commands import tool
from tests.harness.variants import ROOT

TEMPLATE = ROOT / "template"
JINJA = sorted(TEMPLATE.rglob("*.jinja"))
PYTHON = sorted([*TEMPLATE.rglob("*.py"), *TEMPLATE.rglob("*.py.jinja")])
RESOURCE = sorted((ROOT / "copier_fastapi_sqlalchemy/resource/templates").rglob("*.py.jinja"))
# `${{ … }}` is GitHub's.
TAG = re.compile(r"#?\{%|(?<!\$)\{\{")
IF_IN_EXPRESSION = re.compile(r"\{\{(?:(?!\}\}).)*\bif\b")
# Errors of syntax, comparisons that can't be meant, statements out of place, undefined names.
RULES = "E9,F63,F7,F82"
SHORTEST = 15
MOST_TAGGED, MOST_TAGGED_IN_A_FILE = 0.085, 0.25


def tagged_lines(path: Path) -> tuple[int, int]:
    """Count the lines with a tag, and all lines, of a template file."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return sum(TAG.search(line) is not None for line in lines), len(lines)


def parses(path: Path) -> bool:
    """Tell whether a file is Python, tags and all."""
    try:
        ast.parse(path.read_text(encoding="utf-8"))
    except SyntaxError:
        return False
    return True


def test_few_lines_have_a_tag() -> None:
    counts = {path: tagged_lines(path) for path in JINJA}
    tagged, lines = (sum(numbers) for numbers in zip(*counts.values(), strict=True))
    assert tagged / lines <= MOST_TAGGED
    shares = {str(path): tagged / lines for path, (tagged, lines) in counts.items() if lines >= SHORTEST}
    assert {path: share for path, share in shares.items() if share > MOST_TAGGED_IN_A_FILE} == {}


def test_every_file_of_python_parses() -> None:
    assert [str(path) for path in [*PYTHON, *RESOURCE] if not parses(path)] == []


def test_no_expression_has_an_if() -> None:
    texts = {path: path.read_text(encoding="utf-8").splitlines() for path in PYTHON}
    found = [
        f"{path}: {line.strip()}" for path, lines in texts.items() for line in lines if IF_IN_EXPRESSION.search(line)
    ]
    assert found == []


def test_ruff_finds_no_error_in_the_sources() -> None:
    """The sources may use the answers by name, and what a tag sets."""
    answers = {key for key in yaml.safe_load((ROOT / "copier.yml").read_text(encoding="utf-8")) if key[0] != "_"}
    files = [path for path in PYTHON if parses(path)]
    variables = {name for path in files for name in re.findall(r"{% set (\w+)", path.read_text(encoding="utf-8"))}
    builtins = f"builtins = {json.dumps(sorted(answers | variables))}"
    options = ["--isolated", f"--select={RULES}", "--extension=jinja:python", "--target-version=py311"]
    command = [tool("ruff"), "check", *options, "--config", builtins, *map(str, files)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
