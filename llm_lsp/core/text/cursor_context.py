"""The text around a cursor, which identifies a place without line numbers, so that edits elsewhere do not
matter.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Point, Text, common_start

# Non-blank lines above the cursor that identify a place, as in Cody's cache.
ABOVE_LINES = 5
# Lines that are searched for them, so that many blank lines take limited time.
LOOK_LINES = 64
# A longer line is identified by its end: from the last multiple of this many columns that leaves at least half of it.
LONG_LINE_COLUMNS = 2048
# Characters typed along a text that are still recognized: llama.vim's value.
LOOK_BACK_CHARS = 128
# Lines of a generation that can be typed or accepted one after the other.
FORWARD_LINES = 16
# Characters after the cursor that do not change the answer: what editors close automatically, and line ends.
INERT_REST = " \t)]}>\"'`;,:）】」』；，："


@dataclass(frozen=True, slots=True)
class ContextKey:
    """The lines around a place, without the current one."""

    uri: str
    above: tuple[str, ...]
    """Up to five non-blank lines above, nearest last; then "" if the line directly above is blank."""
    below: str
    """The next non-blank line below."""


@dataclass(frozen=True, slots=True)
class CursorContext:
    """A place: the lines around it, and the current line."""

    context_key: ContextKey
    cut: int
    """Columns of a long line that `line_prefix` leaves out."""
    line_prefix: str
    rest: str
    """The rest of the line, "" if it does not matter."""


def cursor_context_at(document: Document, point: Point) -> CursorContext:
    """Return the context of a cursor, reading a limited number of lines."""
    text = document.text
    line = text.line(point.line)
    cut = max(0, (point.column - LONG_LINE_COLUMNS // 2) // LONG_LINE_COLUMNS) * LONG_LINE_COLUMNS
    rest = line[point.column : point.column + LONG_LINE_COLUMNS].strip(INERT_REST)
    context_key = ContextKey(document.uri, _lines_above(text, point.line), _line_below(text, point.line))
    return CursorContext(context_key, cut, line[cut : point.column], rest)


def typed_since(base: CursorContext, text: str, now: CursorContext) -> str | None:
    """Return what was typed at `now` since `base`, if it agrees with the text generated at `base`; else None.

    It agrees if one of the two begins with the other. None if the user moved away or typed something else; "" if
    nothing was typed.
    """
    for start, typed in _typed_from(base, text, now):
        remaining = text[start:]
        if remaining.startswith(typed) or typed.startswith(remaining):
            return text[:start] + typed
    return None


class Followed(NamedTuple):
    """How far the user has typed along a shown text."""

    chars: int
    """Number of its characters that were typed."""
    missed: bool
    """Whether something else was typed after them."""


def followed(base: CursorContext, text: str, now: CursorContext) -> Followed | None:
    """Return how far the user followed a text shown at `base`; None if the cursor is elsewhere."""
    found: Followed | None = None
    for start, typed in _typed_from(base, text, now):
        rest = text[start:]
        along = common_start(typed, rest)
        if along == min(len(typed), len(rest)):
            return Followed(start + along, False)
        found = max(Followed(start + along, True), found or Followed(0, True))
    return found


def _typed_from(base: CursorContext, text: str, now: CursorContext) -> Iterator[tuple[int, str]]:
    """Yield each offset in a text at whose place `now` may be, with what was typed there since."""
    if (
        base.context_key.uri != now.context_key.uri
        or base.rest != now.rest
        or base.context_key.below != now.context_key.below
    ):
        return
    for place, start in continuations(base, text):
        is_there = place.context_key == now.context_key and place.cut == now.cut
        if is_there and now.line_prefix.startswith(place.line_prefix):
            yield start, now.line_prefix[len(place.line_prefix) :]


def continuations(base: CursorContext, text: str) -> Iterator[tuple[CursorContext, int]]:
    """Yield the places along a text generated at `base`: `base` itself, then the start of each further line.

    Each comes with the offset in `text` from which the text continues there.
    """
    yield base, 0
    above = base.context_key.above
    line = base.line_prefix
    start = 0
    for _ in range(FORWARD_LINES):
        end = text.find("\n", start)
        if end < 0:
            return
        above = _push(above, line + text[start:end])
        start = end + 1
        line = ""
        yield (
            CursorContext(ContextKey(base.context_key.uri, above, base.context_key.below), 0, "", base.rest),
            start,
        )


def _push(above: tuple[str, ...], line: str) -> tuple[str, ...]:
    lines = above[:-1] if above and not above[-1] else above
    line = line.rstrip()
    if not line:
        return (*lines, "")
    return (*lines, line)[-ABOVE_LINES:]


def _lines_above(text: Text, line_idx: int) -> tuple[str, ...]:
    lines = text.lines(line_idx - LOOK_LINES, line_idx)
    found: list[str] = []
    for line in reversed(lines):
        if kept := line[-LONG_LINE_COLUMNS:].rstrip():
            found.append(kept)
        if len(found) == ABOVE_LINES:
            break
    blank = [""] if lines and not lines[-1][-LONG_LINE_COLUMNS:].rstrip() else []
    return (*reversed(found), *blank)


def _line_below(text: Text, line_idx: int) -> str:
    below = text.lines(line_idx + 1, line_idx + 1 + LOOK_LINES)
    stripped = (line[:LONG_LINE_COLUMNS].strip() for line in below)
    return next(filter(None, stripped), "")
