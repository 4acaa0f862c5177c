"""A notebook's cells as one document: those above the cell that is typed in, and that cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from llm_lsp.core.text.document import Document
from llm_lsp.core.text.languages import Language, language_of
from llm_lsp.core.text.text import Point, Text

# Characters of the cells above that are used at most, the nearest first: a prompt of 8,000 tokens. The window cuts them
# to its budget.
MAX_CELLS_CHARS = 32_000


@dataclass(frozen=True, slots=True)
class NotebookCell:
    """A cell's place in its notebook."""

    uri: str
    is_markup: bool
    """Whether it holds Markdown, which a code cell sees as a comment."""


@dataclass(frozen=True, slots=True)
class OpenCell:
    """A cell whose text is known."""

    document: Document
    is_markup: bool


def below_cells(document: Document, point: Point, above: Sequence[OpenCell]) -> tuple[Document, Point]:
    """Return a cell as it stands below the ones before it in the notebook, in order, and the cursor in that text.

    Costs a bounded number of characters. Without cells above it is the document itself.
    """
    texts: list[str] = []
    room = MAX_CELLS_CHARS
    language = language_of(document.language)
    for cell in reversed(above):
        # One blank line parts two cells, as a program would have it.
        text = _text(cell.document.text, room).strip("\r\n")
        if text and (cell.is_markup or cell.document.language != document.language):
            text = _commented(text, language)
        if text:
            texts.append(f"{text}\n\n")
            room -= len(text)
        if room <= 0:
            break
    if not texts:
        return document, point
    head = "".join(reversed(texts))
    own = document.text
    joined = Text.of(head + "".join(own.lines(0, own.line_count)))
    return replace(document, text=joined), Point(point.line + head.count("\n"), point.column)


def _text(text: Text, room: int) -> str:
    """Return a text, or the last of its lines that fit."""
    if text.size <= room:
        return "".join(text.lines(0, text.line_count))
    kept: list[str] = []
    for idx in range(text.line_count - 1, -1, -1):
        line = text.line(idx)
        room -= len(line) + 1
        if room < 0:
            break
        kept.append(line)
    return "\n".join(reversed(kept))


def _commented(text: str, language: Language) -> str:
    """Write what is no code of this language as its comment; prose needs none."""
    if language.is_prose:
        return text
    begin, end = language.block_comment
    if not language.line_comment and begin:
        return f"{begin}\n{text.replace(end, '')}\n{end}"
    return "\n".join(f"{language.line_comment} {line}".rstrip() for line in text.splitlines())
