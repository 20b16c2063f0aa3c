import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.settings import Settings
from app.web.telemetry import exporters, load_variables, serves_metrics
from tests.otlp import Collector, collecting

TRACE, CALLER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PATIENCE = 30  # seconds


@dataclass
class Run:
    """What a service with two workers sent, logged, and served at /metrics."""

    sent: Collector
    log: list[dict[str, Any]]
    metrics: str


@pytest.fixture(scope="module")
def run(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Run:
    log = tmp_path_factory.mktemp("run") / "log"
    own = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    with collecting() as collector:
        environment = own | {
            "DATABASE_URL": settings.database_url.render_as_string(hide_password=False),
            "LOG_FORMAT": "json",
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_METRICS_EXPORTER": "otlp,prometheus",
            "OTEL_SERVICE_NAME": "named",
        }
        with serving(environment, log) as url:
            get(f"{url}/openapi.json", traceparent=f"00-{TRACE}-{CALLER}-01")
            end = time.monotonic() + PATIENCE
            metrics = ""
            while len(workers_in(metrics)) < 2 and time.monotonic() < end:
                get(f"{url}/openapi.json")
                metrics = get(f"{url}/metrics")
    return Run(collector, [json.loads(line) for line in log.read_text().splitlines()], metrics)


@contextmanager
def serving(environment: dict[str, str], log: Path) -> Iterator[str]:
    """Serve the API on a free port; yield its URL, and stop it at the end."""
    command = [sys.executable, "-m", "app", "serve", "--port", "0", "--workers", "2"]
    with (
        log.open("w") as stderr,
        subprocess.Popen(command, env=environment, stderr=stderr) as process,  # noqa: S603
    ):
        try:
            yield find_url(log)
        finally:
            process.terminate()


def find_url(log: Path) -> str:
    """Return the URL that the log has, as soon as it answers."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if found := re.search(r"running on (http://[\d.:]+)", log.read_text()):
            with suppress(OSError):
                get(f"{found[1]}/health/live")
                return found[1]
        time.sleep(0.05)
    raise TimeoutError(log.read_text())


def get(url: str, **headers: str) -> str:
    request = urllib.request.Request(url, headers=headers)  # noqa: S310
    with urllib.request.urlopen(request, timeout=PATIENCE) as response:  # noqa: S310
        text: str = response.read().decode()
    return text


def workers_in(metrics: str) -> set[str]:
    pattern = r'http_server_request_duration_seconds_count{.*pid="(\d+)"'
    return set(re.findall(pattern, metrics))


def test_request_continues_the_trace_of_its_caller(run: Run) -> None:
    [span] = [span for span in run.sent.spans if span.trace_id.hex() == TRACE]
    assert span.parent_span_id.hex() == CALLER
    assert run.sent.services == {"named"}
    [line] = [line for line in run.log if line.get("trace_id") == TRACE]
    assert line["span_id"] == span.span_id.hex()


def test_metrics_are_sent(run: Run) -> None:
    assert {"http.server.request.duration", "db.client.connection.count"} <= run.sent.metrics


def test_prometheus_gets_the_metrics_of_all_workers(run: Run) -> None:
    assert len(workers_in(run.metrics)) == 2


def test_requests_for_health_and_metrics_are_not_measured(run: Run) -> None:
    assert {span.name for span in run.sent.spans} == {"GET /openapi.json"}
    assert 'http_route="/openapi.json"' in run.metrics
    assert 'http_route="/health/live"' not in run.metrics


def test_without_variables_there_is_no_exporter(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        monkeypatch.delenv(name)
    assert exporters("TRACES") == set()
    assert exporters("METRICS") == set()
    assert not serves_metrics()


def test_variables_are_read_from_env_file_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lines = ("OTEL_SERVICE_NAME=other", "OTEL_METRICS_EXPORTER=prometheus", "LOG_FORMAT=json")
    (tmp_path / ".env").write_text("\n".join(lines), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "environ", {"OTEL_SERVICE_NAME": "named"})
    load_variables()
    expected = {"OTEL_SERVICE_NAME": "named", "OTEL_METRICS_EXPORTER": "prometheus"}
    assert dict(os.environ) == expected


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("OTEL_TRACES_EXPORTER", "console", "OTEL_TRACES_EXPORTER: use otlp or none"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "OTEL_EXPORTER_OTLP_PROTOCOL: use http/protobuf"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4318", "OTEL_EXPORTER_OTLP_ENDPOINT: use a URL"),
    ],
)
def test_wrong_variable_is_named(
    name: str, value: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318")
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit, match=message):
        exporters("TRACES")
