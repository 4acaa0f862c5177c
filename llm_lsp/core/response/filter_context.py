"""What a filter takes and returns, and what it may look at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from llm_lsp.core.generation import Finish
from llm_lsp.core.skip import Skip
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.languages import Language, language_of
from llm_lsp.core.text.text import Point
from llm_lsp.core.text.text_kind import TextKind, kind_at_end

# Lines on each side that an answer is compared with.
LOOK_LINES = 32
# Columns of a long line that are looked at on each side.
LOOK_COLUMNS = 1000


@dataclass(frozen=True, slots=True)
class FilterContext:
    """What stands around a cursor, lines without their ends."""

    before: str
    """The current line before the cursor."""
    rest: str
    """The current line after the cursor."""
    above: tuple[str, ...]
    """Lines above with text, nearest last."""
    below: tuple[str, ...]
    """Lines below with text, nearest first."""
    line_end: str
    """What ends the document's lines."""
    language: Language
    language_id: str = ""

    def kind_after(self, text: str) -> TextKind:
        """Return what stands behind a text that is inserted at the cursor."""
        return kind_at_end("\n".join((*self.above, self.before + text)), self.language)


@dataclass(frozen=True, slots=True)
class FilterInput:
    """An answer between two filters."""

    text: str
    finish: Finish
    replaced: int = 0
    """Characters of the rest of the line that the text stands for."""


Filter = Callable[[FilterInput, FilterContext], FilterInput | Skip]


def place_at(document: Document, point: Point) -> FilterContext:
    """Read what stands around a point; costs a bounded number of lines."""
    text = document.text
    line = text.line(point.line)
    return FilterContext(
        before=line[max(0, point.column - LOOK_COLUMNS) : point.column],
        rest=line[point.column : point.column + LOOK_COLUMNS],
        above=_with_text(text.lines(point.line - LOOK_LINES, point.line)),
        below=_with_text(text.lines(point.line + 1, point.line + 1 + LOOK_LINES)),
        line_end=text.line_end(point.line) or text.line_end(max(0, point.line - 1)) or "\n",
        language=language_of(document.language),
        language_id=document.language,
    )


def _with_text(lines: list[str]) -> tuple[str, ...]:
    return tuple(line.rstrip("\r\n")[:LOOK_COLUMNS] for line in lines if line.strip())
