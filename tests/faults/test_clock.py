"""A clock that is set back changes no timeout and no limit: durations are those of the monotonic clock."""

import re

from tests.harness.variants import ROOT

TEMPLATE = ROOT / "template"
WALL_CLOCK = re.compile(
    r"\btime\.time\(|^import time$|^from time import .*\btime\b|datetime\.now\(UTC\)$", re.MULTILINE
)
READERS = {
    "app/db/clock.py": "the rows' timestamps, and the days on which sessions and mailed tokens expire",
    "app/web/metrics.py": "the age of files that ended workers have left",
    "{{oidc}}/app/auth/tokens.py.jinja": "when a token was issued that doesn't say it",
}


def test_wall_clock_is_read_for_no_duration() -> None:
    sources = [path for path in TEMPLATE.rglob("*.py*") if "app" in path.relative_to(TEMPLATE).parts[:2]]
    found = {
        path.relative_to(TEMPLATE).as_posix()
        for path in sources
        if path.suffix != ".pyc" and WALL_CLOCK.search(path.read_text(encoding="utf-8"))
    }
    assert found == {*READERS}
