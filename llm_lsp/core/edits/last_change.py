"""Determines how a document was last changed: typed, pasted, undone, or changed at several places at once.

Only what is typed at one place predicts what the user does next. Undo and redo are recognized because they
restore a recent text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Edit, Text

# A larger insertion is a paste, a snippet or the work of a tool: Sweep's values (sweepai/vscode-nes, src/).
PASTE_CHARS, PASTE_LINES = 200, 8
# Lines between the edits that a client sends for one key: a line end and the indentation after it.
_ONE_KEY_LINES = 2
# Number of earlier texts that are compared: undo goes back word by word, and rarely further at a time.
MAX_EARLIER = 32


@dataclass(frozen=True, slots=True)
class LastChange:
    """The last change of a document, and the texts before it."""

    edits: tuple[Edit, ...] = ()
    earlier: tuple[Text, ...] = ()
    """Its earlier texts, oldest first."""
    changed_at: float = float("-inf")

    def edited(self, old: Document, edits: tuple[Edit, ...], now: float) -> LastChange:
        """Add edits of `old`."""
        return replace(self, edits=edits, earlier=(*self.earlier, old.text)[-MAX_EARLIER:], changed_at=now)

    def is_typed(self, text: Text) -> bool:
        """Check whether the user typed the change that led to a text."""
        return not (self.is_pasted or self.is_scattered or self.is_undone(text))

    @property
    def is_pasted(self) -> bool:
        """Whether more was inserted at once than can be typed."""
        return any(len(edit.text) > PASTE_CHARS or edit.text.count("\n") > PASTE_LINES for edit in self.edits)

    @property
    def is_scattered(self) -> bool:
        """Whether several places were edited at once."""
        lines = [edit.start.line for edit in self.edits]
        return bool(lines) and (max(lines) - min(lines) > _ONE_KEY_LINES or _is_repeated(self.edits))

    def is_undone(self, text: Text) -> bool:
        """Check whether a text is one of the earlier ones."""
        return any(
            other.size == text.size and other.line_count == text.line_count and _same(other, text)
            for other in self.earlier
        )


def _is_repeated(edits: Sequence[Edit]) -> bool:
    """Check whether the same text was inserted on several lines, as with multiple cursors."""
    places = {(edit.start.line, edit.text) for edit in edits if edit.text.strip()}
    return len(places) > len({text for _, text in places})


def _same(one: Text, other: Text) -> bool:
    # Versions share the blocks that no edit has touched.
    if len(one.blocks) == len(other.blocks):
        pairs = zip(one.blocks, other.blocks, strict=True)
        if all(mine is theirs or mine == theirs for mine, theirs in pairs):
            return True
    return str(one) == str(other)
