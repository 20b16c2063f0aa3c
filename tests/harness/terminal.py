"""Records a terminal session as an animated SVG: `make picture` writes docs/terminal.svg.

It copies the template, serves the project and calls it, for real; only waiting is cut short.
"""

import os
import pty
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from itertools import groupby
from pathlib import Path

import pyte
import yaml

from tests.harness.variants import ROOT
from tests.updates.releases import this_version

URL = "https://github.com/copier-fastapi-sqlalchemy/copier-fastapi-sqlalchemy"
PICTURE = ROOT / "docs/terminal.svg"
COLUMNS, ROWS = 100, 30
LONGEST_PAUSE = 0.8  # seconds
END_PAUSE = 5.0
IDLE = 0.7  # seconds without output, after which a question is answered
DOWN, ENTER = "\x1b[B", "\r"
# What is typed where a question is not answered by Enter.
KEYS = {"database": DOWN + ENTER}
LONGEST_SILENCE = 120.0  # seconds, after which a command hangs
COLOURS = {
    "default": "#d8dee9",
    "green": "#a3be8c",
    "cyan": "#88c0d0",
    "blue": "#81a1c1",
    "brown": "#ebcb8b",
    "red": "#bf616a",
    "magenta": "#b48ead",
}
LINE_HEIGHT, CHARACTER_WIDTH, MARGIN = 18, 8.4, 14


@dataclass
class Recording:
    """What the screen showed, and for how long."""

    screen: pyte.Screen = field(default_factory=lambda: pyte.Screen(COLUMNS, ROWS))
    frames: list[tuple[float, list[str]]] = field(default_factory=list)
    now: float = 0.0

    def __post_init__(self) -> None:
        """Feed what is shown to the screen."""
        self.stream = pyte.Stream(self.screen)

    def show(self, text: str, pause: float) -> None:
        """Add `text` to the screen, `pause` seconds after what was shown before."""
        self.now += min(pause, LONGEST_PAUSE)
        self.stream.feed(text)
        self.frames.append((self.now, [self._row(number) for number in range(ROWS)]))

    def type(self, command: str) -> None:
        """Show a prompt, and a command that is typed at it."""
        self.show("\x1b[32m$\x1b[0m ", LONGEST_PAUSE)
        for start in range(0, len(command), 4):
            self.show(command[start : start + 4], 0.08)
        self.show("\r\n", 0.4)

    def _row(self, number: int) -> str:
        """Give a row of the screen as the inside of a `text` element."""
        cells = [self.screen.buffer[number][column] for column in range(COLUMNS)]
        parts = []
        for (colour, bold), run in groupby(cells, lambda cell: (cell.fg, cell.bold)):
            text = escape("".join(cell.data for cell in run))
            weight = ' font-weight="bold"' if bold else ""
            parts.append((text, f'<tspan fill="{COLOURS.get(colour, COLOURS["default"])}"{weight}>{text}</tspan>'))
        while parts and not parts[-1][0].strip():
            parts.pop()
        return "".join(markup for _, markup in parts)


def keys() -> list[str]:
    """Give the keys for each question that is asked: PostgreSQL, and all else as it is."""
    questions = yaml.safe_load((ROOT / "copier.yml").read_text(encoding="utf-8"))
    asked = [
        name
        for name, question in questions.items()
        if not name.startswith("_") and "when" not in question  # the others are computed, or for other answers
    ]
    return [KEYS.get(name, ENTER) for name in asked]


def run(recording: Recording, command: list[str], folder: Path, answers: list[str], until: str = "") -> None:
    """Run a command in a terminal and record it, until it ends or has shown `until`."""
    ours, theirs = pty.openpty()
    size = {"COLUMNS": str(COLUMNS), "LINES": str(ROWS), "TERM": "xterm-256color", "PROMPT_TOOLKIT_NO_CPR": "1"}
    process = subprocess.Popen(command, cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs, env=os.environ | size)
    os.close(theirs)
    waiting, shown, last = list(answers), "", time.monotonic()
    answered = last
    while True:
        readable, _, _ = select.select([ours], [], [], IDLE)
        if not readable:
            if waiting and shown:
                os.write(ours, waiting.pop(0).encode())
                answered = time.monotonic()
            elif time.monotonic() - max(last, answered) > LONGEST_SILENCE:
                process.kill()
                process.wait()
                os.close(ours)
                sys.exit(f"{command} waits for an answer that `keys` lacks, or does nothing:\n{shown}")
            continue
        try:
            text = os.read(ours, 65536).decode(errors="replace")
        except OSError:  # the command has ended
            break
        if not text:
            break
        now = time.monotonic()
        recording.show(text.replace(str(folder.parent), "~"), now - last)
        last, shown = now, shown + text
        if until and until in shown:
            RUNNING.append(process)
            return
    if process.wait() != 0:
        sys.exit(f"{command} ended with {process.returncode}:\n{shown}")


RUNNING: list[subprocess.Popen[bytes]] = []


def record() -> Recording:
    """Record the session: copy, serve, call."""
    recording = Recording()
    path = f"{ROOT / '.venv/bin'}{os.pathsep}{os.environ['PATH']}"
    os.environ["PATH"] = path
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        folder.chmod(0o755)  # root's PostgreSQL runs as another account
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder / "template")], check=True)
        subprocess.run(["git", "tag", f"v{this_version()}"], cwd=folder / "template", check=True)
        recording.type(f"uvx copier copy {URL} my-service")
        copy = ["copier", "copy", "--quiet", str(folder / "template"), "my-service"]
        run(recording, copy, folder, keys())
        recording.type("cd my-service")
        recording.type("python3 dev.py serve &")
        try:
            run(recording, [sys.executable, "dev.py", "serve"], folder / "my-service", [], "startup complete")
            recording.show("\r\n", LONGEST_PAUSE)
            for call in ("tags?size=1", "users/1"):
                recording.type(f"curl 'http://127.0.0.1:8000/api/v1/{call}'")
                run(recording, ["curl", "-s", f"http://127.0.0.1:8000/api/v1/{call}"], folder, [])
                recording.show("\r\n", 0.1)
        finally:
            for process in RUNNING:
                process.terminate()
                process.wait()
    return recording


def intervals(recording: Recording, row: int) -> Iterator[tuple[str, float, float]]:
    """Give each content of a row with the seconds from which and until which it is shown."""
    end = recording.now + END_PAUSE
    starts = [(lines[row], moment) for moment, lines in recording.frames]
    contents = [next(same) for _, same in groupby(starts, lambda start: start[0])]
    for (content, start), (_, stop) in zip(contents, [*contents[1:], ("", end)], strict=True):
        if content:
            yield content, start, stop


def draw(recording: Recording) -> str:
    """Give the recording as an SVG that repeats for ever."""
    total = recording.now + END_PAUSE
    width, height = round(COLUMNS * CHARACTER_WIDTH + 2 * MARGIN), ROWS * LINE_HEIGHT + 2 * MARGIN
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-size="14" '
            'font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace">'
        ),
        f'<rect width="{width}" height="{height}" rx="8" fill="#2e3440"/>',
    ]
    for row in range(ROWS):
        y = MARGIN + (row + 0.75) * LINE_HEIGHT
        for content, start, stop in intervals(recording, row):
            times = f"0;{start / total:.4f};{min(stop / total, 1):.4f}"
            parts.append(
                f'<text x="{MARGIN}" y="{y:.0f}" xml:space="preserve" visibility="hidden">{content}'
                f'<animate attributeName="visibility" values="hidden;visible;hidden" keyTimes="{times}" '
                f'calcMode="discrete" dur="{total:.1f}s" repeatCount="indefinite"/></text>'
            )
    return "\n".join([*parts, "</svg>", ""])


def main() -> None:
    """Write the picture."""
    PICTURE.write_text(draw(record()), encoding="utf-8")
    print(f"{PICTURE.relative_to(ROOT)}: {PICTURE.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main()
