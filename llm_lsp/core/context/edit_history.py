"""The edit history: where the user has been, and what they changed. All times are arguments.

Texts are persistent, so a visited place is a snapshot and a line number, and typing copies nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Edit, Point, Text

# As in llama.vim: 16 chunks of half its 64 lines; a move of more than 32 lines counts as leaving a place.
MAX_VISITS = 16
CHUNK_LINES = 32
JUMP_LINES = 32
# As in cursortab.nvim: edits within 8 lines belong together, and the last 5 are kept for 5 minutes.
NEAR_LINES = 8
MAX_BURSTS = 6
FRESH_S = 300.0
# Lines. A larger change is a paste, checkout or formatting, and does not predict what comes next.
MAX_CHANGED_LINES = 24


@dataclass(frozen=True, slots=True)
class ChangedLines:
    """Lines before and after a change, with line ends; first and last lines differ."""

    start: int
    """The first changed line, the same before and after."""
    old: tuple[str, ...]
    new: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EditBurst:
    """Edits close to each other in one document, as its text before and after; the rest of the text is
    unchanged.
    """

    before: Document
    after: Document
    above: int
    """Number of unchanged lines at the start."""
    below: int
    """Number of unchanged lines at the end."""
    edited_at: float

    def takes(self, document: Document, edits: tuple[Edit, ...]) -> bool:
        """Check whether edits continue this burst; `document` is the text before them."""
        if document is not self.after:
            return False
        last = document.text.line_count - self.below
        return all(self.above - NEAR_LINES <= edit.start.line < last + NEAR_LINES for edit in edits)

    def with_edits(self, document: Document, edits: tuple[Edit, ...], now: float) -> EditBurst:
        """Add edits that led to `document`."""
        above, below = _untouched(self.after.text, edits)
        return EditBurst(self.before, document, min(self.above, above), min(self.below, below), now)

    def changed(self) -> tuple[list[str], list[str]] | None:
        """Return the lines before and after, with line ends; None if only blanks changed, or too much."""
        found = self.change()
        if found is None or _texts(found.old) == _texts(found.new):
            return None
        return list(found.old), list(found.new)

    def change(self) -> ChangedLines | None:
        """Return the changed lines and their position; None if nothing changed, or too much."""
        old, new = self.before.text, self.after.text
        # Overlapping edits are counted separately, which may exceed the number of lines.
        below = min(self.below, old.line_count - self.above, new.line_count - self.above)
        stops = old.line_count - below, new.line_count - below
        if max(stops) - self.above > MAX_CHANGED_LINES:
            return None
        return _different(self.above, old.lines(self.above, stops[0]), new.lines(self.above, stops[1]))

    def line_after(self, line: int) -> int:
        """Return the position of an earlier line in the text after; approximate if it was changed."""
        old, new = self.before.text.line_count, self.after.text.line_count
        return line + new - old if line >= old - self.below else line

    def lasts(self, first: frozenset[str], now: frozenset[str]) -> bool:
        """Check whether its effect is still visible, given the texts of all lines at first and now.

        Inserted text must exist now; replaced text must have existed at first, unless it exists again.
        """
        changed = self.changed()
        if changed is None:
            return False
        old, new = map(_texts, changed)
        return now.issuperset(new) and (first | now).issuperset(old)

    def lines_above(self, count: int) -> list[str]:
        """Return this many lines of the text after it, above the first change."""
        old, new = self.before.text, self.after.text
        first = self.above
        while first < min(old.line_count, new.line_count) and old.line(first) == new.line(first):
            first += 1
        return new.lines(first - count, first)


@dataclass(frozen=True, slots=True)
class Visit:
    """A place that the user visited."""

    document: Document
    line: int

    def chunk(self) -> tuple[int, list[str]]:
        """Return the lines around the place, and the number of the first."""
        start = max(0, self.line - CHUNK_LINES // 2)
        return start, self.document.text.lines(start, start + CHUNK_LINES)


@dataclass(frozen=True, slots=True)
class EditHistory:
    """The last visited places and changes, oldest first."""

    visits: tuple[Visit, ...] = ()
    bursts: tuple[EditBurst, ...] = ()

    def at(self, document: Document, point: Point) -> EditHistory:
        """Return the history with the user at a place; it replaces the last place if that is close."""
        visit = Visit(document, point.line)
        last = self.visits[-1] if self.visits else None
        if last and last.document.uri == document.uri and abs(last.line - point.line) <= JUMP_LINES:
            return replace(self, visits=(*self.visits[:-1], visit))
        return replace(self, visits=(*self.visits, visit)[-MAX_VISITS:])

    def edited(self, old: Document, document: Document, edits: tuple[Edit, ...], now: float) -> EditHistory:
        """Return the history with edits that turned `old` into `document`."""
        if not edits:
            return self
        there = self.at(document, edits[-1].start)
        last = self.bursts[-1] if self.bursts else None
        if last and last.takes(old, edits):
            return replace(there, bursts=(*self.bursts[:-1], last.with_edits(document, edits, now)))
        above, below = _untouched(old.text, edits)
        burst = EditBurst(old, document, above, below, now)
        return replace(there, bursts=(*self.bursts, burst)[-MAX_BURSTS:])

    def without(self, uri: str) -> EditHistory:
        """Return the history without a document that was closed."""
        visits = tuple(visit for visit in self.visits if visit.document.uri != uri)
        return EditHistory(visits, tuple(burst for burst in self.bursts if burst.after.uri != uri))

    def as_of(self, documents: Iterable[Document]) -> EditHistory:
        """Return the parts that are still true for the documents as they are now, without discarded changes.

        Reads whole documents, so it must not run at a keystroke.
        """
        current = {document.uri: document for document in documents}
        visits = (
            replace(visit, document=current[visit.document.uri])
            for visit in self.visits
            if visit.document.uri in current
        )
        bursts = [burst for burst in self.bursts if burst.after.uri in current]
        oldest = {burst.before.uri: burst.before for burst in reversed(bursts)}
        first = {uri: _texts_of(document) for uri, document in oldest.items()}
        now = {uri: _texts_of(current[uri]) for uri in oldest}
        lasting = (burst for burst in bursts if burst.lasts(first[burst.after.uri], now[burst.after.uri]))
        return EditHistory(tuple(visits), tuple(lasting))

    def place_in(self, document: Document) -> Point:
        """Return the last visited position in a document, or its start if there is none."""
        lines = (visit.line for visit in reversed(self.visits) if visit.document.uri == document.uri)
        return document.text.clamp(Point(next(lines, 0), 0))

    def fresh_bursts(self, now: float) -> tuple[EditBurst, ...]:
        """Return the changes that are recent enough."""
        return tuple(burst for burst in self.bursts if now - burst.edited_at <= FRESH_S)


def _different(start: int, old: list[str], new: list[str]) -> ChangedLines | None:
    """Remove the common lines at both ends of two pieces; None if nothing is left."""
    while old and new and old[-1] == new[-1]:
        old, new = old[:-1], new[:-1]
    while old and new and old[0] == new[0]:
        old, new, start = old[1:], new[1:], start + 1
    return ChangedLines(start, tuple(old), tuple(new)) if old or new else None


def _texts(lines: Iterable[str]) -> list[str]:
    """Return the texts of lines, without indentation, line ends and blank lines."""
    return [text for line in lines if (text := line.strip())]


def _texts_of(document: Document) -> frozenset[str]:
    return frozenset(_texts(document.text.lines(0, document.text.line_count)))


def _untouched(text: Text, edits: tuple[Edit, ...]) -> tuple[int, int]:
    """Return the number of unchanged lines at the start and at the end of a text."""
    n_lines = above = below = text.line_count
    for edit in edits:
        above = min(above, edit.start.line)
        below = min(below, n_lines - 1 - edit.end.line)
        if edit is not edits[-1]:
            n_lines += Text.of(edit.text).line_count - 1 - (edit.end.line - edit.start.line)
    return above, max(0, below)
