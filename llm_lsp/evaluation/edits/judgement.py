"""Compares a predicted edit with the changes that a commit has still to make."""

from __future__ import annotations

from dataclasses import dataclass

from llm_lsp.core.edits.next_edit import NextEdit
from llm_lsp.core.text.text import Text
from llm_lsp.evaluation.corpus.commit_history import Hunk
from llm_lsp.evaluation.edits.states import EditState
from llm_lsp.evaluation.report.scoring import similarity

# Keystrokes to accept an edit: Tab to jump to it, Tab to accept.
ACCEPT_KEYS = 2


@dataclass(frozen=True, slots=True)
class JudgedEdit:
    """An edit and its assessment."""

    kind: str
    confidence: float
    distance: int | None
    """Lines to the nearest remaining hunk, 0 inside of it; None if the file has none."""
    is_exact: bool
    """Whether its lines are lines that the commit makes there."""
    similarity: float
    """Similarity of its lines to those that the commit makes in that hunk; 0 outside of all hunks."""
    reverts: bool
    """Whether it restores lines that the user has changed."""
    keys_saved: int
    """Keystrokes saved by accepting instead of typing the change; 0 if it is not exact."""


def judge(state: EditState, edit: NextEdit) -> JudgedEdit:
    """Compare an edit with the remaining hunks."""
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
    """Return the lines that an edit changes, their replacement, and the first one's number."""
    first, last = edit.start.line, edit.end.line
    if edit.end.column == 0 and edit.end.line > first:
        last -= 1  # the edit covers whole lines, so the next one is unchanged
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
    """Return the hunk that contains these lines; for an insertion, the hunk that begins or continues there."""
    for hunk in state.remaining:
        end = hunk.start + len(hunk.old)
        if hunk.start <= first and stop <= max(end, hunk.start):
            return hunk
    return None


def _distance(hunk: Hunk, first: int, stop: int) -> int:
    end = hunk.start + max(1, len(hunk.old))
    return max(0, hunk.start - max(first, stop - 1), first - (end - 1))


def _holds(lines: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    """Check whether `lines` contains `wanted` as consecutive lines; if either is empty, whether both are."""
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
