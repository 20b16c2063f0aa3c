"""Drives Chromium by its DevTools protocol: opens pages, runs JavaScript in them, and takes pictures."""

import json
import subprocess
import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
from websockets.sync.client import ClientConnection, connect

PATIENCE = 30.0
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)
DRIVEN = ("--disable-popup-blocking", "--hide-scrollbars", "--remote-debugging-port=0", "--window-size=1000,640")


class Page:
    """A page of the browser."""

    def __init__(self, connection: ClientConnection) -> None:
        """Drive the page that the connection leads to."""
        self.connection = connection
        self.calls = 0

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the protocol, and give its result."""
        self.calls += 1
        self.connection.send(json.dumps({"id": self.calls, "method": method, "params": parameters}))
        while True:
            message = json.loads(self.connection.recv(timeout=PATIENCE))
            if message.get("id") == self.calls:
                result: dict[str, Any] = message["result"]
                return result

    def run(self, script: str) -> Any:
        """Give the value of an expression, as if a user had asked for it."""
        return self.call("Runtime.evaluate", expression=script, userGesture=True, returnByValue=True)["result"].get(
            "value"
        )

    def click(self, selector: str) -> None:
        """Click on an element, once it is there."""
        found = f"document.querySelector({json.dumps(selector)})"
        self.wait_for(f"!!{found}")
        self.run(f"{found}.click()")

    def wait_for(self, condition: str) -> Any:
        """Wait until an expression is true, and give its value.

        Raises:
            TimeoutError: it never is.

        """
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if value := self.run(condition):
                return value
            time.sleep(0.05)
        raise TimeoutError(f"never true: {condition}")

    def picture(self) -> bytes:
        """Give what the page looks like, as a PNG."""
        return b64decode(self.call("Page.captureScreenshot")["data"])


class Browser:
    """A browser that runs."""

    def __init__(self, address: str) -> None:
        """Drive the browser at an address."""
        self.address = address

    def targets(self) -> list[dict[str, Any]]:
        """Give the pages that are open, the newest first."""
        found = httpx2.get(f"{self.address}/json", timeout=PATIENCE).json()
        return [target for target in found if target["type"] == "page"]

    @contextmanager
    def page(self, path: str, url: str = "") -> Iterator[Page]:
        """Give the page whose URL has a text in it, once it is there; or open one at a URL before."""
        if url:
            httpx2.put(f"{self.address}/json/new?{url}", timeout=PATIENCE).raise_for_status()
        deadline = time.monotonic() + PATIENCE
        while not (found := [target for target in self.targets() if path in target["url"]]):
            if time.monotonic() > deadline:
                raise TimeoutError(f"there is no page of {path}")
            time.sleep(0.05)
        with connect(found[0]["webSocketDebuggerUrl"], max_size=None) as connection:
            yield Page(connection)


@contextmanager
def browsing(program: Path, folder: Path) -> Iterator[Browser]:
    """Give a browser whose profile is in a folder."""
    process = subprocess.Popen(
        [program, *FLAGS, *DRIVEN, f"--user-data-dir={folder}", "about:blank"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield Browser(f"http://127.0.0.1:{port_in(folder / 'DevToolsActivePort')}")
    finally:
        process.terminate()
        process.wait()


def port_in(file: Path) -> str:
    """Give the port that the browser writes into a file."""
    deadline = time.monotonic() + PATIENCE
    while not (file.exists() and (lines := file.read_text(encoding="utf-8").splitlines())):
        if time.monotonic() > deadline:
            raise TimeoutError("the browser doesn't start")
        time.sleep(0.05)
    return lines[0]
