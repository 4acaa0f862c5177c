"""Decides by the syntax around the cursor whether to complete a line or a block."""

from __future__ import annotations

from typing import Literal

from llm_lsp.core.request import Mode
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.languages import indent_of, language_of, opens_block
from llm_lsp.core.text.text import Point, Text

Multiline = Literal["auto", "never", "always"]

# Blank lines that are skipped to find the next line with text.
LOOK_LINES = 16
# Columns of a long line that are used.
LOOK_COLUMNS = 500
# Characters that editors close automatically; a block may be completed before them.
_CLOSERS = " \t)]}\"'`;,"


def choose_mode(document: Document, point: Point, setting: Multiline, *, manual: bool = False) -> Mode:
    """Return the mode by Cody's rule: a block if an empty one has just been opened, else a line.

    A manual request on a line without text completes everything that is missing there. `StopRule` extends a line to
    a block if the model opens one.
    """
    if setting == "never":
        return Mode.LINE
    text = document.text
    point = text.clamp(point)
    line = text.line(point.line)
    before, after = line[: point.column], line[point.column :]
    if manual and not before.strip():
        return Mode.HOLE
    if setting == "always":
        return Mode.BLOCK
    if after.strip(_CLOSERS):
        return Mode.LINE
    language = language_of(document.language)
    opener = before if before.strip() else _above(text, point.line)
    if not opens_block(opener[-LOOK_COLUMNS:], language):
        return Mode.LINE
    following = _below(text, point.line)
    # The block already has lines if the next line is indented deeper than its opener.
    return Mode.LINE if following and indent_of(following) > indent_of(opener) else Mode.BLOCK


def _above(text: Text, line_idx: int) -> str:
    lines = reversed(text.lines(line_idx - LOOK_LINES, line_idx))
    return next((line for line in lines if line.strip()), "")


def _below(text: Text, line_idx: int) -> str:
    lines = text.lines(line_idx + 1, line_idx + 1 + LOOK_LINES)
    return next((line for line in lines if line.strip()), "")
