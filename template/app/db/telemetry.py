"""Spans and metrics of the statements, and metrics of the connection pools."""

from collections.abc import Iterator
from time import perf_counter
from typing import Any
from weakref import WeakKeyDictionary

from opentelemetry import metrics, trace
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.trace import SpanKind, StatusCode
from sqlalchemy import Engine, QueuePool, event
from sqlalchemy.engine.interfaces import ExceptionContext

MAX_LENGTH = 2000
# Seconds, as OpenTelemetry's conventions have them.
BUCKETS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10)

tracer = trace.get_tracer(__name__)
meter = metrics.get_meter(__name__)
duration = meter.create_histogram(
    "db.client.operation.duration",
    unit="s",
    description="Duration of statements.",
    explicit_bucket_boundaries_advisory=BUCKETS,
)
pool_names: WeakKeyDictionary[Engine, str] = WeakKeyDictionary()


def measure_engine(engine: Engine, pool_name: str) -> None:
    """Trace and time each statement, by its text and never its parameters; watch the pool."""
    pool_names[engine] = pool_name
    url = engine.url
    known = {
        "db.system.name": engine.dialect.name,
        "db.namespace": url.database,
        "server.address": url.host,
        "server.port": url.port,
    }
    place = {name: value for name, value in known.items() if value}

    def started(
        _connection: object,
        _cursor: object,
        statement: str,
        _parameters: object,
        context: Any,
        _executemany: object,
    ) -> None:
        words = statement.split(maxsplit=1)
        operation = words[0].upper() if words else ""
        attributes = {**place, "db.operation.name": operation}
        described = {**attributes, "db.query.text": statement[:MAX_LENGTH]}
        span = tracer.start_span(operation, kind=SpanKind.CLIENT, attributes=described)
        context.measured = span, attributes, perf_counter()

    event.listen(engine, "before_cursor_execute", started)
    event.listen(engine, "after_cursor_execute", ended)
    event.listen(engine, "handle_error", failed)


def ended(*given: Any) -> None:
    *_statement, context, _executemany = given
    finish(context)


def failed(context: ExceptionContext) -> None:
    finish(context.execution_context, context.original_exception)


def finish(context: Any, error: BaseException | None = None) -> None:
    """End what was started for the statement, with the type of the error: its text has values."""
    measured = getattr(context, "measured", None)
    if measured is None:
        return
    context.measured = None
    span, attributes, start = measured
    if error is not None:
        attributes["error.type"] = f"{type(error).__module__}.{type(error).__qualname__}"
        span.set_attribute("error.type", attributes["error.type"])
        span.set_status(StatusCode.ERROR)
    duration.record(perf_counter() - start, attributes)
    span.end()


def count_connections(_options: CallbackOptions) -> Iterator[Observation]:
    for name, pool in pools():
        labels = {"db.client.connection.pool.name": name}
        idle = {**labels, "db.client.connection.state": "idle"}
        used = {**labels, "db.client.connection.state": "used"}
        yield Observation(pool.checkedin(), idle)
        yield Observation(pool.checkedout(), used)


def limit_connections(_options: CallbackOptions) -> Iterator[Observation]:
    for name, pool in pools():
        yield Observation(pool.size(), {"db.client.connection.pool.name": name})


def pools() -> Iterator[tuple[str, QueuePool]]:
    """Yield the pools that keep figures."""
    for engine, name in list(pool_names.items()):
        if isinstance(engine.pool, QueuePool):
            yield name, engine.pool


meter.create_observable_up_down_counter(
    "db.client.connection.count",
    [count_connections],
    unit="{connection}",
    description="Connections that are idle or used.",
)
meter.create_observable_up_down_counter(
    "db.client.connection.idle.max",
    [limit_connections],
    unit="{connection}",
    description="Connections that stay open.",
)
