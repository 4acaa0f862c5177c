"""The next edit: a change at another place that follows from the user's last change."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from llm_lsp.core.request import Face, Patience, Trigger
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Point


class EditKind(Enum):
    """What a next edit follows from."""

    REPEAT = "repeat"
    """The same change of tokens elsewhere."""
    RENAME = "rename"
    """A definition was renamed, and its old name is still in use."""
    MODEL = "model"
    """What a model makes of the lines."""


@dataclass(frozen=True, slots=True)
class NextEdit:
    """One change of a document: `new` replaces `old`, which spans `start` to `end`."""

    kind: EditKind
    start: Point
    end: Point
    old: str
    new: str
    confidence: float
    """The share of such edits that were right in the histories used to set up the rules."""

    @property
    def key(self) -> tuple[str, str]:
        """What it changes, wherever it stands."""
        return self.old, self.new


@dataclass(frozen=True, slots=True)
class Prediction:
    """The edit that is shown, and all of its kind that are as certain as one that may be shown, it included."""

    edit: NextEdit
    places: tuple[NextEdit, ...]


@dataclass(frozen=True, slots=True)
class EditRequest:
    """A client's question for the next edit in a document."""

    id: int
    document: Document
    point: Point
    trigger: Trigger
    asked_at: float
    """Seconds of the engine's monotonic clock."""
    face: Face = "edit"

    @property
    def patience(self) -> Patience:
        """How long the user is willing to wait."""
        return Patience.COMMAND if self.trigger is Trigger.MANUAL else Patience.TYPING


@dataclass(frozen=True, slots=True)
class OfferedEdit:
    """A next edit of a document that is offered to the user."""

    id: str
    """Opaque; what an accepted or dismissed edit reports back."""
    document: Document
    edit: NextEdit
    places: tuple[NextEdit, ...]
    """All that are as certain as this one and of its kind, it included."""


def line_edit(kind: EditKind, line: int, old: str, new: str, confidence: float) -> NextEdit:
    """Return the edit that turns one version of a line into another, without their common beginning and end.

    Cuts only between words, so that a reader sees whole names.
    """
    limit = min(len(old), len(new))
    head = next((at for at in range(limit) if old[at] != new[at]), limit)
    while head and (_in_word(old, head) or _in_word(new, head)):
        head -= 1
    limit -= head
    tail = next((at for at in range(limit) if old[-1 - at] != new[-1 - at]), limit)
    while tail and (_in_word(old, len(old) - tail) or _in_word(new, len(new) - tail)):
        tail -= 1
    stop = len(old) - tail
    return NextEdit(
        kind, Point(line, head), Point(line, stop), old[head:stop], new[head : len(new) - tail], confidence
    )


def _in_word(line: str, at: int) -> bool:
    """Check whether a position has letters or digits on both sides."""
    return 0 < at < len(line) and all(char.isalnum() or char == "_" for char in line[at - 1 : at + 1])
