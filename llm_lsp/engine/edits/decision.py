"""Decides on the next edit in a document. It runs in a thread, one decision at a time.

The trees are kept here, so that after an edit only the changed lines are parsed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from llm_lsp.core.context.edit_history import EditBurst
from llm_lsp.core.edits.dismissals import Dismissals
from llm_lsp.core.edits.last_change import LastChange
from llm_lsp.core.edits.next_edit import NextEdit, Prediction
from llm_lsp.core.edits.predict import all_edits, predict
from llm_lsp.core.edits.situation import Situation
from llm_lsp.core.privacy.redact import Redactor
from llm_lsp.core.skip import Reason, Skip
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.syntax import SyntaxTree
from llm_lsp.core.text.text import Point, Text

# Documents whose trees are kept: a tree of 5,000 lines takes some megabytes.
MAX_TREES = 4
# Lines around a place that are searched for secrets: a key may begin above and end below.
NEAR_LINES = 2


@dataclass(frozen=True, slots=True)
class EditQuestion:
    """All that a decision depends on."""

    document: Document
    point: Point
    bursts: Sequence[EditBurst]
    change: LastChange
    is_typing: bool
    dismissals: Dismissals
    redactor: Redactor | None
    """None if the settings switch redaction off."""


@dataclass(frozen=True, slots=True)
class RuleDecision:
    """What the rules found."""

    found: Prediction | Skip
    doubtful: NextEdit | None = None
    """The nearest edit if all are too uncertain to be shown."""


class TreeStore:
    """The trees of the documents that were edited last."""

    def __init__(self) -> None:
        self._trees: dict[str, SyntaxTree] = {}

    def update(self, document: Document) -> SyntaxTree | None:
        """Return a document's tree; None for a language without a grammar."""
        earlier = self._trees.pop(document.uri, None)
        if earlier is None:
            tree = SyntaxTree.of(document.text, document.language)
        elif earlier.text is document.text:
            tree = earlier
        else:
            tree = earlier.edited(document.text, document.language)
        if tree is not None:
            self._trees[document.uri] = tree
            if len(self._trees) > MAX_TREES:
                del self._trees[next(iter(self._trees))]
        return tree

    def close(self, uri: str) -> None:
        """Forget a document."""
        self._trees.pop(uri, None)


def decide(question: EditQuestion, trees: TreeStore) -> RuleDecision:
    """Return the next edit that may be shown, or why there is none, and the one that is too uncertain."""
    document, dismissals = question.document, question.dismissals
    if not question.change.is_typed(document.text):
        return RuleDecision(Skip(Reason.NOT_TYPED))
    situation = Situation(
        document,
        question.point,
        tuple(question.bursts),
        trees.update(document),
        is_typing=question.is_typing,
    )

    def refusal(edit: NextEdit) -> Reason | None:
        if dismissals.has(document.uri, edit):
            return Reason.DISMISSED
        redactor = question.redactor
        return Reason.SECRET if redactor and is_near_secret(redactor, document.text, edit) else None

    found = predict(situation, refusal)
    if not isinstance(found, Skip):
        return RuleDecision(found)
    if found.reason is Reason.NOTHING_FOLLOWS and question.is_typing:
        return RuleDecision(Skip(Reason.STILL_TYPING))
    is_doubtful = found.reason is Reason.UNCERTAIN
    doubtful = (edit for edit in all_edits(situation) if refusal(edit) is None) if is_doubtful else ()
    return RuleDecision(found, next(iter(doubtful), None))


def is_near_secret(redactor: Redactor, text: Text, edit: NextEdit) -> bool:
    """Check whether a secret is near an edit's place, or would come there with it."""
    lines = text.lines(edit.start.line - NEAR_LINES, edit.end.line + NEAR_LINES + 1)
    line = text.line(edit.start.line)
    made = line[: edit.start.column] + edit.new
    return redactor.touches(text, edit.end) or bool(redactor.redact("".join((*lines, "\n", made))).found)
