"""Renders a terminal's cells as a picture."""

from __future__ import annotations

import os
from collections.abc import Iterator
from html import escape
from itertools import groupby
from pathlib import Path

import pyte
from pyte.screens import Char

PICTURES = Path(os.environ.get("LLM_LSP_TEST_PICTURES", "build/pictures"))
CELL_WIDTH, CELL_HEIGHT = 8.4, 18
FOREGROUND, BACKGROUND, CURSOR = "#d4d4d4", "#1e1e1e", "#aeafad"
# pyte's names of the first sixteen; it writes all others as six hexadecimal digits.
COLOURS = {
    "black": "#1e1e1e",
    "red": "#f48771",
    "green": "#89d185",
    "brown": "#cca700",
    "blue": "#6796e6",
    "magenta": "#c586c0",
    "cyan": "#4ec9b0",
    "white": "#d4d4d4",
    "brightblack": "#808080",
    "brightred": "#f48771",
    "brightgreen": "#b5cea8",
    "brightbrown": "#dcdcaa",
    "brightblue": "#9cdcfe",
    "brightmagenta": "#c586c0",
    "brightcyan": "#4ec9b0",
    "brightwhite": "#ffffff",
}


def save(screen: pyte.Screen, name: str) -> None:
    """Write the picture of a screen into the folder of pictures."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    (PICTURES / f"{name}.svg").write_text(svg(screen), encoding="utf-8")


def svg(screen: pyte.Screen) -> str:
    """Draw a screen, with its cursor."""
    width, height = screen.columns * CELL_WIDTH, screen.lines * CELL_HEIGHT
    shapes = [f'<rect width="{width:g}" height="{height:g}" fill="{BACKGROUND}"/>']
    for row in range(screen.lines):
        shapes += _row(row, [screen.buffer[row][column] for column in range(screen.columns)])
    cursor = (
        f'<rect x="{screen.cursor.x * CELL_WIDTH:g}" y="{screen.cursor.y * CELL_HEIGHT}" '
        f'width="{CELL_WIDTH}" height="{CELL_HEIGHT}" fill="{CURSOR}" opacity="0.5"/>'
    )
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}" font-family="monospace" font-size="14">'
    )
    return "\n".join([head, *shapes, cursor, "</svg>", ""])


def _row(row: int, cells: list[Char]) -> Iterator[str]:
    column = 0
    for style, run in groupby(cells, lambda cell: cell._replace(data="")):
        text = "".join(cell.data for cell in run)
        x, y, width = column * CELL_WIDTH, row * CELL_HEIGHT, len(text) * CELL_WIDTH
        column += len(text)
        front, back = _colour(style.fg, FOREGROUND), _colour(style.bg, BACKGROUND)
        if style.reverse:
            front, back = back, front
        if back != BACKGROUND:
            yield f'<rect x="{x:g}" y="{y}" width="{width:g}" height="{CELL_HEIGHT}" fill="{back}"/>'
        if text.strip():
            weight = ' font-weight="bold"' if style.bold else ""
            yield (
                f'<text x="{x:g}" y="{y + 14}" fill="{front}" textLength="{width:g}" xml:space="preserve"{weight}>'
                f"{escape(text)}</text>"
            )


def _colour(name: str, default: str) -> str:
    if name == "default":
        return default
    return COLOURS.get(name, f"#{name}")
