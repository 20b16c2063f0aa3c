"""A service with telemetry: its API is the same, each request has a trace, and its dashboard has metrics."""

import json
import re
import shutil
import socket
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tests.every_variant.test_every_variant import (  # noqa: F401 - the steps that every variant takes
    driven,
    passes,
    test_crud,
    test_lint,
    test_migrate,
)
from tests.harness.collector import Collector, attributes_of, collecting
from tests.harness.rendering import render
from tests.harness.servers import NewDatabase
from tests.harness.service import NO_CERTIFICATES, serving
from tests.harness.variants import Variant
from tests.harness.warm_process import WarmProcess
from tests.rendered.test_layers import upward_imports
from tests.service.test_logs import break_table

pytestmark = [pytest.mark.example, pytest.mark.each_base]

TRACE, CALLER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
CONTEXT = {"traceparent": f"00-{TRACE}-{CALLER}-01"}
USER = {"email": "ada@example.com", "name": "Ada of the body"}
USERS = "/api/v1/users"
# What these stop at: the service's own two seconds, and what a busy machine takes for the rest.
STOP = 8

# A service that calls another: it gives the context of its trace on.
CALL = """
import sys
from fastapi.testclient import TestClient
from opentelemetry.propagate import inject
from app.main import create_app
app = create_app()
@app.get("/call")
def call() -> dict[str, str]:
    headers: dict[str, str] = {}
    inject(headers)
    return headers
with TestClient(app) as client:
    print("gives", client.get("/call", headers={"traceparent": sys.argv[1]}).json()["traceparent"])
"""


@dataclass
class Run:
    """What a service sent to a collector, logged, and served to Prometheus, after calls that it answered with these."""

    sent: Collector
    statuses: list[int]
    log: list[dict[str, Any]]
    metrics: str

    @property
    def requests(self) -> dict[bytes, Span]:
        """The spans of requests by their ids."""
        return {span.span_id: span for span in self.sent.spans if span.kind == Span.SPAN_KIND_SERVER}

    def statements(self, request: Span) -> list[str]:
        """Give the texts of the statements of a request, in the order in which they began."""
        ordered = sorted(self.sent.spans, key=lambda span: span.start_time_unix_nano)
        return [attributes_of(span)["db.query.text"] for span in ordered if span.parent_span_id == request.span_id]


@pytest.fixture(scope="module")
def measured(source: Path, variant: Variant, scratch: Path) -> Iterator[Path]:
    """The variant's project with telemetry."""
    folder = scratch / f"{variant.id}-telemetry"
    yield render(source, folder, {**variant.answers, "extras": ["telemetry"]})
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def project(measured: Path) -> Path:
    """The project that takes the steps of every variant."""
    return measured


@pytest.fixture(scope="module")
def migrated_url(warm_process: WarmProcess, measured: Path, new_database: NewDatabase) -> Iterator[str]:
    """The URL of the service's database, migrated."""
    with new_database() as url:
        warm_process.run(["-m", "alembic", "upgrade", "head"], measured, {"DATABASE_URL": url})
        yield url


@pytest.fixture(scope="module")
def telemetry(warm_process: WarmProcess, measured: Path, migrated_url: str, scratch: Path) -> Run:
    """What the service sent, logged and served while it was called; at last, without a table."""
    log = scratch / "telemetry.log"
    with collecting() as collector:
        environment = {
            "DATABASE_URL": migrated_url,
            "LOG_FORMAT": "json",
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_METRICS_EXPORTER": "otlp,prometheus",
            "OTEL_RESOURCE_ATTRIBUTES": "deployment.id=7",
        }
        with (
            serving(warm_process, measured, environment, scratch, log) as url,
            httpx2.Client(base_url=url, timeout=30, verify=NO_CERTIFICATES) as client,
        ):
            answers = [client.post(USERS, json=USER), client.post(USERS, json=USER)]
            answers += [client.get(f"{USERS}/{answers[0].json()['id']}", headers=CONTEXT), client.get("/health/ready")]
            break_table(migrated_url)
            answers.append(client.get(USERS))  # the server closes its connection
            metrics = httpx2.get(f"{url}/metrics", timeout=30, verify=NO_CERTIFICATES).raise_for_status().text
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    return Run(collector, [answer.status_code for answer in answers], lines, metrics)


def test_trace_of_a_request_has_its_statements(telemetry: Run) -> None:
    assert telemetry.statuses == [201, 409, 200, 200, 500]
    assert Counter(span.name for span in telemetry.requests.values()) == {
        "POST /api/v1/users": 2,
        "GET /api/v1/users/{user_id}": 1,
        "GET /api/v1/users": 1,
    }
    inner = [span for span in telemetry.sent.spans if span.span_id not in telemetry.requests]
    assert {span.parent_span_id for span in inner} == set(telemetry.requests)
    for name, start in {"GET /api/v1/users/{user_id}": "SELECT", "POST /api/v1/users": "INSERT INTO users"}.items():
        request = next(span for span in telemetry.requests.values() if span.name == name)
        assert len([text for text in telemetry.statements(request) if text.startswith(start)]) == 1
    assert not any(value in str(telemetry.sent.spans) for value in USER.values())


def test_trace_goes_on_from_the_caller_to_the_log(telemetry: Run) -> None:
    [read] = [span for span in telemetry.requests.values() if span.trace_id.hex() == TRACE]
    assert read.parent_span_id.hex() == CALLER
    assert [line["span_id"] for line in telemetry.log if line.get("trace_id") == TRACE] == [read.span_id.hex()]
    assert (telemetry.sent.resource["service.name"], telemetry.sent.resource["deployment.id"]) == (
        "example-service",
        "7",
    )


def test_failures_have_the_type_of_their_error(telemetry: Run) -> None:
    failed = [span for span in telemetry.sent.spans if span.status.code == Status.STATUS_CODE_ERROR]
    assert Counter(span.name for span in failed) == {"INSERT": 1, "SELECT": 1, "GET /api/v1/users": 1}
    assert all("error.type" in attributes_of(span) for span in failed)
    assert {span.status.message for span in failed} == {""}


def test_dashboard_asks_for_metrics_that_are_served(telemetry: Run, measured: Path) -> None:
    dashboard = json.loads((measured / "grafana-dashboard.json").read_text(encoding="utf-8"))
    for target in [target for panel in dashboard["panels"] for target in panel["targets"]]:
        for name in re.findall(r"(\w+)\{", target["expr"]):
            assert f"\n{name}{{" in telemetry.metrics or f"\n{name} " in telemetry.metrics, name
        for label in re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]):
            assert f'{label}="' in telemetry.metrics or label in {"instance", "pid"}, label
    for pool in ("read", "write"):
        assert re.search(rf'db_client_connection_count{{.*pool_name="{pool}",.*state="used"}} \d', telemetry.metrics)
    assert 'http_route="/health/ready"' not in telemetry.metrics


def test_metrics_are_sent_too(telemetry: Run) -> None:
    served = set(re.findall(r"(?m)^# TYPE (\w+)", telemetry.metrics))
    sent = {name.replace(".", "_") for name in telemetry.sent.metrics}
    assert {"http_server_request_duration", "db_client_operation_duration", "db_client_connection_count"} <= sent
    assert all(any(name.startswith(one) for name in served) for one in sent)


@pytest.mark.each_database
@pytest.mark.database("sqlite")
def test_call_of_another_service_has_the_context_of_the_trace(
    warm_process: WarmProcess, measured: Path, migrated_url: str
) -> None:
    with collecting() as collector:
        environment = {"DATABASE_URL": migrated_url, "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
        done = warm_process.run(["-c", CALL, CONTEXT["traceparent"]], measured, environment)
    [span] = collector.spans
    assert span.name == "GET /call"
    assert f"gives 00-{TRACE}-{span.span_id.hex()}-01" in done.output


@pytest.mark.each_database
@pytest.mark.database("sqlite")
def test_collector_that_is_silent_delays_nothing_but_the_stop(
    warm_process: WarmProcess, measured: Path, migrated_url: str, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        environment = {"DATABASE_URL": migrated_url, "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}
        with serving(warm_process, measured, environment, tmp_path) as url:
            assert httpx2.get(f"{url}/openapi.json", timeout=30, verify=NO_CERTIFICATES).status_code == 200
            start = time.monotonic()
        assert time.monotonic() - start < STOP


def test_telemetry_is_within_its_layers(measured: Path) -> None:
    assert list(upward_imports(measured)) == []
