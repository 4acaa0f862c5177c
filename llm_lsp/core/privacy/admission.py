"""Whether to ask a model at all; knows neither the model nor the time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from llm_lsp.core.request import GATES, Gate, Trigger
from llm_lsp.core.skip import Reason, Skip
from llm_lsp.core.text.cursor_context import INERT_REST
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Point
from llm_lsp.core.text.typing_pace import TypingPace

# Characters. A larger text is hardly written by hand, and its editor has switched most things off: VS Code's bound is 20 MB.
MAX_DOCUMENT_CHARS = 20_000_000
# Documents that are code someone writes; others are views (diffs, settings, output).
SCHEMES = ("file", "untitled", "vscode-notebook-cell", "vscode-remote", "vscode-userdata")
# Columns in which a NUL shows that a file is no text: git looks at as many bytes of a file's start.
LOOK_COLUMNS = 8000
LOOK_LINES = 16
# A statement that ends in one of these is finished: Cody's rule, with the full-width forms.
STATEMENT_ENDS = ");]}）；】」。"
# The third deletion in a row means that the user looks for another way: cursortab's rule.
DELETIONS_TO_ASK = 3


@dataclass(frozen=True, slots=True)
class AdmissionRules:
    """Which documents are completed at all."""

    enabled: bool = True
    languages: tuple[str, ...] = ()
    automatic: bool = True
    """Whether completions come while typing."""


def admit_document(document: Document, rules: AdmissionRules) -> Skip | None:
    """Say why nothing is completed in a document, or None."""
    if not rules.enabled:
        return Skip(Reason.DISABLED)
    if rules.languages and document.language not in rules.languages:
        return Skip(Reason.LANGUAGE, document.language)
    scheme = document.uri.partition(":")[0]
    if scheme not in SCHEMES:
        return Skip(Reason.SCHEME, scheme)
    if document.text.size > MAX_DOCUMENT_CHARS:
        return Skip(Reason.TOO_LARGE)
    if "\0" in "".join(document.text.lines(0, LOOK_LINES))[:LOOK_COLUMNS]:
        return Skip(Reason.BINARY)
    return None


def admit(document: Document, point: Point, trigger: Trigger, rules: AdmissionRules) -> Skip | None:
    """Return why nothing is suggested at a place, or None."""
    if skip := admit_document(document, rules):
        return skip
    if "\0" in document.text.line(point.line)[:LOOK_COLUMNS]:
        return Skip(Reason.BINARY)
    if trigger is Trigger.AUTOMATIC and not rules.automatic:
        return Skip(Reason.MANUAL_ONLY)
    return None


def gate(line_prefix: str, line_suffix: str, pace: TypingPace, gates: Sequence[Gate] = GATES) -> Skip | None:
    """Say why an automatic request is not worth a call at this place, or None; `gates` are those that are on."""
    if "mid-line" in gates and line_suffix.strip(INERT_REST) and not pace.is_inserting:
        # Who types there wants text there, and the model sees what follows; who only came by does not.
        return Skip(Reason.MID_LINE)
    if "statement-end" in gates and line_prefix.rstrip()[-1:] in tuple(STATEMENT_ENDS):
        return Skip(Reason.STATEMENT_END)
    if "deleting" in gates and 0 < pace.deletions < DELETIONS_TO_ASK:
        return Skip(Reason.DELETING)
    return None
