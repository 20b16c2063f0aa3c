"""The documentation page of a service, in a real browser that reaches nothing but the service."""

import re
from pathlib import Path

import pytest

from tests.harness.browser import FLAGS
from tests.harness.login import VARIANT, logged_in
from tests.harness.programs import BROWSERS
from tests.harness.rendering import render_variant
from tests.harness.servers import find
from tests.harness.variants import Variant
from tests.harness.warm_process import WarmProcess

PRINTED = ("--virtual-time-budget=30000", "--dump-dom")
# Serves the project behind a prefix and under a strict Content-Security-Policy, and prints what a browser makes of it.
BROWSE = """
import socket, subprocess, sys, threading
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount
from app.main import create_app
async def strict(scope, receive, send):
    async def send_policy(message):
        if message["type"] == "http.response.start":
            policy = b"default-src 'self'; img-src 'self' data:"
            message["headers"] = [*message["headers"], (b"content-security-policy", policy)]
        await send(message)
    await prefixed(scope, receive, send_policy)
prefixed = Starlette(routes=[Mount("/prefix", create_app())])
listener = socket.create_server(("127.0.0.1", 0))
server = uvicorn.Server(uvicorn.Config(strict, lifespan="off", log_level="critical"))
threading.Thread(target=server.run, args=([listener],), daemon=True).start()
url = f"http://127.0.0.1:{listener.getsockname()[1]}{sys.argv[1]}"
print(subprocess.check_output([*sys.argv[2:], url], stderr=subprocess.DEVNULL, text=True, timeout=60))
"""


def find_browser() -> Path:
    """Return the path of Chromium, or fail with the way to install it."""
    found = find(*BROWSERS)
    if found is None:
        pytest.fail("The page is tested in Chromium, which isn't installed: apt-get install chromium.", pytrace=False)
    return found


def test_docs_page_works_offline(source: Path, warm_process: WarmProcess, tmp_path: Path) -> None:
    project = render_variant(source, Variant("sqlite", "async", "orm", ("timestamps",)), tmp_path / "project")
    browser = [str(find_browser()), *FLAGS, *PRINTED, f"--user-data-dir={tmp_path / 'profile'}"]
    path = "/prefix/#/users/list_users"
    environment = {"DATABASE_URL": f"sqlite:///{tmp_path / 'app.db'}"}
    page = warm_process.run(["-c", BROWSE, path, *browser], project, environment).output
    operations = set(re.findall(r'class="opblock-summary-path" data-path="([^"]+)"', page))
    assert {"/api/v1/users", "/api/v1/posts/{post_id}", "/health/ready"} <= operations
    assert page.count("Try it out") == 1  # the operation that the address names is open
    assert '<option value="/prefix">' in page  # where "Execute" sends requests


def test_authorize_logs_in_at_the_provider(source: Path, warm_process: WarmProcess, tmp_path: Path) -> None:
    project = render_variant(source, VARIANT, tmp_path / "project")
    with logged_in(warm_process, project, find_browser(), tmp_path / "login", "arthur") as login:
        response = login.call("auth-read_me")
    assert '"email": "arthur@example.com"' in response
    assert '"role": "author"' in response
