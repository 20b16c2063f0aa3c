"""Draws bars and lines, as SVG that reads on a light page and on a dark one."""

import itertools
from collections.abc import Mapping, Sequence
from html import escape

COLOURS = ("#3b82c4", "#d9822b", "#4a9d6f", "#a05fb5", "#999999")
BAR, GAP, LEFT, WIDTH, LEGEND = 11, 12, 120, 520, 140
AXIS, TOP, HEIGHT, STEPS = 50, 54, 240, 4


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
    return _svg(LEFT + WIDTH + 60, top, parts)


def lines(title: str, places: Sequence[str], series: Mapping[str, Sequence[float]]) -> str:
    """Return an SVG with a line for each name, through its value at each place; the names are the legend."""
    step = _step(max(max(values) for values in series.values()) / STEPS)
    scale = HEIGHT / step / STEPS
    xs = [AXIS + (LEFT + WIDTH - AXIS) * index / (len(places) - 1) for index in range(len(places))]
    bottom = TOP + HEIGHT
    parts = [_text(0, 16, title, "style='font-weight:bold'")]
    for tick in range(STEPS + 1):
        y = bottom - scale * step * tick
        parts += [_text(AXIS - 8, y + 4, f"{step * tick:,.0f}", "text-anchor='end'"), _line([(AXIS, y), (xs[-1], y)])]
    parts += [_text(x, bottom + 18, place, "text-anchor='middle'") for x, place in zip(xs, places, strict=True)]
    for index, (name, values) in enumerate(series.items()):
        x = LEGEND * index
        parts += [_bar(x, 28, 10, index), _text(x + 16, 37, name)]
        points = [(x, bottom - scale * value) for x, value in zip(xs, values, strict=True)]
        parts.append(_line(points, COLOURS[index], 2))
    return _svg(max(LEFT + WIDTH + 20, LEGEND * len(series)), bottom + 28, parts)


def _step(least: float) -> float:
    """Return the least of 1, 2, 5, 10, 20, … that isn't less."""
    return next(
        float(digit * 10**power) for power in itertools.count() for digit in (1, 2, 5) if digit * 10**power >= least
    )


def _svg(width: float, height: float, parts: Sequence[str]) -> str:
    head = f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' width='{width}'>"
    style = "<style>text{font:11px sans-serif;fill:#777}</style>"
    return "\n".join([head, style, *parts, "</svg>", ""])


def _line(points: Sequence[tuple[float, float]], colour: str = "#7774", width: int = 1) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f"<polyline points='{path}' fill='none' stroke='{colour}' stroke-width='{width}'/>"


def _text(x: float, y: float, content: str, options: str = "") -> str:
    return f"<text x='{x:.0f}' y='{y:.0f}' {options}>{escape(content)}</text>"


def _bar(x: float, y: float, length: float, index: int) -> str:
    return f"<rect x='{x:.0f}' y='{y:.0f}' width='{length:.1f}' height='{BAR - 2}' fill='{COLOURS[index]}'/>"
