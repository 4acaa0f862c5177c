"""Draws plots as SVG from plain numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

# Pixels. Labels are above what they name, because they can be as long as a setting with its value.
WIDTH = 760
LEFT, RIGHT = 10, 70
ROW_HEIGHT = 44
LEGEND_HEIGHT = 20
CURVE_HEIGHT = 220
AXIS_HEIGHT = 24
TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True, slots=True)
class PlotBar:
    """A share from 0 to 1 with its confidence interval."""

    label: str
    share: float
    low: float
    high: float
    colour: int
    """Index into the page's colours."""


def shares(bars: Sequence[PlotBar]) -> str:
    """Draw shares as horizontal bars with their intervals as whiskers."""
    height = ROW_HEIGHT * len(bars)
    parts = [_grid(0, height)]
    for idx, bar in enumerate(bars):
        top = ROW_HEIGHT * idx
        middle = top + 28
        parts += [
            _text(LEFT, top + 14, bar.label, "start"),
            f'<rect class="c{bar.colour}" x="{LEFT}" y="{middle - 8}" width="{_x(bar.share) - LEFT:.1f}" height="16"/>',
            f'<line class="whisker" x1="{_x(bar.low):.1f}" x2="{_x(bar.high):.1f}" y1="{middle}" y2="{middle}"/>',
            _text(WIDTH - RIGHT + 12, middle + 4, f"{100 * bar.share:.1f} %", "start"),
        ]
    return _svg(height + AXIS_HEIGHT, parts)


def curves(values: Mapping[str, Sequence[float]], unit: str) -> str:
    """Draw for each name the cumulative distribution of its values."""
    longest = max((max(some) for some in values.values() if some), default=0.0) or 1.0
    top = LEGEND_HEIGHT * len(values) + 8
    parts = [_grid(top, CURVE_HEIGHT, [f"{longest * tick:.2g} {unit}" for tick in TICKS])]
    for colour, (name, some) in enumerate(values.items()):
        ordered = sorted(some)
        points = [(0.0, 0.0)]
        for idx, value in enumerate(ordered):
            points += [(value, idx / len(ordered)), (value, (idx + 1) / len(ordered))]
        places = " ".join(f"{_x(x / longest):.1f},{top + CURVE_HEIGHT * (1 - y):.1f}" for x, y in points)
        parts += [
            f'<polyline class="curve s{colour}" points="{places}"/>',
            f'<rect class="c{colour}" x="{LEFT}" y="{LEGEND_HEIGHT * colour + 4}" width="10" height="10"/>',
            _text(LEFT + 16, LEGEND_HEIGHT * colour + 14, name, "start"),
        ]
    return _svg(top + CURVE_HEIGHT + AXIS_HEIGHT, parts)


def line_plot(points: Sequence[tuple[float, float]], across: str, up: str) -> str:
    """Draw a line through points whose coordinates are shares, with a dot at each; both axes have labels."""
    widest = max((x for x, _ in points), default=0.0) or 1.0
    top = LEGEND_HEIGHT
    places = [(_x(x / widest), top + CURVE_HEIGHT * (1 - y)) for x, y in points]
    joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    parts = [
        _grid(top, CURVE_HEIGHT, [f"{100 * widest * tick:.3g} %" for tick in TICKS]),
        _text(LEFT, top - 6, f"{up}, 0 to 100 %, by {across}", "start"),
        f'<polyline class="curve s0" points="{joined}"/>',
        *(f'<circle class="c0" cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in places),
    ]
    return _svg(top + CURVE_HEIGHT + AXIS_HEIGHT, parts)


def _grid(top: int, height: int, labels: Sequence[str] = ("0", "25 %", "50 %", "75 %", "100 %")) -> str:
    bottom = top + height
    lines = [
        f'<line class="grid" x1="{_x(tick):.1f}" x2="{_x(tick):.1f}" y1="{top}" y2="{bottom}"/>'
        + _text(_x(tick), bottom + 18, label, "start" if tick == 0 else "middle")
        for tick, label in zip(TICKS, labels, strict=True)
    ]
    return "".join(lines)


def _x(share: float) -> float:
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def _text(x: float, y: float, text: str, cursor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{cursor}">{escape(text)}</text>'


def _svg(height: int, parts: Sequence[str]) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" role="img">{"".join(parts)}</svg>'
