"""Tells which packages the time of a request goes to, from a profile of an application in this process.

Run as `python shares.py APPLICATION NAME` in the folder of a service on a filled database. It writes as JSON how many
functions are called for a request in each package: a number that is the same each time, as a duration is not. And it
writes the stacks of modules that the CPU was found in, and how often. NAME tells the users that it inserts from those
of another run.
"""

import asyncio
import cProfile
import json
import pstats
import signal
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self

import greenlet
from uvicorn.importer import import_from_string

REQUESTS = 20
WARM = 10
SAMPLES = 3000
# Seconds of CPU time.
INTERVAL = 0.001
PACKAGES = ("fastapi", "starlette", "pydantic", "sqlalchemy", "asyncpg", "app")

Content = Callable[[int], bytes]


def scope(method: str, path: str, query: str, length: int) -> dict[str, Any]:
    """Give what an ASGI server says of a request."""
    headers = [(b"host", b"benchmark")]
    if length:
        headers += [(b"content-type", b"application/json"), (b"content-length", str(length).encode())]
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }


async def call(application: Any, request: dict[str, Any], body: bytes) -> None:
    """Send a request.

    Raises:
        RuntimeError: the application refused it.

    """
    statuses = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        statuses.append(message.get("status", 0))

    await application({**request}, receive, send)
    if statuses[0] not in {200, 201}:
        raise RuntimeError(f"{request['method']} {request['path']} is answered with {statuses[0]}")


def package(file: str) -> str:
    """Name the package that a file is of."""
    parts = Path(file).parts
    found = [part for part in parts if part in PACKAGES]
    return found[0] if found else "Python and the rest"


def count(profile: cProfile.Profile) -> Counter[str]:
    """Give the calls of each package; a built-in counts for the package that calls it."""
    counted: Counter[str] = Counter()
    stats: Any = pstats.Stats(profile)
    for (file, _, _), (_, number, _, _, callers) in stats.stats.items():
        if file == "~":
            for (caller, _, _), numbers in callers.items():
                counted[package(caller)] += numbers[0]
        else:
            counted[package(file)] += number
    return counted


class Sampler:
    """Counts the stacks of modules that this process is in, at intervals of CPU time. Use it as a context manager."""

    def __init__(self) -> None:
        """Have no samples yet."""
        self.stacks: Counter[tuple[str, ...]] = Counter()

    def __enter__(self) -> Self:
        signal.signal(signal.SIGPROF, self._note)
        signal.setitimer(signal.ITIMER_PROF, INTERVAL, INTERVAL)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)

    def _note(self, _signal: int, frame: FrameType | None) -> None:
        """Count a stack from the call of the application on; modules that call themselves count once."""
        modules: list[str] = []
        parent = greenlet.getcurrent().parent
        while frame:
            module = frame.f_globals.get("__name__", "")
            if module == __name__:
                break
            if not modules or modules[-1] != module:
                modules.append(module)
            frame = frame.f_back
            if frame is None and parent is not None:
                frame, parent = parent.gr_frame, parent.parent
        self.stacks[tuple(reversed(modules))] += bool(modules)


async def main() -> None:
    """Call, count, and write."""
    application = import_from_string(sys.argv[1])
    if sys.argv[1].endswith(":create_app"):
        application = application()

    def user(number: int) -> bytes:
        return json.dumps({"email": f"{sys.argv[2]}-{number}@example.com", "name": "New"}).encode()

    calls: dict[str, tuple[tuple[str, str, str], Content]] = {
        "by key": (("GET", "/api/v1/users/17", ""), lambda _: b""),
        "page": (("GET", "/api/v1/posts", "limit=20"), lambda _: b""),
        "insert": (("POST", "/api/v1/users", ""), user),
    }
    counted, stacks = {}, {}
    async with application.router.lifespan_context(application):
        for name, (request, content) in calls.items():
            profile = cProfile.Profile()
            for number in range(WARM + REQUESTS):
                if number == WARM:
                    profile.enable()
                body = content(number)
                await call(application, scope(*request, len(body)), body)
            profile.disable()
            counted[name] = {key: round(value / REQUESTS) for key, value in count(profile).items()}
            with Sampler() as sampler:
                while sampler.stacks.total() < SAMPLES:
                    number += 1
                    body = content(number)
                    await call(application, scope(*request, len(body)), body)
            stacks[name] = [(stack, samples) for stack, samples in sampler.stacks.items() if samples]
    sys.stdout.write(json.dumps({"calls": counted, "stacks": stacks}))


if __name__ == "__main__":
    asyncio.run(main())
