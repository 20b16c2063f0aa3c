"""A client that sends bytes as they are, and checks what holds for every response."""

import http.client
import json
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn
from urllib.parse import urlsplit

from tests.contract.problems import LEAK
from tests.fuzz.conftest import Tally

TIMEOUT = 30.0
JSON = {"Content-Type": "application/json"}
# What a head gets that is no request's, or too large, from `app/web/protocol.py`: an empty body.
NO_REQUEST = {400, 431}
MAX_HEAD_SIZE = 64 * 1024
ADDED = 512  # bytes at most, by which a head is larger than its path and its headers


@dataclass(frozen=True)
class Request:
    """A request of an operation; path and headers are sent as they are."""

    operation: str
    method: str
    path: str
    headers: Mapping[str, str | bytes] = field(default_factory=dict)
    body: bytes | None = None

    @property
    def is_refused_unread(self) -> bool:
        """Tell whether the head has a byte that no head may have, or is too large: no route answers it then."""
        values = [value.encode("latin-1") if isinstance(value, str) else value for value in self.headers.values()]
        size = len(self.path) + sum(map(len, [*self.headers, *values]))
        is_visible = all("!" <= letter <= "~" for letter in self.path)
        return not is_visible or any(map(has_control, values)) or size > MAX_HEAD_SIZE - ADDED

    def __str__(self) -> str:
        return ascii((self.method, self.path[:300], self.headers, (self.body or b"")[:500]))


@dataclass(frozen=True)
class Answer:
    """A response."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> Any:
        """Read the body as RFC 8259 has it: UTF-8, no NaN, and no name twice in an object."""

        def refuse(constant: str) -> NoReturn:
            raise AssertionError(f"{constant} is no JSON")

        def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
            assert len(dict(pairs)) == len(pairs), f"a name is twice in {pairs}"
            return dict(pairs)

        return json.loads(self.body.decode(), parse_constant=refuse, object_pairs_hook=once)


class Caller:
    """Sends requests on one connection while it lasts, checks the responses, and counts them in `tally`."""

    def __init__(self, service: str) -> None:
        """Call the service at that URL."""
        self.tally: Tally = Counter()
        self._connection = http.client.HTTPConnection(urlsplit(service).netloc, timeout=TIMEOUT)

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def send(self, request: Request, statuses: Collection[int]) -> Answer:
        """Send the request, whose response must have one of the statuses."""
        answer = self._exchange(request)
        self.tally[request.operation, answer.status] += 1
        try:
            check(request, answer, statuses)
        except (AssertionError, ValueError) as error:
            raise AssertionError(f"{request}: {answer.status} {answer.body[:1000]!r}: {error}") from error
        return answer

    def check_health(self) -> None:
        """Check that the service is ready."""
        answer = self._exchange(Request("", "GET", "/health/ready"))
        assert answer.status == http.client.OK, answer.body

    def _exchange(self, request: Request) -> Answer:
        names = {name.lower() for name in request.headers}
        self._connection.putrequest(request.method, request.path, skip_accept_encoding=True, skip_host="host" in names)
        for name, value in request.headers.items():
            self._connection.putheader(name, value)
        if request.body is not None:
            self._connection.putheader("Content-Length", str(len(request.body)))
        self._connection.endheaders(request.body)
        response = self._connection.getresponse()
        return Answer(response.status, response.headers, response.read())


def has_control(header: bytes) -> bool:
    """Tell whether a header has characters that no header may have."""
    return any((byte < 0x20 and byte != 0x09) or byte == 0x7F for byte in header)


def check(request: Request, answer: Answer, statuses: Collection[int]) -> None:
    """Check what holds for every response."""
    assert answer.status in statuses, f"the status is none of {sorted(statuses)}"
    media_type = answer.headers.get("content-type", "").partition(";")[0]
    if request.is_refused_unread and answer.status in NO_REQUEST and not answer.body:
        assert "x-request-id" not in answer.headers
        return
    if answer.status in {204, 304, 307}:
        assert not answer.body
    elif answer.status < http.client.BAD_REQUEST:
        assert media_type == "application/json"
        answer.json()
    else:
        assert media_type == "application/problem+json"
        problem = answer.json()
        assert problem["status"] == answer.status
        assert problem["detail"]
        assert problem["request_id"] == answer.headers["x-request-id"]
        assert bool(problem.get("errors")) is (answer.status == http.client.UNPROCESSABLE_ENTITY)
        assert not LEAK.search(answer.body.decode()), "it tells what is behind it"
    if answer.status == http.client.SERVICE_UNAVAILABLE:
        assert int(answer.headers["retry-after"]) > 0
