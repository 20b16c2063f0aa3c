"""Draws sampled stacks as a flame graph: an SVG file that reads on a light page and on a dark one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from benchmarks.plot import save, text

COLOURS = {
    "app": "#4a9d6f",
    "sqlalchemy": "#d9822b",
    "asyncpg": "#a8607e",
    "fastapi": "#3b82c4",
    "starlette": "#6aa9d8",
    "pydantic": "#8b7cc8",
    "pydantic_core": "#8b7cc8",
}
OTHER = "#8a8f98"
WIDTH, ROW, GAP = 900, 15, 1
# What is narrower isn't drawn, in pixels.
LEAST = 1.5
# The width of a letter, in pixels.
LETTER = 6.2

Stacks = Mapping[tuple[str, ...], int]


@dataclass
class Node:
    """A module in a stack, the samples that have it there, and what it calls."""

    samples: int = 0
    called: dict[str, "Node"] = field(default_factory=dict)

    def add(self, stack: tuple[str, ...], samples: int) -> None:
        """Add samples of a stack that begins with what this one calls."""
        self.samples += samples
        if stack:
            self.called.setdefault(stack[0], Node()).add(stack[1:], samples)


def draw(path: Path, title: str, graphs: Mapping[str, Stacks]) -> None:
    """Draw a graph for each name, one under the other, each as wide as the page."""
    parts, top = [text(0, 14, title, "font-weight='bold'")], 2 * ROW
    for name, stacks in graphs.items():
        root = Node()
        for stack, samples in stacks.items():
            root.add(stack, samples)
        drawn: list[str] = []
        depth = _draw(drawn, name, root, 0, top, WIDTH / root.samples, root.samples)
        parts += drawn
        top += (depth + 1) * ROW
    save(path, (WIDTH, top), "text{font:10px sans-serif;fill:#777}rect+text{fill:#fff}", parts)


def _draw(parts: list[str], name: str, node: Node, x: float, y: int, scale: float, whole: int) -> int:
    """Draw a node and what it calls; give the rows that they take."""
    width = node.samples * scale
    if width < LEAST:
        return 0
    colour = COLOURS.get(name.partition(".")[0], OTHER)
    about = f"<title>{escape(name)}: {node.samples / whole:.0%}</title>"
    parts.append(
        f"<rect x='{x:.1f}' y='{y}' width='{width - GAP:.1f}' height='{ROW - GAP}' fill='{colour}'>{about}</rect>"
    )
    letters = int(width / LETTER)
    if letters > len(name) or letters > len("fastapi"):
        parts.append(text(x + 2, y + ROW - 4, name[:letters]))
    depth = 0
    for called, inner in sorted(node.called.items()):
        depth = max(depth, _draw(parts, called, inner, x, y + ROW, scale, whole))
        x += inner.samples * scale
    return depth + 1
