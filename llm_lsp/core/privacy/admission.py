"""Determines whether a document is completed at all."""

from __future__ import annotations

from dataclasses import dataclass

from llm_lsp.core.privacy.document_paths import SCHEMES
from llm_lsp.core.request import Trigger
from llm_lsp.core.skip import Reason, Skip
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Point

# Characters. Larger texts are rarely handwritten; VS Code turns off most features above 20 MB.
MAX_DOCUMENT_CHARS = 20_000_000
# Columns searched for a NUL, which marks a binary file; git searches as many bytes at a file's start.
LOOK_COLUMNS = 8000
LOOK_LINES = 16


@dataclass(frozen=True, slots=True)
class AdmissionRules:
    """Which documents are completed at all."""

    enabled: bool = True
    languages: tuple[str, ...] = ()
    automatic: bool = True
    """Whether completions appear while typing."""
    schemes: tuple[str, ...] = ()
    """Schemes of URIs that are served beside SCHEMES."""


def admit_document(document: Document, rules: AdmissionRules) -> Skip | None:
    """Return why a document is not completed, or None."""
    if not rules.enabled:
        return Skip(Reason.DISABLED)
    if rules.languages and document.language not in rules.languages:
        return Skip(Reason.LANGUAGE, document.language)
    scheme = (document.notebook or document.uri).partition(":")[0].lower()
    if scheme not in SCHEMES and scheme not in rules.schemes:
        return Skip(Reason.SCHEME, scheme)
    if document.text.size > MAX_DOCUMENT_CHARS:
        return Skip(Reason.TOO_LARGE)
    if "\0" in "".join(document.text.lines(0, LOOK_LINES))[:LOOK_COLUMNS]:
        return Skip(Reason.BINARY)
    return None


def admit(document: Document, point: Point, trigger: Trigger, rules: AdmissionRules) -> Skip | None:
    """Return why no completion is made at a position, or None."""
    if skip := admit_document(document, rules):
        return skip
    if "\0" in document.text.line(point.line)[:LOOK_COLUMNS]:
        return Skip(Reason.BINARY)
    if trigger is Trigger.AUTOMATIC and not rules.automatic:
        return Skip(Reason.MANUAL_ONLY)
    return None
