"""The benchmarks run."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import contenders
from benchmarks.services import Service
from tests.harness.variants import ROOT


@pytest.mark.parametrize(
    ("section", "row"),
    [
        ("requests", "sqlite,async,full-stack,textbook-orm,insert,"),
        ("clients", "sqlite,rendered-orm,4,"),
        ("process", "sqlite,textbook-orm,"),
        ("mixins", "sqlite,orm,all,PATCH /posts/{id},6,"),
        ("telemetry", "sqlite,orm,traces and metrics,insert,"),
        ("million-rows", "sqlite,core,SQL with OFFSET,900,"),
    ],
)
def test_a_quick_run_measures(section: str, row: str) -> None:
    command = [sys.executable, "-m", "benchmarks", "--quick", "--databases", "sqlite", "--", section]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert row in done.stdout


def test_services_that_answer_differently_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contenders, "answer", lambda service, _: service.port)
    services = {name: Service(name, port, 0, Path()) for name, port in {"first": 1, "same": 1, "other": 2}.items()}
    with pytest.raises(contenders.Unlike, match="by key: first answers 1, other answers 2"):
        contenders.check_alike(services)
