"""The dialogue of docs/accounts.md is that of a service whose database the example's seed has filled."""

import re
import shlex
import time
from itertools import pairwise
from pathlib import Path

import httpx2
import pytest

from tests.harness.pages import blocks_of
from tests.harness.service import NO_CERTIFICATES, serving
from tests.harness.warm_process import WarmProcess

PAGE = "docs/accounts.md"
ADDRESS = "http://127.0.0.1:8000"
SECONDS_TO_MAIL = 30


def dialogue() -> list[tuple[str, str]]:
    """Give each request of the page with the response that it shows."""
    blocks = [block.replace("\\\n", "") for block in blocks_of(PAGE, "console") if "$ curl" in block]
    return re.findall(r"(?m)^\$ (curl .*)\n((?:[^$].*)?)", "".join(blocks))


def send(client: httpx2.Client, command: str) -> str:
    """Send what curl would."""
    _, *words = shlex.split(command)
    url = next(word for word in words if word.startswith(ADDRESS))
    options = dict(pairwise(words))
    body = options.get("--json")
    headers = dict([options["-H"].split(": ")]) if "-H" in options else {}
    if body is not None:
        headers["Content-Type"] = "application/json"
    method = options.get("-X", "GET" if body is None else "POST")
    response = client.request(method, url.removeprefix(ADDRESS), content=body, headers=headers)
    return response.raise_for_status().text


def wait_for_token(log: Path) -> str:
    """Return the token that the service mails."""
    deadline = time.monotonic() + SECONDS_TO_MAIL
    while (found := re.search(r"mailed_[\w-]+", log.read_text(encoding="utf-8"))) is None:
        assert time.monotonic() < deadline, "no mail is in the log"
        time.sleep(0.1)
    return found[0]


def without_secrets(text: str) -> str:
    return re.sub(r"session_[\w-]+|\d{4}-\d\d-\d\dT[\d:.]+Z", "…", text)


@pytest.mark.accounts
@pytest.mark.database("sqlite")
def test_dialogue_of_accounts_is_what_a_seeded_service_answers(
    warm_process: WarmProcess, project: Path, database_url: str, tmp_path: Path
) -> None:
    environment, log = {"DATABASE_URL": database_url}, tmp_path / "service.log"
    warm_process.run(["-m", "alembic", "upgrade", "head"], project, environment)
    warm_process.run(["-m", "app.seed"], project, environment)
    session = ""
    with (
        serving(warm_process, project, environment, tmp_path, log) as address,
        httpx2.Client(base_url=address, timeout=30, verify=NO_CERTIFICATES) as client,
    ):
        requests = dialogue()
        assert len(requests) == 4
        for command, shown in requests:
            filled = re.sub(r"session_[\w-]+", session, command)
            if "mailed_" in filled:
                filled = re.sub(r"mailed_[\w-]+", wait_for_token(log), filled)
            answer = send(client, filled)
            assert without_secrets(answer) == without_secrets(shown)
            session = "".join(re.findall(r"session_[\w-]+", answer)) or session
