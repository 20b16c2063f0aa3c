"""What a run of the matrix leaves behind, as lines of JSON in `.cache/report.jsonl`.

The first line tells of the run, the last how long it took; between them stand a line for each part of a target, and of
what is of no target, and one for each failure.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.harness.variants import BARE, ROOT

RECORDS = ROOT / ".cache" / "report.jsonl"
# What each of all variants goes through, in this order.
STEPS = ("render", "lint", "migrate", "CRUD")


@dataclass
class Result:
    """What the tests of a part came to on a target, or on none where `target` is empty."""

    target: str
    part: str
    tests: int = 0
    failed: int = 0
    seconds: float = 0.0
    checks: int = 0


@dataclass(frozen=True)
class Failure:
    """A test that failed, what it said last, and the command that repeats it."""

    target: str
    part: str
    test: str
    says: str
    repeat: str


@dataclass
class Record:
    """A run of the matrix."""

    title: str
    started: str
    servers: dict[str, str] = field(default_factory=dict)
    results: list[Result] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    seconds: float = 0.0

    def write(self, path: Path = RECORDS) -> None:
        """Write the lines."""
        lines: Iterable[dict[str, object]] = [
            {"title": self.title, "started": self.started, "servers": self.servers},
            *map(asdict, self.results),
            *map(asdict, self.failures),
            {"seconds": round(self.seconds, 1)},
        ]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")

    def table_of_steps(self) -> list[list[str]]:
        """Say how many variants took each step and in what time, in a row for each server; nothing if none did."""
        rows: dict[str, list[Result]] = {}
        for result in self.results:
            if result.part in STEPS:
                is_bare = result.target.partition(":")[0].endswith(f"-{BARE}")
                rows.setdefault(self.servers[result.target] + ", without the example" * is_bare, []).append(result)
        if not rows:
            return []
        rows["all"] = [result for results in rows.values() for result in results]
        return [
            ["every variant", *STEPS, "checks"],
            *([name, *(_of_step(step, own) for step in STEPS), _checks_of(own)] for name, own in rows.items()),
        ]


def _of_step(step: str, results: Iterable[Result]) -> str:
    """Write what a step came to: `128 in 91 s`, or `2 of 128 failed`."""
    own = [result for result in results if result.part == step]
    failed = sum(result.failed > 0 for result in own)
    return (
        f"{failed} of {len(own)} failed" if failed else f"{len(own)} in {sum(result.seconds for result in own):.0f} s"
    )


def _checks_of(results: Iterable[Result]) -> str:
    """Write how many checks there were."""
    return f"{sum(result.checks for result in results):,}"
