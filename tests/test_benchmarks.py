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
        pytest.param("clients", "sqlite,rendered-orm,4,", marks=pytest.mark.slow),
        ("process", "sqlite,textbook-orm,"),
        pytest.param("mixins", "sqlite,orm,all,PATCH /posts/{id},6,", marks=pytest.mark.slow),
        pytest.param("telemetry", "sqlite,orm,traces and metrics,insert,", marks=pytest.mark.slow),
        pytest.param("nodes", "postgresql,1,4,", marks=pytest.mark.slow),
        pytest.param("million-rows", "sqlite,core,SQL with OFFSET,900,", marks=pytest.mark.slow),
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
