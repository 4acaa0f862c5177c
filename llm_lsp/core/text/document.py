"""A frozen snapshot of an open document."""

from __future__ import annotations

from dataclasses import dataclass

from llm_lsp.core.text.text import Text


@dataclass(frozen=True, slots=True)
class Document:
    """A frozen snapshot of an open text; `text` is persistent, so that a snapshot costs nothing."""

    uri: str
    language: str
    """The LSP language identifier, "" where the client gave none."""
    version: int
    text: Text
