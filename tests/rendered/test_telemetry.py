"""A project without telemetry has no trace of it."""

import re
from pathlib import Path

import pytest

from tests.harness.rendering import files_of

WORDS = re.compile(rb"telemetry|prometheus|grafana|OTEL_|otlp", re.IGNORECASE)


@pytest.mark.each_mixin
def test_project_without_telemetry_has_no_trace_of_it(project: Path) -> None:
    assert [name for name, content in files_of(project).items() if WORDS.search(content)] == []
