"""How a predicted edit compares with what a commit goes on to do."""

from __future__ import annotations

from dataclasses import dataclass

from llm_lsp.core.edits.next_edit import NextEdit
from llm_lsp.core.text.text import Text
from llm_lsp.evaluation.corpus.commit_history import Hunk
from llm_lsp.evaluation.edits.states import EditState
from llm_lsp.evaluation.report.scoring import similarity

# Keys that accepting takes: Tab to go there, Tab to accept.
ACCEPT_KEYS = 2


@dataclass(frozen=True, slots=True)
class JudgedEdit:
    """An edit, and what is right about it."""

    kind: str
    confidence: float
    distance: int | None
    """Lines to the nearest hunk that is still to come, 0 inside of it; None if there is none in the file."""
    is_exact: bool
    """The lines that it makes are lines that the commit makes there."""
    similarity: float
    """Of the lines that it makes to those that the commit makes in that hunk; 0 outside of all hunks."""
    reverts: bool
    """It makes lines what they were before the user changed them."""
    keys_saved: int
    """Keys that typing the change takes more than accepting it; 0 if it is not exact."""


def judge(state: EditState, edit: NextEdit) -> JudgedEdit:
    """Compare an edit with the hunks that are still to come."""
    old, new, first = _lines(state.document.text, edit)
    hunk = _hunk_at(state, first, first + len(old))
    is_exact = hunk is not None and _holds(hunk.new, new)
    return JudgedEdit(
        kind=edit.kind.value,
        confidence=edit.confidence,
        distance=min((_distance(each, first, first + len(old)) for each in state.remaining), default=None),
        is_exact=is_exact,
        similarity=_best_similarity(hunk.new, new) if hunk else 0.0,
        reverts=_reverts(state, old, new),
        keys_saved=max(0, len(edit.old) + len(edit.new) - ACCEPT_KEYS) if is_exact else 0,
    )


def _lines(text: Text, edit: NextEdit) -> tuple[tuple[str, ...], tuple[str, ...], int]:
    """Return the lines that an edit touches, those that it makes of them, and the first one's number."""
    first, last = edit.start.line, edit.end.line
    if edit.end.column == 0 and edit.end.line > first:
        last -= 1  # whole lines: the next one is not touched
    old = text.lines(first, last + 1)
    made = text.edit(edit.start, edit.end, edit.new)
    grown = made.line_count - text.line_count
    new = made.lines(first, last + 1 + grown)
    while old and new and old[0] == new[0]:
        old, new, first = old[1:], new[1:], first + 1
    while old and new and old[-1] == new[-1]:
        old, new = old[:-1], new[:-1]
    return tuple(old), tuple(new), first


def _hunk_at(state: EditState, first: int, stop: int) -> Hunk | None:
    """Return the hunk that some lines belong to; for an insertion, one that begins or goes on there."""
    for hunk in state.remaining:
        end = hunk.start + len(hunk.old)
        if hunk.start <= first and stop <= max(end, hunk.start):
            return hunk
    return None


def _distance(hunk: Hunk, first: int, stop: int) -> int:
    end = hunk.start + max(1, len(hunk.old))
    return max(0, hunk.start - max(first, stop - 1), first - (end - 1))


def _holds(lines: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    """Check whether some lines stand together among others; no lines, if the others are none either."""
    if not wanted:
        return not lines
    return any(lines[at : at + len(wanted)] == wanted for at in range(len(lines) - len(wanted) + 1))


def _best_similarity(lines: tuple[str, ...], made: tuple[str, ...]) -> float:
    size = max(1, len(made))
    pieces = ["".join(lines[at : at + size]) for at in range(max(1, len(lines) - size + 1))]
    return max(similarity(piece, "".join(made)) for piece in pieces)


def _reverts(state: EditState, old: tuple[str, ...], new: tuple[str, ...]) -> bool:
    changes = [
        change
        for burst in state.history.bursts
        if burst.after.uri == state.document.uri and (change := burst.change())
    ]
    return any(_holds(change.new, old) and _holds(change.old, new) for change in changes)
