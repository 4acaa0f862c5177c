"""The next edits that an editor without any display of them can show as ghost text at the cursor."""

from __future__ import annotations

from dataclasses import dataclass

from llm_lsp.core.edits.next_edit import NextEdit
from llm_lsp.core.text.text import Point, Text


@dataclass(frozen=True, slots=True)
class InlineForm:
    """A text that replaces a part of the cursor's line."""

    start: Point
    end: Point
    text: str


def inline_form(edit: NextEdit, text: Text, cursor: Point) -> InlineForm | None:
    """Return an edit as ghost text at the cursor; None if editors would not show it so.

    VS Code's rule (`inlineCompletionIsVisible`): on the cursor's line, the text before the cursor stays, and what
    stands behind it is a subsequence of what is to stand there. So nothing is deleted, and something is inserted.
    """
    if not edit.start.line == edit.end.line == cursor.line or "\n" in edit.new:
        return None
    start, end = min(edit.start.column, cursor.column), max(edit.end.column, cursor.column)
    line = text.line(cursor.line)
    old = line[start:end]
    new = line[start : edit.start.column] + edit.new + line[edit.end.column : end]
    before = cursor.column - start
    if old[:before] != new[:before] or not _is_subsequence(old[before:], new[before:]):
        return None
    return InlineForm(Point(cursor.line, start), Point(cursor.line, end), new)


def _is_subsequence(old: str, new: str) -> bool:
    """Check whether a text comes from another one by inserting only, and something."""
    letters = iter(new)
    return len(old) < len(new) and all(letter in letters for letter in old)
