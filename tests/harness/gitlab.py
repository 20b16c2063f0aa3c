"""Runs the jobs that a pipeline of GitLab holds, without GitLab."""

import re
from pathlib import Path
from typing import Any

import yaml

NAME = ".gitlab-ci.yml"
# Keys of the file that are no job's.
GLOBAL = {"default", "stages", "variables", "workflow"}


class Pipeline:
    """The pipeline of a repository."""

    def __init__(self, repository: Path) -> None:
        """Read the pipeline of `repository`."""
        self.document: dict[str, Any] = yaml.safe_load((repository / NAME).read_text(encoding="utf-8"))

    @property
    def jobs(self) -> dict[str, dict[str, Any]]:
        """Give the jobs by name."""
        return {name: job for name, job in self.document.items() if name not in GLOBAL}

    def service(self, job: str) -> dict[str, Any] | None:
        """Give the first service container that a job has, or None where it has none."""
        services: list[dict[str, Any]] = self.jobs[job].get("services", [])
        return services[0] if services else None

    def environment(self, job: str) -> dict[str, str]:
        """Give the variables of a job, for the first combination of its matrix."""
        matrix: list[dict[str, list[str]]] = self.jobs[job].get("parallel", {}).get("matrix", [{}])
        combination = {key: values[0] for key, values in matrix[0].items()}
        given = {key: str(value) for key, value in self.jobs[job].get("variables", {}).items()}
        return combination | {
            key: re.sub(r"\$(\w+)", lambda found: combination[found[1]], value) for key, value in given.items()
        }

    def script(self, job: str) -> str:
        """Give what a job runs, as its runner does: one shell, which stops at the first failure."""
        return "\n".join(["set -o pipefail", *self.jobs[job]["script"]])
