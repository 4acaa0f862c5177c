"""Cuts what a model makes of some lines into single next edits."""

from __future__ import annotations

from difflib import SequenceMatcher

from llm_lsp.core.edits.by_model.edit_input import Rewritten
from llm_lsp.core.edits.next_edit import EditKind, NextEdit, line_edit
from llm_lsp.core.text.text import Point, Text


def cut(rewritten: Rewritten, text: Text, cursor_line: int) -> tuple[NextEdit, ...]:
    """Return the changes as edits of a document, the one nearest to the cursor first, those below first."""
    matcher = SequenceMatcher(None, rewritten.old, rewritten.new, autojunk=False)
    edits = [
        _edit(text, rewritten.first + first, rewritten.old[first:stop], rewritten.new[new_first:new_stop])
        for tag, first, stop, new_first, new_stop in matcher.get_opcodes()
        if tag != "equal"
    ]

    def nearness(edit: NextEdit) -> tuple[int, bool]:
        above = cursor_line - edit.end.line
        return max(0, above, edit.start.line - cursor_line), above > 0

    return tuple(sorted(edits, key=nearness))


def _edit(text: Text, line: int, old: tuple[str, ...], new: tuple[str, ...]) -> NextEdit:
    if len(old) == len(new) == 1 and old[0].strip() and new[0].strip():
        return line_edit(EditKind.MODEL, line, old[0], new[0], 1.0)
    return _whole_lines(text, line, len(old), new)


def _whole_lines(text: Text, line: int, count: int, new: tuple[str, ...]) -> NextEdit:
    """Return the edit that replaces some lines."""
    line_end = text.line_end(0) or "\n"
    start, end = Point(line, 0), Point(line + count, 0)
    made = "".join(f"{each}{line_end}" for each in new)
    if end.line >= text.line_count:
        # The last line has no line end: what is added begins with one, what is deleted takes the one above.
        end = text.end
        made = made.removesuffix(line_end)
        if count == 0 or not new:
            start = Point(line - 1, len(text.line(line - 1))) if line else start
            made = line_end + made if new else ""
    return NextEdit(EditKind.MODEL, start, end, text.slice(start, end), made, 1.0)
