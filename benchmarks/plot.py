"""Draws bars, as an SVG that reads on a light page and on a dark one."""

from collections.abc import Mapping
from html import escape

COLOURS = ("#3b82c4", "#d9822b", "#4a9d6f")
BAR, GAP, LEFT, WIDTH, LEGEND = 11, 12, 120, 520, 140


def bars(title: str, groups: Mapping[str, Mapping[str, float]], unit: str = "") -> str:
    """Return an SVG with a group of bars for each name; the names of the bars in a group are the legend."""
    names = list(next(iter(groups.values())))
    longest = max(value for group in groups.values() for value in group.values())
    parts = [_text(0, 16, title, "style='font-weight:bold'")]
    for index, name in enumerate(names):
        x = LEFT + LEGEND * index
        parts += [_bar(x, 28, 10, index), _text(x + 16, 37, name)]
    top = 54
    for label, group in groups.items():
        parts.append(_text(LEFT - 8, top + BAR * len(names) / 2 + 4, label, "text-anchor='end'"))
        for index, name in enumerate(names):
            y, length = top + BAR * index, WIDTH * group[name] / longest
            parts += [_bar(LEFT, y, length, index), _text(LEFT + length + 5, y + 9, f"{group[name]:.2f}{unit}")]
        top += BAR * len(names) + GAP
    width = LEFT + WIDTH + 60
    head = f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {top}' width='{width}'>"
    style = "<style>text{font:11px sans-serif;fill:#777}</style>"
    return "\n".join([head, style, *parts, "</svg>", ""])


def _text(x: float, y: float, content: str, options: str = "") -> str:
    return f"<text x='{x:.0f}' y='{y:.0f}' {options}>{escape(content)}</text>"


def _bar(x: float, y: float, length: float, index: int) -> str:
    return f"<rect x='{x:.0f}' y='{y:.0f}' width='{length:.1f}' height='{BAR - 2}' fill='{COLOURS[index]}'/>"
