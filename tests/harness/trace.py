"""Draws a trace that a service really sent, as an SVG: `make picture` writes docs/telemetry.svg."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

import httpx2
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.harness.collector import attributes_of, collecting
from tests.harness.rendering import render, snapshot
from tests.harness.scratch import scratch_folder
from tests.harness.servers import new_database, running
from tests.harness.service import serving
from tests.harness.variants import ROOT, Variant
from tests.harness.warm_process import WarmProcess

PICTURE = ROOT / "docs/telemetry.svg"
VARIANT = Variant("postgresql", "async", "orm", ("timestamps",))
USER = {"email": "ada@example.com", "name": "Ada"}
POST = {"author_id": 1, "title": "Hello", "content": "The first post.", "tags": ["news"]}
REQUESTS = 100
ROW, LEFT, RIGHT, WIDTH, LONGEST_TEXT = 22, 16, 64, 720, 46
# Where the bars begin.
BARS = 396
FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, monospace"
BACKGROUND, TEXT, FAINT, REQUEST, STATEMENT = "#2e3440", "#d8dee9", "#81899a", "#88c0d0", "#a3be8c"


def record(folder: Path) -> list[Span]:
    """Give the spans of the fastest of some requests that make a post, in the order in which they began."""
    source = snapshot(folder / "source")
    project = render(source, folder / "service", {**VARIANT.answers, "extras": ["telemetry"]})
    with (
        running([VARIANT.database], folder, print) as (server, *_),
        WarmProcess(folder / "logs") as warm_process,
        new_database(server, folder) as url,
        collecting() as collector,
    ):
        environment = {"DATABASE_URL": url, "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
        warm_process.run(["-m", "alembic", "upgrade", "head"], project, environment)
        with (
            serving(warm_process, project, environment, folder) as address,
            httpx2.Client(base_url=f"{address}/api/v1") as client,
        ):
            client.post("/users", json=USER).raise_for_status()
            for number in range(REQUESTS):
                client.post("/posts", json={**POST, "tags": [f"tag{number}"]}).raise_for_status()
    requests = [span for span in collector.spans if span.name == "POST /api/v1/posts"]
    fastest = min(requests, key=duration_of)
    trace = [span for span in collector.spans if span.trace_id == fastest.trace_id]
    return sorted(trace, key=lambda span: span.start_time_unix_nano)


def duration_of(span: Span) -> int:
    """Give the nanoseconds that a span took."""
    return span.end_time_unix_nano - span.start_time_unix_nano


def draw(spans: Sequence[Span]) -> str:
    """Give a trace as an SVG: a row for each span, with its text and a bar for its time."""
    start = spans[0].start_time_unix_nano
    end = max(span.end_time_unix_nano for span in spans)
    height = ROW * len(spans) + 2 * LEFT
    scale = (WIDTH - BARS - RIGHT) / (end - start)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-size="12" font-family="{FONT}">',
        f'<rect width="{WIDTH}" height="{height}" rx="8" fill="{BACKGROUND}"/>',
    ]
    for number, span in enumerate(spans):
        is_request = span.kind == Span.SPAN_KIND_SERVER
        text = span.name if is_request else shortened(attributes_of(span)["db.query.text"])
        y = LEFT + ROW * number
        x, width = BARS + (span.start_time_unix_nano - start) * scale, max(duration_of(span) * scale, 1)
        colour = REQUEST if is_request else STATEMENT
        parts += [
            f'<text x="{LEFT if is_request else 2 * LEFT}" y="{y + 15}" fill="{TEXT}">{escape(text)}</text>',
            f'<rect x="{x:.1f}" y="{y + 5}" width="{width:.1f}" height="{ROW - 10}" rx="2" fill="{colour}"/>',
            f'<text x="{x + width + 6:.1f}" y="{y + 15}" fill="{FAINT}">{duration_of(span) / 1e6:.1f} ms</text>',
        ]
    return "\n".join([*parts, "</svg>", ""])


def shortened(statement: str) -> str:
    """Give a statement on one line, cut where it is long."""
    line = " ".join(statement.split())
    return line if len(line) <= LONGEST_TEXT else f"{line[:LONGEST_TEXT]}…"


def main() -> None:
    """Write the picture."""
    with scratch_folder() as folder:
        PICTURE.write_text(draw(record(folder)), encoding="utf-8")
    print(f"{PICTURE.relative_to(ROOT)}: {PICTURE.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main()
