"""An immutable snapshot of an open document."""

from __future__ import annotations

from dataclasses import dataclass

from llm_lsp.core.text.text import Text


@dataclass(frozen=True, slots=True)
class Document:
    """An immutable snapshot of an open text; `text` is persistent, so a snapshot costs nothing."""

    uri: str
    language: str
    """The LSP language identifier, "" if the client sent none."""
    version: int
    text: Text
    notebook: str = ""
    """The URI of the notebook that it is a cell of, "" for none: the cell's scheme is the client's own."""
