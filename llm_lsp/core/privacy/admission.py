"""Whether a document is completed at all."""

from __future__ import annotations

from dataclasses import dataclass

from llm_lsp.core.privacy.document_paths import SCHEMES
from llm_lsp.core.request import Trigger
from llm_lsp.core.skip import Reason, Skip
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Point

# Characters. A larger text is hardly written by hand, and its editor has switched most things off: VS Code's bound is 20 MB.
MAX_DOCUMENT_CHARS = 20_000_000
# Columns in which a NUL shows that a file is no text: git looks at as many bytes of a file's start.
LOOK_COLUMNS = 8000
LOOK_LINES = 16


@dataclass(frozen=True, slots=True)
class AdmissionRules:
    """Which documents are completed at all."""

    enabled: bool = True
    languages: tuple[str, ...] = ()
    automatic: bool = True
    """Whether completions come while typing."""
    schemes: tuple[str, ...] = ()
    """Schemes of URIs that are served beside SCHEMES."""


def admit_document(document: Document, rules: AdmissionRules) -> Skip | None:
    """Return why nothing is completed in a document, or None."""
    if not rules.enabled:
        return Skip(Reason.DISABLED)
    if rules.languages and document.language not in rules.languages:
        return Skip(Reason.LANGUAGE, document.language)
    scheme = document.uri.partition(":")[0].lower()
    if scheme not in SCHEMES and scheme not in rules.schemes:
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
