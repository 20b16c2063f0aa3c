"""Mixed traffic at saturation for a long time, in which nothing may grow: `make soak MINUTES=30`.

All is seen from outside: the process in /proc, its connections at the database. Tasks of asyncio can't be counted from
there; one that never ends keeps its memory.
"""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

import pytest
from sqlalchemy import make_url, text

from tests.contract.blog import unique_word
from tests.faults.conftest import Scene, Stage
from tests.faults.load import Client, Load
from tests.faults.report import SOAKS, Soaked
from tests.harness import servers
from tests.harness.servers import Server
from tests.harness.variants import Variant

pytestmark = [
    pytest.mark.example,
    pytest.mark.each_database,
    pytest.mark.slow,
    pytest.mark.mixin("timestamps", "soft_delete", "audit_log", "optimistic_locking", "full_text_search"),
]
MINUTES = float(os.environ.get("MINUTES", "1"))
CLIENTS = 24  # beside those of every fault
SAMPLES = 60  # at least, and one in five seconds at most
# How much more the median of the last third may be than that of the second.
SHARE = 0.02
SLACK = {"memory": 1.0, "descriptors": 2.0, "threads": 2.0, "connections": 2.0}
CONNECTIONS = {
    "postgresql": "SELECT count(*) - 1 FROM pg_stat_activity WHERE datname = current_database()",
    "mysql": "SELECT count(*) - 1 FROM information_schema.processlist WHERE db = database()",
}


@dataclass(frozen=True)
class Sample:
    """What the service has at a moment; its memory is in MB."""

    memory: float
    descriptors: float
    threads: float
    connections: float


class MixedClient(Client):
    """Writes posts and comments too, and reads pages and searches."""

    def turn(self) -> None:
        """Make a few calls."""
        super().turn()
        author = next((user for user, promised in reversed(self.users.items()) if promised.name), None)
        if author is None:
            return
        word = unique_word()
        body = {"author_id": author, "title": word, "content": f"{word} text", "tags": [f"tag{author % 20}"]}
        made = self.call("POST", "/posts", json=body)
        if made is not None:
            post = made.json()["id"]
            self.call("POST", f"/posts/{post}/comments", json={"author_id": author, "content": word})
            self.call("GET", f"/posts/{post}")
        for path in ("/users?size=20", "/posts?limit=20", f"/posts/search?q={word}", "/audit"):
            self.call("GET", path)


def sample(scene: Scene) -> Sample:
    """Look at the service."""
    process = Path(f"/proc/{scene.service.pid}")
    status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
    open_files = list(opened(process))
    return Sample(
        memory=int(status["VmRSS"].split()[0]) / 1024,
        descriptors=len(open_files),
        threads=int(status["Threads"]),
        connections=count_connections(scene.url, open_files),
    )


def opened(process: Path) -> Iterator[str]:
    """Give what the descriptors of a process lead to."""
    for descriptor in (process / "fd").iterdir():
        try:
            yield str(descriptor.readlink())
        except FileNotFoundError:  # it was closed meanwhile
            continue


def count_connections(url: str, open_files: list[str]) -> int:
    """Count the service's connections; those of SQLite are descriptors of its file."""
    database = make_url(url)
    if database.drivername == "sqlite":
        return open_files.count(str(database.database))
    with servers.engine(url).connect() as connection:
        return int(connection.execute(text(CONNECTIONS[database.drivername])).scalar_one())


def growth(samples: list[Sample]) -> list[str]:
    """Say what has grown from the second third to the last."""
    third = len(samples) // 3
    found = []
    for name, slack in SLACK.items():
        before, after = (
            median(getattr(each, name) for each in part) for part in (samples[third : 2 * third], samples[2 * third :])
        )
        if after > before * (1 + SHARE) + slack:
            found.append(f"{name} grew from {before:.1f} to {after:.1f}")
    return found


def test_nothing_grows(stage: Stage, variant: Variant, server: Server) -> None:
    """Mixed traffic saturates the service for a long time."""
    seconds = MINUTES * 60
    pause = min(5.0, seconds / SAMPLES)
    with stage() as scene:
        load = Load(scene.service.url, CLIENTS, kind=MixedClient)
        samples = []
        with load.running():
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                time.sleep(pause)
                samples.append(sample(scene))
        scene.recover()
        scene.load.clients += load.clients  # for the judge
        assert {*scene.load.seen()} <= {"503"}, "each call has an answer"
        assert not growth(samples), growth(samples)
    early, late = samples[len(samples) // 6], samples[-1]
    times = [1000 * (call.ended - call.began) for client in scene.load.clients for call in client.calls]
    row = Soaked(
        database=variant.database,
        server=str(server),
        minutes=MINUTES,
        clients=len(scene.load.clients),
        requests=len(times),
        p50=median(times),
        p99=quantiles(times, n=100)[-1],
        unavailable=scene.load.seen()["503"],
        **{name: [getattr(early, name), getattr(late, name)] for name in SLACK},
    )
    SOAKS.add([row])
