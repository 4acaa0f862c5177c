"""A cursor context by a text in which the cursor is marked."""

from __future__ import annotations

from llm_lsp.core.text.cursor_context import (
    CursorContext,
    cursor_context_at,
)
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Point, Text


def place(marked: str, uri: str = "file:///a.py") -> CursorContext:
    """Return the cursor context of the position marked by `‸`."""
    before, after = marked.split("‸")
    line = before.count("\n")
    column = len(before.rpartition("\n")[2])
    return cursor_context_at(Document(uri, "python", 1, Text.of(before + after)), Point(line, column))
