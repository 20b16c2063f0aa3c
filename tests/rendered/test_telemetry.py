"""A project with telemetry is finished as it stands, in each base variant; one without it has no trace of it."""

import re
from pathlib import Path

import pytest

from tests.harness.commands import check_code
from tests.harness.project_tests import run_tests
from tests.harness.rendering import files_of, render
from tests.harness.variants import Variant, choices
from tests.harness.warm_process import WarmProcess
from tests.rendered.test_layers import upward_imports

WORDS = re.compile(rb"telemetry|prometheus|grafana|OTEL_|otlp", re.IGNORECASE)


@pytest.mark.each_base
@pytest.mark.parametrize("example", [True, False], ids=["example", "bare"])
def test_project_with_telemetry_passes_its_checks(
    warm_process: WarmProcess,
    source: Path,
    variant: Variant,
    database_url: str,
    mypy_cache: Path,
    tmp_path: Path,
    *,
    example: bool,
) -> None:
    answers = {**variant.answers, "example": example, "extras": list(choices("extras"))}
    project = render(source, tmp_path / "project", answers)
    assert list(upward_imports(project)) == []
    check_code(project, mypy_cache)
    run_tests(warm_process, project, {"TEST_DATABASE_URL": database_url}, "--assert=plain")


@pytest.mark.each_mixin
def test_project_without_telemetry_has_no_trace_of_it(project: Path) -> None:
    assert [name for name, content in files_of(project).items() if WORDS.search(content)] == []
