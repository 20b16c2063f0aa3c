"""Measures how long the template takes to render, beside a template of as many plain files.

Run alone as `python -m benchmarks.rendering`.
"""

import argparse
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.process import ratio
from tests.harness.demo import say
from tests.harness.rendering import files_of, snapshot
from tests.harness.scratch import scratch_folder
from tests.harness.variants import Variant, choices

ROUNDS = 9
ALL = choices("mixins")
VARIANTS = [Variant("postgresql", "async", "orm", ALL), Variant("sqlite", "sync", "core", ALL)]


def copy(source: Path, destination: Path, variant: Variant | None = None) -> float:
    """Render a template as its user does, and give the seconds that it took."""
    answers = {} if variant is None else {**variant.answers, "mixins": f"[{', '.join(variant.mixins)}]"}
    data = [part for key, value in answers.items() for part in ("--data", f"{key}={value}")]
    command = [sys.executable, "-m", "copier", "copy", "--quiet", "--defaults", *data, str(source), str(destination)]
    start = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - start


def plain(project: Path, template: Path) -> Path:
    """Make a template of the files of a project as they are."""
    shutil.copytree(project, template / "template")
    (template / "copier.yml").write_text("_subdirectory: template\n", encoding="utf-8")
    return template


def section(folder: Path, rounds: int = ROUNDS) -> list[str]:
    """Measure, and give the lines of the section; `folder` has the template in `source`."""
    lines = ["## Rendering", "", "| variant | files | ours, s | plain files, s | ratio |", "| --- |" + " --- |" * 4]
    for variant in VARIANTS:
        copy(folder / "source", folder / "rendered", variant)
        template = plain(folder / "rendered", folder / "plain")
        ours, others = [], []
        for number in range(rounds):
            for is_ours in (True, False) if number % 2 else (False, True):
                if is_ours:
                    ours.append(copy(folder / "source", folder / "copy", variant))
                else:
                    others.append(copy(template, folder / "copy"))
                shutil.rmtree(folder / "copy")
        seconds = [f"{statistics.median(values):.2f}" for values in (ours, others)]
        count = len(files_of(folder / "rendered"))
        lines.append(f"| {variant.base}, all mixins | {count} | {' | '.join(seconds)} | {ratio(ours, others)} |")
        for made in ("rendered", "plain"):
            shutil.rmtree(folder / made)
    return [*lines, ""]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    with scratch_folder() as folder:
        snapshot(folder / "source")
        say("\n".join(section(folder, options.rounds)))


if __name__ == "__main__":
    main()
