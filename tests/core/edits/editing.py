"""Documents that are being changed, from golden cases: texts one after another."""

from __future__ import annotations

from dataclasses import dataclass

from llm_lsp.core.context.edit_history import EditHistory
from llm_lsp.core.edits.last_change import LastChange
from llm_lsp.core.edits.next_edit import NextEdit
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.text import Edit, Point, Text, difference
from tests.core.response.golden import CURSOR, Case

# Seconds between two changes.
PAUSE_S = 2.0


@dataclass(frozen=True, slots=True)
class Editing:
    """A document that is being changed."""

    document: Document
    cursor: Point
    history: EditHistory
    last: LastChange
    now: float

    def changed(self, text: str, cursor: Point, *, by_line: bool) -> Editing:
        old = self.document
        edits = tuple(line_edits(old.text, text)) if by_line else (difference(old.text, text),)
        document = Document(old.uri, old.language, old.version + 1, Text.of(text))
        now = self.now + PAUSE_S
        history = self.history.edited(old, document, edits, now)
        return Editing(document, cursor, history, self.last.edited(old, edits, now), now)


def line_edits(old: Text, new: str) -> list[Edit]:
    """Return an edit for each line that differs, as several cursors make them."""
    lines = Text.of(new)
    return [
        Edit(Point(number, edit.start.column), Point(number, edit.end.column), edit.text)
        for number in range(old.line_count)
        if old.line(number) != lines.line(number)
        for edit in [difference(Text.of(old.line(number)), lines.line(number))]
    ]


def text_and_cursor(section: str, line_end: str) -> tuple[str, Point]:
    before, _, after = section.partition(CURSOR)
    point = Point(before.count("\n"), len(before) - before.rfind("\n") - 1)
    return (before + after).replace("\n", line_end), point


def edited(case: Case) -> Editing:
    """Make the changes of a case one after another."""
    line_end = "\r\n" if case.head.get("line ends") == "crlf" else "\n"
    texts = [text_and_cursor(case.sections[str(n)], line_end) for n in range(1, 9) if str(n) in case.sections]
    (first, cursor), *others = texts
    document = Document("file:///project/main", case.head["language"], 1, Text.of(first))
    editing = Editing(document, cursor, EditHistory(), LastChange(), 0.0)
    for text, cursor in others:
        editing = editing.changed(text, cursor, by_line=case.head.get("edits") == "by line")
    return editing


def shown(case: Case, edit: NextEdit) -> str:
    """Return the document after the edit, with marks around what is new."""
    text = edited(case).document.text.edit(edit.start, edit.end, f"├{edit.new}┤")
    return str(text).replace("\r\n", "\n")
