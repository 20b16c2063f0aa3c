"""Draws bars, as an SVG file that reads on a light page and on a dark one."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

COLOURS = ("#3b82c4", "#d9822b", "#4a9d6f")
BAR, GAP, LEFT, WIDTH = 11, 12, 290, 430


def draw(path: Path, title: str, values: Mapping[str, Mapping[str, float]]) -> None:
    """Write a bar for each value, in groups with a name each; a value's own name is in the legend."""
    names = list(next(iter(values.values())))
    longest = max(value for group in values.values() for value in group.values())
    parts = [text(0, 16, title, "font-weight='bold'")]
    for index, name in enumerate(names):
        x = LEFT + 110 * index
        parts += [_bar(x, 28, 10, index), text(x + 16, 37, name)]
    top = 54
    for label, group in values.items():
        parts.append(text(LEFT - 8, top + BAR * len(names) / 2 + 4, label, "text-anchor='end'"))
        for index, name in enumerate(names):
            length = WIDTH * group[name] / longest
            y = top + BAR * index
            parts += [_bar(LEFT, y, length, index), text(LEFT + length + 5, y + 9, f"{group[name]:.2f}")]
        top += BAR * len(names) + GAP
    save(path, (LEFT + WIDTH + 50, top), "text{font:11px sans-serif;fill:#777}", parts)


def save(path: Path, size: tuple[int, int], style: str, parts: Sequence[str]) -> None:
    """Write an SVG file of that width and height in pixels."""
    width, height = size
    head = f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' width='{width}'>"
    path.write_text("\n".join([head, f"<style>{style}</style>", *parts, "</svg>", ""]), encoding="utf-8")


def text(x: float, y: float, content: str, options: str = "") -> str:
    """Give a text that begins at that place."""
    return f"<text x='{x:.0f}' y='{y:.0f}' {options}>{escape(content)}</text>"


def _bar(x: float, y: float, length: float, index: int) -> str:
    return f"<rect x='{x:.0f}' y='{y:.0f}' width='{length:.1f}' height='{BAR - 2}' fill='{COLOURS[index]}'/>"
