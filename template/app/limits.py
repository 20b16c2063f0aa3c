"""A limit to what a request may send."""

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class LimitBody:
    """Refuses a body of more than `size` bytes with 413, at its announcement where it has one."""

    def __init__(self, app: ASGIApp, size: int) -> None:
        self.app = app
        self.size = size

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        length = Headers(scope=scope).get("content-length", "")
        announced = int(length) if length.isdecimal() else 0
        received = 0

        async def receive_limited() -> Message:
            nonlocal received
            if announced > self.size:
                raise HTTPException(413, f"The body is larger than {self.size} bytes.")
            message = await receive()
            received += len(message.get("body", b""))
            if received > self.size:
                raise HTTPException(413, f"The body is larger than {self.size} bytes.")
            return message

        await self.app(scope, receive_limited, send)
