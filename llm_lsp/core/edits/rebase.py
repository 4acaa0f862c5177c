"""A next edit after its document changed again: what is left of it while its user types it themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from llm_lsp.core.edits.next_edit import NextEdit
from llm_lsp.core.text.text import Edit, Point


def rebase(edit: NextEdit, changes: Sequence[Edit]) -> NextEdit | None:
    """Return what is left of an edit after changes inside its place; None if they contradict it, or completed it.

    A change anywhere else is the user's next one: what follows from it is another question, so None too.
    """
    for change in changes:
        followed = _follow(edit, change)
        if followed is None:
            return None
        edit = followed
    return edit


def is_completed(edit: NextEdit, changes: Sequence[Edit]) -> bool:
    """Check whether changes made exactly what an edit proposed."""
    *before, last = changes
    rest = rebase(edit, before)
    return rest is not None and _old_after(rest, last) == rest.new


def is_at(edit: NextEdit, changes: Sequence[Edit]) -> bool:
    """Check whether changes began at an edit's place."""
    return bool(changes) and _is_inside(edit, changes[0])


def _follow(edit: NextEdit, change: Edit) -> NextEdit | None:
    old = _old_after(edit, change)
    if old is None or old == edit.new or not _leads_to(old, edit):
        return None
    start = edit.start
    return replace(edit, end=Point(start.line, start.column + len(old)), old=old)


def _old_after(edit: NextEdit, change: Edit) -> str | None:
    """Return what stands at an edit's place after a change inside of it; None for any other change."""
    if not _is_inside(edit, change) or "\n" in change.text or "\r" in change.text:
        return None
    first, stop = change.start.column - edit.start.column, change.end.column - edit.start.column
    return edit.old[:first] + change.text + edit.old[stop:]


def _is_inside(edit: NextEdit, change: Edit) -> bool:
    is_one_line = edit.start.line == edit.end.line
    return is_one_line and edit.start <= change.start <= change.end <= edit.end


def _leads_to(old: str, edit: NextEdit) -> bool:
    """Check whether a text is a beginning of the new one, and then a piece of the old one that is not deleted yet."""
    beginnings = (at for at in range(len(old), -1, -1) if edit.new.startswith(old[:at]))
    return any(old[at:] in edit.old for at in beginnings)
