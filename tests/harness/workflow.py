"""Runs the steps that a GitHub workflow holds, without GitHub."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.harness.commands import Failed

PINNED = re.compile(r"uses: [\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
CONDITIONS = {None: True, "failure()": False, "github.event_name == 'pull_request'": True}


@dataclass(frozen=True)
class Step:
    """A step that runs a command."""

    command: str
    environment: dict[str, str]


class Workflow:
    """A workflow file, and the folder of the repository that it belongs to."""

    def __init__(self, repository: Path, name: str = "ci.yml", values: Mapping[str, str] | None = None) -> None:
        """Read the workflow `name` of `repository`; `values` are of expressions that GitHub alone knows."""
        self.repository = repository
        self.values = values or {}
        self.path = repository / ".github" / "workflows" / name
        self.text = self.path.read_text(encoding="utf-8")
        self.document: dict[str, Any] = yaml.safe_load(self.text)

    @property
    def jobs(self) -> dict[str, dict[str, Any]]:
        """Give the jobs by name."""
        jobs: dict[str, dict[str, Any]] = self.document["jobs"]
        return jobs

    @property
    def unpinned(self) -> list[str]:
        """Give the actions that aren't pinned to a commit, with its release beside it."""
        lines = [line.strip().removeprefix("- ") for line in self.text.splitlines() if "uses:" in line]
        return [line for line in lines if not PINNED.fullmatch(line)]

    def combination(self, job: str) -> dict[str, str]:
        """Give the first combination of a job's matrix."""
        matrix = self.jobs[job].get("strategy", {}).get("matrix", {})
        return {key: values[0] for key, values in matrix.items()}

    def service(self, job: str) -> dict[str, Any] | None:
        """Give the service container that a job has, or None where it has none."""
        services = self.jobs[job].get("services", {})
        if len(services) > 1:
            raise Failed(f"The job {job} has {len(services)} services: tests/harness/workflow.py knows of one.")
        return next(iter(services.values()), None)

    def environment(self, job: str) -> dict[str, str]:
        """Give the environment of a job."""
        return self._evaluate_all(self.jobs[job].get("env", {}), job)

    def steps(self, job: str) -> Iterator[Step]:
        """Give the steps of a job that run a command where all goes well, when each one's turn has come."""
        for step in self.jobs[job]["steps"]:
            if "run" in step and CONDITIONS[step.get("if")]:
                yield Step(self._evaluate(step["run"], job), self._evaluate_all(step.get("env", {}), job))

    def _evaluate_all(self, values: Mapping[str, Any], job: str) -> dict[str, str]:
        return {key: self._evaluate(str(value), job) for key, value in values.items()}

    def _evaluate(self, text: str, job: str) -> str:
        def value(found: re.Match[str]) -> str:
            expression = found[1].strip()
            if matrix := re.fullmatch(r"matrix\.([\w-]+)", expression):
                return str(self.combination(job)[matrix[1]])
            if files := re.fullmatch(r"hashFiles\('([^']+)'\) != ''", expression):
                return "true" if list(self.repository.glob(files[1])) else "false"
            if expression in self.values:
                return self.values[expression]
            raise Failed(f"tests/harness/workflow.py can't evaluate {expression}: teach it.")

        return re.sub(r"\$\{\{(.*?)\}\}", value, text)
