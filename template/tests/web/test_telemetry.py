import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from app.settings import Settings
from app.web.telemetry import STOP_TIMEOUT, exporters
from tests.otlp import collecting

TRACE, CALLER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PATIENCE = 30  # seconds


@pytest.fixture
def environment(settings: Settings) -> dict[str, str]:
    """Return the environment of a process without a variable of OpenTelemetry."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    url = settings.database_url.render_as_string(hide_password=False)
    return {**own, "DATABASE_URL": url, "LOG_FORMAT": "json"}


@contextmanager
def serving(environment: dict[str, str], log: Path, *options: str) -> Iterator[str]:
    """Serve the API on a free port; yield its URL, and stop it at the end."""
    command = [sys.executable, "-m", "app", "serve", "--port", "0", *options]
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


def test_request_continues_the_trace_of_its_caller(
    environment: dict[str, str], tmp_path: Path
) -> None:
    log = tmp_path / "log"
    with collecting() as collector:
        environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.url
        environment["OTEL_SERVICE_NAME"] = "named"
        with serving(environment, log) as url:
            get(f"{url}/openapi.json", traceparent=f"00-{TRACE}-{CALLER}-01")
            get(f"{url}/health/live")
    [span] = collector.spans
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE, CALLER)
    assert collector.services == {"named"}
    assert "http.server.request.duration" in collector.metrics
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    [line] = [line for line in lines if line.get("route") == "/openapi.json"]
    assert (line["trace_id"], line["span_id"]) == (TRACE, span.span_id.hex())


def test_without_an_exporter_nothing_is_recorded_or_said(
    environment: dict[str, str], tmp_path: Path
) -> None:
    log = tmp_path / "log"
    with serving(environment, log) as url:
        get(f"{url}/openapi.json")
        with pytest.raises(urllib.request.HTTPError, match="404"):
            get(f"{url}/metrics")
    assert "trace_id" not in log.read_text()
    assert "opentelemetry" not in log.read_text()


def test_prometheus_gets_the_metrics_of_all_workers(
    environment: dict[str, str], tmp_path: Path
) -> None:
    environment["OTEL_METRICS_EXPORTER"] = "prometheus"
    with serving(environment, tmp_path / "log", "--workers", "2") as url:
        end = time.monotonic() + PATIENCE
        workers: set[str] = set()
        while len(workers) < 2 and time.monotonic() < end:
            get(f"{url}/openapi.json")
            pattern = r'http_server_request_duration_seconds_count{.*pid="(\d+)"'
            workers = set(re.findall(pattern, get(f"{url}/metrics")))
    assert len(workers) == 2


def test_stop_waits_two_seconds_at_most_for_a_collector(
    environment: dict[str, str], tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = endpoint
        with serving(environment, tmp_path / "log") as url:
            get(f"{url}/openapi.json")
            start = time.monotonic()
    assert time.monotonic() - start < STOP_TIMEOUT + 5


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("OTEL_TRACES_EXPORTER", "console", "OTEL_TRACES_EXPORTER: use otlp or none"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "OTEL_EXPORTER_OTLP_PROTOCOL: use http/protobuf"),
    ],
)
def test_unknown_exporter_is_named(
    name: str, value: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318")
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit, match=message):
        exporters("TRACES")
