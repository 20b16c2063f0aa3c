"""HTTP/1.1 with a limit to the head of a request: `uvicorn --http app.web.protocol:Http`."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD_SIZE = 64 * 1024
TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-length: 0\r\n"
    b"connection: close\r\n"
    b"\r\n"
)


class Http(HttpToolsProtocol):
    """Answers 431 and disconnects when the head of a request is too large; httptools has no limit.

    A head that arrives at once, in what one read of the socket gives, may be larger.
    """

    head_size: int | None = None  # None while no head is being received

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.head_size is not None:
            self.head_size += len(data)
            if self.head_size > MAX_HEAD_SIZE:
                self.transport.write(TOO_LARGE)
                self.transport.close()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.head_size = 0

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self.head_size = None
