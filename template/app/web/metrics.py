"""The metrics for Prometheus, of all workers: each leaves its own in a folder that they share."""

import atexit
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from threading import Lock, Thread
from time import sleep, time

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

FOLDER = "METRICS_FOLDER"  # the variable that names it
INTERVAL = 5.0  # seconds
MAX_AGE = 3 * INTERVAL  # of the metrics of a worker that lives

router = APIRouter()
lock = Lock()  # two threads that collect at once would share what they find


@router.get("/metrics", include_in_schema=False)
def show_metrics() -> Response:
    folder = os.getenv(FOLDER)
    metrics = merge(Path(folder)) if folder else own_metrics()
    return Response(metrics, headers={"Content-Type": CONTENT_TYPE_LATEST})


def share_metrics() -> None:
    """Make the folder for the workers that this process starts."""
    folder = mkdtemp(prefix="metrics-")
    atexit.register(rmtree, folder, ignore_errors=True)
    os.environ[FOLDER] = folder


def publish_metrics() -> None:
    """Leave this worker's metrics in the folder, every few seconds, if there is one."""

    def publish(folder: Path) -> None:
        while True:
            write(folder)
            sleep(INTERVAL)

    if folder := os.getenv(FOLDER):
        Thread(target=publish, args=[Path(folder)], daemon=True).start()


def own_metrics() -> bytes:
    with lock:
        return generate_latest(REGISTRY)


def write(folder: Path) -> None:
    """Write this worker's metrics; who reads them meanwhile sees the old ones or the new."""
    metrics = own_metrics()
    with lock, suppress(FileNotFoundError):  # the folder goes when the service stops
        new = folder / f"{os.getpid()}.new"
        new.write_bytes(metrics)
        new.replace(new.with_suffix(".prom"))


def merge(folder: Path) -> bytes:
    """Return the metrics of all workers, those of this one as they are now."""
    write(folder)
    registry = CollectorRegistry()
    registry.register(Workers(folder))
    return generate_latest(registry)


class Workers(Collector):
    """Collects what the workers wrote, each with the id of its process as a label."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def collect(self) -> Iterator[Metric]:
        merged: dict[str, Metric] = {}
        for file in sorted(self.folder.glob("*.prom")):
            if file.stat().st_mtime < time() - MAX_AGE:
                continue
            for family in text_string_to_metric_families(file.read_text("utf-8")):
                metric = Metric(family.name, family.documentation, family.type)
                metric = merged.setdefault(family.name, metric)
                for sample in family.samples:
                    metric.samples.append(
                        sample._replace(labels={**sample.labels, "pid": file.stem})
                    )
        yield from merged.values()
