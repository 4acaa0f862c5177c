"""Chooses the next edit: the nearest one that is certain enough, or the reason why nothing is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import chain

from llm_lsp.core.context.generated_code import HEAD_CHARS, is_generated
from llm_lsp.core.edits.next_edit import NextEdit, Prediction
from llm_lsp.core.edits.rename import renamed_bindings, renames
from llm_lsp.core.edits.repeat import repeats
from llm_lsp.core.edits.situation import Situation
from llm_lsp.core.skip import Reason, Skip
from llm_lsp.core.text.text import Point

# The least confidence of an edit that is shown unasked. Of the edits in eight histories that the rules were set by, 0.77
# were exact from here on, with an edit in 7 of 100 states that had one to come; docs/next-edits.md has the figures.
UNASKED = 0.55
# What git writes at the start of a line where it could not merge.
_CONFLICT = "<<<<<<< "

Refusal = Callable[[NextEdit], Reason | None]
"""Why an edit may not be shown, whatever its confidence."""


def predict(situation: Situation, refusal: Refusal) -> Prediction | Skip:
    """Return the edit to be shown unasked after the last change of a document."""
    if silence := _silence(situation):
        return Skip(silence)
    edits = all_edits(situation)
    if not edits:
        return Skip(Reason.NOTHING_FOLLOWS)
    certain = [edit for edit in edits if edit.confidence >= UNASKED]
    refused = [refusal(edit) for edit in certain]
    shown = [edit for edit, reason in zip(certain, refused, strict=True) if reason is None]
    if not shown:
        return Skip(next(filter(None, refused), Reason.UNCERTAIN))
    places = tuple(edit for edit in shown if edit.kind is shown[0].kind)
    return Prediction(shown[0], places)


def all_edits(situation: Situation) -> tuple[NextEdit, ...]:
    """Return all that may follow from the last change: at most one edit a line, the nearest first, those below first."""
    best: dict[int, NextEdit] = {}
    for edit in _found(situation):
        line = edit.start.line
        if situation.is_just_changed(line) or situation.reverts(line, _line_after(situation, edit)):
            continue
        if line not in best or edit.confidence > best[line].confidence:
            best[line] = edit

    def nearness(edit: NextEdit) -> tuple[bool, int]:
        distance = situation.distance(edit.start.line)
        return distance < 0, abs(distance)

    return tuple(sorted(best.values(), key=nearness))


def _found(situation: Situation) -> Iterable[NextEdit]:
    if situation.change is None:
        return ()
    renamed = renamed_bindings(situation)
    colliding = {(each.old, each.new) for each in renamed if each.collides}
    return chain(renames(situation, renamed), repeats(situation, colliding))


def _silence(situation: Situation) -> Reason | None:
    """Return why nothing is shown in a document, whatever was changed."""
    if not situation.is_typed:
        return Reason.NOT_TYPED
    text = situation.document.text
    if is_generated(text.slice(Point(0, 0), Point(HEAD_CHARS // 20, 0))):
        return Reason.GENERATED
    if any(line.startswith(_CONFLICT) for block in text.blocks for line in block):
        return Reason.CONFLICTED
    return None


def _line_after(situation: Situation, edit: NextEdit) -> str:
    line = situation.document.text.line(edit.start.line)
    return line[: edit.start.column] + edit.new + line[edit.end.column :]
