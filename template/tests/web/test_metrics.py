import os
import time
from pathlib import Path

from app.web.metrics import MAX_AGE, merge

METRICS = """\
# HELP requests_total Requests.
# TYPE requests_total counter
requests_total{{route="/"}} {count}
"""


def write(file: Path, count: int) -> None:
    file.write_text(METRICS.format(count=count))


def test_metrics_of_all_workers_are_in_one_family(tmp_path: Path) -> None:
    write(tmp_path / "1.prom", 10)
    write(tmp_path / "2.prom", 20)
    lines = merge(tmp_path).decode().splitlines()
    assert lines.count("# TYPE requests_total counter") == 1
    assert 'requests_total{pid="1",route="/"} 10.0' in lines
    assert 'requests_total{pid="2",route="/"} 20.0' in lines
    assert any(f'pid="{os.getpid()}"' in line for line in lines)


def test_metrics_of_a_worker_that_ended_are_left_out(tmp_path: Path) -> None:
    write(tmp_path / "1.prom", 10)
    past = time.time() - MAX_AGE - 1
    os.utime(tmp_path / "1.prom", (past, past))
    assert b"requests_total" not in merge(tmp_path)
