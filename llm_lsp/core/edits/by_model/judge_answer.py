"""Turns a model's answer into the next edit that is shown, or the reason why none is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from llm_lsp.core.context.edit_history import EditBurst
from llm_lsp.core.edits.by_model.cut_edits import cut
from llm_lsp.core.edits.by_model.edit_filters import ProposedEdit, refusal
from llm_lsp.core.edits.by_model.edit_task import EditTask
from llm_lsp.core.edits.next_edit import NextEdit
from llm_lsp.core.generation import Finish
from llm_lsp.core.skip import Reason, Skip
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Text


@dataclass(frozen=True, slots=True)
class EditedPlace:
    """Where an edit is looked for, and what the user did before."""

    document: Document
    line: int
    bursts: tuple[EditBurst, ...]
    """The user's last changes in all documents, oldest first."""
    earlier: tuple[Text, ...]
    """Earlier texts of the document, oldest first."""


def judge_answer(
    task: EditTask,
    answer: str,
    finish: Finish,
    place: EditedPlace,
    refused: Callable[[NextEdit], Reason | None] = lambda edit: None,
) -> NextEdit | Skip:
    """Return the nearest edit of an answer that may be shown, or why there is none.

    `refused` returns further reasons not to show an edit.
    """
    if not answer.strip():
        return Skip(Reason.EMPTY)
    rewritten = task.completed(answer)
    if rewritten is None and finish in (Finish.LENGTH, Finish.TRUNCATED):
        return Skip(Reason.CUT_OFF)
    if rewritten is None and (rewritten := task.rewritten(answer)) is None:
        return Skip(Reason.NO_EDIT_FORMAT)
    first: Reason | None = None
    for edit in cut(rewritten, place.document.text, place.line):
        proposed = ProposedEdit(edit, place.document, place.bursts, place.earlier, task.family)
        reason = refusal(proposed) or refused(edit)
        if reason is None:
            return edit
        first = first or reason
    return Skip(first or Reason.NO_CHANGE)
