"""The tests that a variant is driven through: the contract's that are marked `crud`, and those of a first model."""

import re
from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from itertools import product
from pathlib import Path
from typing import Any

import pytest

CONTRACT = [
    f"tests.contract.{path.stem}"
    for path in sorted(Path(__file__).parents[1].glob("contract/test_*.py"))
    if "mark.crud" in path.read_text(encoding="utf-8")  # the others take time to import
]
FIRST_MODEL = "tests.every_variant.first_model_crud"
Check = Callable[..., None]


def checks_of(*modules: str) -> list[Check]:
    """Give the tests of these modules that are marked `crud`."""
    members = [member for module in modules for member in vars(import_module(module)).items()]
    tests = [test for name, test in members if name.startswith("test_")]
    return [test for test in tests if any(mark.name == "crud" for mark in marks_of(test))]


def checks_for(answers: Mapping[str, Any]) -> list[Check]:
    """Give the tests that the variant with these answers can run: without the example, it gets a first model."""
    has = {*answers["mixins"], *(["example"] if answers["example"] else [])}
    modules = CONTRACT if answers["example"] else [*CONTRACT, FIRST_MODEL]
    return [test for test in checks_of(*modules) if needs_of(test) <= has]


def needs_of(test: Check) -> set[str]:
    """Give what a test needs: `example`, and mixins."""
    marks = marks_of(test)
    mixins = {name for mark in marks if mark.name == "mixin" for name in mark.args}
    return mixins | {mark.name for mark in marks if mark.name == "example"}


def marks_of(test: Check) -> list[pytest.Mark]:
    """Give the marks of a test and of its module."""
    module = getattr(import_module(test.__module__), "pytestmark", [])
    return [*(module if isinstance(module, list) else [module]), *getattr(test, "pytestmark", [])]


def parameters_of(test: Check) -> Iterator[dict[str, Any]]:
    """Give the parameters of each call of a test, as its marks `parametrize` say."""
    sets = []
    for mark in marks_of(test):
        if mark.name == "parametrize":
            names = re.findall(r"\w+", str(mark.args[0]))
            sets.append([dict(zip(names, value if names[1:] else [value], strict=True)) for value in mark.args[1]])
    for chosen in product(*sets):
        yield dict(ChainMap(*chosen))
