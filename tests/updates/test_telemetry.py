"""A project at work gets telemetry, and loses it again: what its owner wrote stays."""

from pathlib import Path

import pytest

from tests.harness.commands import run_tool
from tests.harness.project_tests import run_tests
from tests.harness.variants import Variant, choices, questions
from tests.harness.warm_process import WarmProcess
from tests.updates import edited_project
from tests.updates.project import Project

ANSWERS = ".copier-answers.yml"


@pytest.mark.each_database
@pytest.mark.database("postgresql")
def test_telemetry_is_switched_on_and_off(
    warm_process: WarmProcess, template: Path, variant: Variant, database_url: str, tmp_path: Path
) -> None:
    project = Project.copy(template, variant, tmp_path / "project")
    edited_project.edit_all(project.folder, variant)
    project.commit("A year of work")
    before = project.files()
    assert project.update(extras=list(choices("extras"))) == set()
    run_tool(project.folder, "ruff", "check", "--no-cache", "--no-fix", "app", "tests")
    run_tests(warm_process, project.folder, {"TEST_DATABASE_URL": database_url}, "--assert=plain", "tests/web")
    project.commit("Add telemetry")
    assert project.update(extras=questions()["extras"]["default"]) == set()
    after = project.files()
    assert after.pop(ANSWERS)
    assert before.pop(ANSWERS)
    assert after == before
