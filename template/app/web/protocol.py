"""HTTP/1.1 as h11 reads it: `uvicorn --http app.web.protocol:Http`.

httptools, which uvicorn takes by default, is faster. But it has no limit to the head of a request,
and takes what follows a body in chunks for headers, and the body of a request that offers an
upgrade (`Upgrade: h2c`, as Java's clients do) for another request.
"""

import re
import sys
from http import HTTPStatus
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

MAX_HEAD_SIZE = 64 * 1024
_BODY_HEADERS = {b"content-length", b"transfer-encoding"}
_ABSOLUTE_URL = re.compile(rb"https?://[^/?]*(.*)", re.IGNORECASE)
# A line that ends with LF alone, or goes on in the next one.
_ODD_LINE = re.compile(rb"(?<!\r)\n|\n[ \t]")


class Http(H11Protocol):
    """Answers what isn't a request with the status that h11 names, as 400 or 431, and disconnects.

    A head that arrives at once, in what one read of the socket gives, may be larger than the limit.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.conn = _Connection(h11.SERVER, MAX_HEAD_SIZE)

    def _should_upgrade(self) -> bool:
        # A handshake of WebSocket has no body. Other offers may be ignored (RFC 9110, section 7.8).
        has_body = any(name in _BODY_HEADERS and value != b"0" for name, value in self.headers)
        is_handshake = self._get_upgrade() == b"websocket" and not has_body
        return is_handshake and self._should_upgrade_to_ws()

    def send_400_response(self, _msg: str) -> None:
        error = sys.exception()
        status = error.error_status_hint if isinstance(error, h11.RemoteProtocolError) else 400
        # What has been sent of a response can't be taken back.
        if self.conn.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            headers = [("content-length", "0"), ("connection", "close")]
            reason = HTTPStatus(status).phrase
            response = h11.Response(status_code=status, headers=headers, reason=reason)
            self.transport.write(self.conn.send(response) + self.conn.send(h11.EndOfMessage()))
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True  # the application has no one to respond to
            self.cycle.message_event.set()
        self.transport.close()


class _Connection(h11.Connection):
    """Refuses what a proxy may read otherwise, and takes a URL for its path (RFC 9112)."""

    def next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        if self.their_state is h11.IDLE:
            head = self.trailing_data[0].partition(b"\r\n\r\n")[0]
            if _ODD_LINE.search(head):
                raise h11.RemoteProtocolError("A line of the head doesn't end with CRLF.")
        event = super().next_event()
        if isinstance(event, h11.Request):
            if {name for name, _ in event.headers} >= _BODY_HEADERS:
                raise h11.RemoteProtocolError("Content-Length is beside Transfer-Encoding.")
            if event.http_version not in {b"1.0", b"1.1"}:
                raise h11.RemoteProtocolError("It isn't HTTP/1.", error_status_hint=505)
            if url := _ABSOLUTE_URL.fullmatch(event.target):
                path = url[1] if url[1].startswith(b"/") else b"/" + url[1]
                return h11.Request(
                    method=event.method,
                    target=path,
                    headers=event.headers,
                    http_version=event.http_version,
                )
        return event
