"""A clock that is set back changes no timeout and no limit: durations are those of the monotonic clock."""

import datetime as dt
import os
import re
import signal
import sys

import httpx2
import pytest

from tests.contract.blog import new_user
from tests.faults import set_back
from tests.faults.conftest import Stage
from tests.faults.load import LOST, REFUSED
from tests.harness.service import NO_CERTIFICATES
from tests.harness.variants import ROOT

TEMPLATE = ROOT / "template"
WALL_CLOCK = re.compile(
    r"\btime\.time\(|^import time$|^from time import .*\btime\b|datetime\.now\(UTC\)$", re.MULTILINE
)
READERS = {
    "app/db/clock.py": "the rows' timestamps, and the days on which sessions and mailed tokens expire",
    "app/web/metrics.py": "the age of files that ended workers have left",
}


def test_wall_clock_is_read_for_no_duration() -> None:
    sources = [path for path in TEMPLATE.rglob("*.py*") if "app" in path.relative_to(TEMPLATE).parts[:2]]
    found = {
        path.relative_to(TEMPLATE).as_posix()
        for path in sources
        if path.suffix != ".pyc" and WALL_CLOCK.search(path.read_text(encoding="utf-8"))
    }
    assert found == {*READERS}


@pytest.mark.slow
@pytest.mark.example
@pytest.mark.each_database
@pytest.mark.mixin("timestamps", "soft_delete", "audit_log", "optimistic_locking", "full_text_search")
def test_clock_is_set_back(stage: Stage) -> None:
    """The clock of the service is set back by an hour."""
    with stage(wrapper=[sys.executable, str(set_back.__file__)], settings={"RATE_LIMIT": "100000"}) as scene:
        os.kill(scene.service.pid, signal.SIGUSR1)
        scene.recover()
        url = f"{scene.service.url}/api/v1/users"
        added = httpx2.post(url, json=new_user(), timeout=30, verify=NO_CERTIFICATES).json()
        behind = dt.datetime.now(dt.UTC) - dt.datetime.fromisoformat(added["created_at"])
        assert abs(behind - set_back.BACK) < dt.timedelta(minutes=5)
        scene.recover()
    assert not {LOST, REFUSED} & {*scene.load.seen()}
