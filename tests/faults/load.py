"""Clients that write all the time and remember what they were promised, and the judge of what is there in the end."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import httpx2

from tests.contract.blog import new_user, unique_word
from tests.contract.storage import Storage
from tests.harness.service import NO_CERTIFICATES

CLIENTS = 8
BULK = 5
LOST = "without an answer"
REFUSED = "without a connection"
OLD = "read from before a write"
PAUSE = 0.02  # seconds that a client waits that got no answer


@dataclass
class Promised:
    """A user as the service acknowledged it, and what an unacknowledged call may have made of it since."""

    name: str | None
    possible: set[str | None] = field(default_factory=set)

    def fits(self, name: str | None) -> bool:
        """Tell whether the row can have this name; None stands for no row."""
        return name == self.name or name in self.possible


@dataclass(frozen=True)
class Call:
    """A call: when it began and ended, by the monotonic clock, and its status, LOST or REFUSED."""

    began: float
    ended: float
    result: str

    @property
    def succeeded(self) -> bool:
        """Tell whether the call got a success."""
        return self.result.startswith("2")


class Client:
    """Adds users, changes and deletes those that it has added, and reads them back."""

    def __init__(self, url: str, *, may_read_old: bool = False) -> None:
        """Call the API at `url`, which may say what was true a moment ago, where it reads from standbys."""
        self.may_read_old = may_read_old
        self.api = httpx2.Client(base_url=f"{url}/api/v1", timeout=30, verify=NO_CERTIFICATES)
        self.calls: list[Call] = []
        self.users: dict[int, Promised] = {}
        self.bulks: list[tuple[str, bool]] = []
        self.wrong: list[str] = []

    def turn(self) -> None:
        """Make a few calls."""
        user = self._add()
        if user is None:
            return
        self._read(user)
        self._change(user)
        self._read(user)
        self._add_bulk()
        if user % 2:
            self._delete(user)

    def call(self, method: str, path: str, **options: Any) -> httpx2.Response | None:
        """Make a call and remember it; give its response where it succeeded."""
        began = time.monotonic()
        response, result = None, LOST
        try:
            response = self.api.request(method, path, **options)
            result = str(response.status_code)
        except httpx2.ConnectError:
            result = REFUSED
        except httpx2.TransportError:
            pass
        self.calls.append(Call(began, time.monotonic(), result))
        if response is None:
            time.sleep(PAUSE)
        elif response.is_success:
            return response
        elif response.status_code == 404 and method == "GET" and self.may_read_old:
            self.calls[-1] = replace(self.calls[-1], result=OLD)
        elif response.status_code != 503 or "retry-after" not in response.headers:
            self.wrong.append(f"{method} {path}: {result} {response.text}")
        return None

    def _add(self) -> int | None:
        body = new_user()
        response = self.call("POST", "/users", json=body)
        if response is None:
            return None
        user: int = response.json()["id"]
        self.users[user] = Promised(body["name"])
        return user

    def _read(self, user: int) -> None:
        response = self.call("GET", f"/users/{user}")
        if response is None or self.users[user].fits(response.json()["name"]):
            return
        if self.may_read_old:
            self.calls[-1] = replace(self.calls[-1], result=OLD)
        else:
            self.wrong.append(f"user {user} was read as {response.json()['name']}: {self.users[user]}")

    def _change(self, user: int) -> None:
        name, promised = unique_word(), self.users[user]
        promised.possible.add(name)
        if self.call("PATCH", f"/users/{user}", json={"name": name}, headers={"If-Match": "*"}):
            self.users[user] = Promised(name)

    def _delete(self, user: int) -> None:
        promised = self.users[user]
        promised.possible.add(None)
        if self.call("DELETE", f"/users/{user}", headers={"If-Match": "*"}):
            self.users[user] = Promised(None)

    def _add_bulk(self) -> None:
        name = unique_word()
        response = self.call("POST", "/users/bulk", json=[new_user(name=name) for _ in range(BULK)])
        self.bulks.append((name, response is not None))


class Load:
    """Some clients at work at once."""

    def __init__(
        self, url: str, clients: int = CLIENTS, *, kind: type[Client] = Client, may_read_old: bool = False
    ) -> None:
        """Let `clients` call the service at `url` once it is started."""
        self.clients = [kind(url, may_read_old=may_read_old) for _ in range(clients)]
        self._ends = threading.Event()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Keep the clients at work until the end of the context, and wait for their last calls."""

        def work(client: Client) -> None:
            while not self._ends.is_set():
                client.turn()

        threads = [threading.Thread(target=work, args=(client,)) for client in self.clients]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._ends.set()
            for thread in threads:
                thread.join()
            for client in self.clients:
                client.api.close()

    def succeeded(self, since: float) -> bool:
        """Tell whether each client has had a success of a call that began after `since`."""
        return all(
            any(call.succeeded for call in reversed(client.calls) if call.began > since) for client in self.clients
        )

    def wait_for_success(self, patience: float) -> float:
        """Wait until every client is served again, and give how many seconds that took."""
        began = time.monotonic()
        while not self.succeeded(began):
            assert time.monotonic() - began < patience, f"some clients aren't served after {patience:.0f} s"
            time.sleep(0.01)
        return time.monotonic() - began

    def wait_for(self, result: str, patience: float) -> None:
        """Wait until a client has seen a result."""
        began = time.monotonic()
        while not self.seen()[result]:
            assert time.monotonic() - began < patience, f"no client has seen {result} in {patience:.0f} s"
            time.sleep(0.01)

    def seen(self) -> Counter[str]:
        """Count the results that aren't successes."""
        return Counter(call.result for client in self.clients for call in client.calls if not call.succeeded)


@dataclass(frozen=True)
class Verdict:
    """What became of what was acknowledged, and of what wasn't."""

    acknowledged: int
    lost: list[str]
    half_written: list[str]
    wrong: list[str]


def judge(load: Load, stored: Storage) -> Verdict:
    """Compare the rows with what the clients were promised."""
    rows = {row["id"]: row["name"] for row in stored.rows("users")}
    names = Counter(row["name"] for row in stored.with_deleted.rows("users"))
    lost, half_written, acknowledged = [], [], 0
    for client in load.clients:
        for user, promised in client.users.items():
            acknowledged += 1
            if not promised.fits(rows.get(user)):
                lost.append(f"user {user} is {rows.get(user)}: {promised}")
        for name, is_promised in client.bulks:
            acknowledged += is_promised
            if is_promised and names[name] != BULK:
                lost.append(f"{names[name]} of {BULK} users {name}")
            if names[name] not in (0, BULK):
                half_written.append(f"{names[name]} of {BULK} users {name}")
    return Verdict(acknowledged, lost, half_written, [text for client in load.clients for text in client.wrong])
