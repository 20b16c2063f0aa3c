"""The telemetry of a service: one trace for each request, its statements included, and metrics for a dashboard."""

import json
import re
import socket
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tests.harness.collector import Collector, attributes_of, collecting
from tests.harness.rendering import render
from tests.harness.service import NO_CERTIFICATES, serving
from tests.harness.variants import Variant
from tests.harness.warm_process import WarmProcess
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


@pytest.fixture
def measured(source: Path, variant: Variant, tmp_path: Path) -> Path:
    """The variant's project with telemetry."""
    return render(source, tmp_path / "project", {**variant.answers, "extras": ["telemetry"]})


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A collector."""
    with collecting() as collector:
        yield collector


@pytest.fixture
def environment(warm_process: WarmProcess, measured: Path, database_url: str) -> dict[str, str]:
    """The settings of a service with a migrated database."""
    environment = {"DATABASE_URL": database_url, "LOG_FORMAT": "json"}
    warm_process.run(["-m", "alembic", "upgrade", "head"], measured, environment)
    return environment


def statements(spans: list[Span], trace: str = TRACE) -> list[dict[str, Any]]:
    """Give the attributes of the statements of a trace, in the order in which they began."""
    ordered = sorted(spans, key=lambda span: span.start_time_unix_nano)
    ours = [span for span in ordered if span.kind == Span.SPAN_KIND_CLIENT and span.trace_id.hex() == trace]
    return [attributes_of(span) for span in ours]


def test_trace_of_a_request_has_its_statements(
    warm_process: WarmProcess, measured: Path, environment: dict[str, str], collector: Collector, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    environment |= {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_RESOURCE_ATTRIBUTES": "deployment.id=7"}
    with (
        serving(warm_process, measured, environment, tmp_path, log) as url,
        httpx2.Client(base_url=url, verify=NO_CERTIFICATES) as client,
    ):
        made = client.post(USERS, json=USER)
        client.get(f"{USERS}/{made.json()['id']}", headers=CONTEXT)
        client.get(USERS)
        client.get("/health/ready")
    requests = {span.span_id: span for span in collector.spans if span.kind == Span.SPAN_KIND_SERVER}
    assert Counter(span.name for span in requests.values()) == {
        "POST /api/v1/users": 1,
        "GET /api/v1/users/{user_id}": 1,
        "GET /api/v1/users": 1,
    }
    [read] = [span for span in requests.values() if span.name.endswith("{user_id}")]
    assert (read.trace_id.hex(), read.parent_span_id.hex()) == (TRACE, CALLER)
    inner = [span for span in collector.spans if span.span_id not in requests]
    assert {span.parent_span_id for span in inner} == set(requests)
    texts = [attributes["db.query.text"] for attributes in statements(collector.spans)]
    assert len([one for one in texts if one.startswith("SELECT")]) == 1
    [post] = [span for span in requests.values() if span.name.startswith("POST")]
    written = [attributes["db.query.text"] for attributes in statements(inner, post.trace_id.hex())]
    assert len([one for one in written if one.startswith("INSERT INTO users")]) == 1
    assert not any(value in str(collector.spans) for value in USER.values())
    assert (collector.resource["service.name"], collector.resource["deployment.id"]) == ("example-service", "7")
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    assert [line["span_id"] for line in lines if line.get("trace_id") == TRACE] == [read.span_id.hex()]


def test_call_of_another_service_has_the_context_of_the_trace(
    warm_process: WarmProcess, measured: Path, environment: dict[str, str], collector: Collector
) -> None:
    environment |= {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
    done = warm_process.run(["-c", CALL, CONTEXT["traceparent"]], measured, environment)
    [span] = collector.spans
    assert span.name == "GET /call"
    assert f"gives 00-{TRACE}-{span.span_id.hex()}-01" in done.output


def test_failed_statement_tells_no_values(
    warm_process: WarmProcess,
    measured: Path,
    environment: dict[str, str],
    collector: Collector,
    tmp_path: Path,
) -> None:
    environment |= {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
    with (
        serving(warm_process, measured, environment, tmp_path) as url,
        httpx2.Client(base_url=url, verify=NO_CERTIFICATES) as client,
    ):
        statuses = [client.post(USERS, json=USER).status_code for _ in range(2)]
    assert statuses == [201, 409]
    failed = [span for span in collector.spans if span.status.code == Status.STATUS_CODE_ERROR]
    assert [(span.name, span.status.message) for span in failed] == [("INSERT", "")]
    assert "error.type" in attributes_of(failed[0])
    assert USER["email"] not in str(collector.spans)


def test_dashboard_asks_for_metrics_that_are_served(
    warm_process: WarmProcess, measured: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    environment |= {"OTEL_METRICS_EXPORTER": "prometheus"}
    with serving(warm_process, measured, environment, tmp_path) as url:
        httpx2.get(f"{url}{USERS}", verify=NO_CERTIFICATES)
        break_table(environment["DATABASE_URL"])
        httpx2.get(f"{url}{USERS}", verify=NO_CERTIFICATES)
        response = httpx2.get(f"{url}/metrics", verify=NO_CERTIFICATES)
    assert response.headers["content-type"].startswith("text/plain; version=")
    served = response.text
    dashboard = json.loads((measured / "grafana-dashboard.json").read_text(encoding="utf-8"))
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            for name in re.findall(r"(\w+)\{", target["expr"]):
                assert f"\n{name}{{" in served or f"\n{name} " in served, name
            for label in re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]):
                assert f'{label}="' in served or label in {"instance", "pid"}, label
    for pool in ("read", "write"):
        assert re.search(rf'db_client_connection_count{{.*pool_name="{pool}",.*state="used"}} \d', served)
    assert 'http_route="/health/ready"' not in served


def test_collector_that_is_silent_delays_nothing_but_the_stop(
    warm_process: WarmProcess, measured: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        environment |= {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{silent.getsockname()[1]}"}
        with serving(warm_process, measured, environment, tmp_path) as url:
            assert httpx2.get(f"{url}{USERS}", verify=NO_CERTIFICATES).status_code == 200
            start = time.monotonic()
        assert time.monotonic() - start < STOP
