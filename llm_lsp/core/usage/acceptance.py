"""Follows a suggestion through the edits after it: accepted, typed or dismissed."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from llm_lsp.core.text.text import Edit, Point
from llm_lsp.core.usage.records import Fate

# Seconds on screen after which a suggestion counts as read (Cody's value); an accepted one always does.
READ_S = 0.75
# Lines above and below an accepted text in which it is looked for later, in case it was moved.
AROUND_LINES = 5
# Characters of an accepted text that are compared; the beginning of a longer one represents all of it.
COMPARED_CHARS = 1000


@dataclass(frozen=True, slots=True)
class TrackedSuggestion:
    """A suggestion on screen: `rest` would be inserted at `at`.

    The user accepts it (in pieces of more than one character), types it, or does something else.
    """

    at: Point
    rest: str
    used: str = ""
    """The accepted part."""
    typed_chars: int = 0

    def after(self, edit: Edit) -> TrackedSuggestion | None:
        """Return it after an edit; None if the user did something else. Edits elsewhere in the document are not
        passed.
        """
        if edit.start.line != self.at.line and edit.end.line < self.at.line:
            return replace(self, at=Point(self.at.line + line_shift(edit), self.at.column))
        if edit.start.line > self.at.line:
            return self
        if edit.start != self.at:
            return None
        n_agreeing = _common_length(edit.text.replace("\r\n", "\n"), self.rest)
        # Editors insert more than was typed if they close brackets: "(" becomes "()".
        if n_agreeing == 0:
            return None
        return self._go_on(n_agreeing)

    @property
    def is_done(self) -> bool:
        """Whether all of it is in the text."""
        return not self.rest

    @property
    def fate(self) -> Fate:
        """Return its outcome, if it ends now."""
        if self.used:
            return "accepted" if self.is_done else "partly"
        return "typed through" if self.is_done else "dismissed"

    def _go_on(self, chars: int) -> TrackedSuggestion:
        text, rest = self.rest[:chars], self.rest[chars:]
        is_taken = chars > 1
        return replace(
            self,
            at=_end(self.at, text),
            rest=rest,
            used=self.used + text if is_taken else self.used,
            typed_chars=self.typed_chars + (0 if is_taken else chars),
        )


def line_shift(edit: Edit) -> int:
    """Return by how many lines an edit moves the text below it down."""
    return edit.text.count("\n") - (edit.end.line - edit.start.line)


def kept_chars(accepted: str, around: str) -> int:
    """Return how many characters of an accepted text remain: its words that occur in `around` in the same order.

    Punctuation and blanks count with their words, because brackets are everywhere and formatters move both. A text
    without words remains completely or not at all.
    """
    ours, theirs = _words(accepted[:COMPARED_CHARS]), _words(around[: 3 * COMPARED_CHARS])
    if not ours:
        return len(accepted) if accepted.strip() in around else 0
    # Imported here: only a suggestion that was edited after it was accepted needs it.
    from difflib import SequenceMatcher

    matches = SequenceMatcher(None, ours, theirs, autojunk=False).get_matching_blocks()
    kept = sum(len(word) for match in matches for word in ours[match.a : match.a + match.size])
    return round(len(accepted) * kept / sum(map(len, ours)))


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text)


def _common_length(one: str, other: str) -> int:
    n_common = 0
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            break
        n_common += 1
    return n_common


def _end(start: Point, text: str) -> Point:
    n_lines = text.count("\n")
    column = len(text) - text.rfind("\n") - 1
    return Point(start.line + n_lines, column if n_lines else start.column + column)
