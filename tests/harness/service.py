"""Runs the service of a rendered project."""

import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.harness.warm_process import Child, WarmProcess

# Made once: a client would read the machine's certificates anew each time, and these talk to no one over TLS.
NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
# The log of the service that the tests of a variant call.
SERVICE_LOG = pytest.StashKey[Path]()
SERVE = Path(__file__).with_name("serve.py")
PATIENCE = 60.0


class ServiceFailed(Exception):
    """The service didn't start, or ended before it was asked to."""


@contextmanager
def serving(
    warm_process: WarmProcess,
    project: Path,
    environment: Mapping[str, str],
    scratch: Path,
    log: Path | None = None,
    *,
    prefix: str = "",
) -> Iterator[str]:
    """Serve the project, its database migrated before, and give the service's URL; what it prints goes to `log`.

    With a `prefix`, as behind a proxy that takes it off.

    Raises:
        ServiceFailed: the service ended, or isn't ready in time; the text holds its log.

    """
    port = scratch / "port"
    port.unlink(missing_ok=True)
    child = warm_process.start([str(SERVE), str(port), prefix], project, environment, log)
    try:
        yield wait_until_ready(child, port)
        if child.status is not None:
            raise ServiceFailed(f"the service ended with {child.status}:\n{child.output}")
    finally:
        warm_process.stop(child)


@contextmanager
def calling(
    warm_process: WarmProcess,
    project: Path,
    environment: Mapping[str, str],
    scratch: Path,
    *,
    path: str = "/api/v1",
    prefix: str = "",
    **options: Any,
) -> Iterator[httpx2.Client]:
    """Serve the project as `serving` does, and give a client of what is below `path`."""
    settings = {"timeout": 30, "verify": NO_CERTIFICATES, **options}
    with (
        serving(warm_process, project, environment, scratch, prefix=prefix) as address,
        httpx2.Client(base_url=address + path, **settings) as client,
    ):
        yield client


def wait_until_ready(child: Child, port: Path) -> str:
    """Wait until the service answers that it is ready, and give its URL.

    Raises:
        ServiceFailed: the service ended, or isn't ready in time.

    """
    deadline = time.monotonic() + PATIENCE
    answer = "nothing"
    while time.monotonic() < deadline and child.status is None:
        if port.exists():
            url = f"http://127.0.0.1:{port.read_text()}"
            try:
                response = httpx2.get(f"{url}/health/ready", timeout=5, verify=NO_CERTIFICATES)
            except httpx2.TransportError as error:
                answer = repr(error)
            else:
                if response.status_code == httpx2.codes.OK:
                    return url
                answer = f"{response.status_code} {response.text}"
        time.sleep(0.02)
    state = f"ended with {child.status}" if child.status is not None else f"isn't ready after {PATIENCE:.0f} s"
    raise ServiceFailed(f"the service {state}; its last answer was {answer}; its log:\n{child.output}")
