"""What a filter takes and returns, and what it may look at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from llm_lsp.core.generation import Finish
from llm_lsp.core.response.text_kind import TextKind, kind_at_end
from llm_lsp.core.skip import Skip
from llm_lsp.core.text.document import Document
from llm_lsp.core.text.indent_style import IndentStyle, indent_kind, indent_style
from llm_lsp.core.text.languages import Language, language_of
from llm_lsp.core.text.text import Point
from llm_lsp.core.text.window import Window

# Lines on each side that an answer is compared with.
LOOK_LINES = 32
# Columns of a long line that are looked at on each side.
LOOK_COLUMNS = 1000


@dataclass(frozen=True)
class FilterContext:
    """What stands around a cursor, lines without their ends.

    It has no slots: what not every answer needs is computed when first read, and kept.
    """

    before: str
    """The current line before the cursor."""
    rest: str
    """The current line after the cursor."""
    lines_above: Sequence[str]
    """Up to LOOK_LINES lines above, as the document has them."""
    lines_below: Sequence[str]
    """Up to LOOK_LINES lines below, as the document has them."""
    line_end: str
    """What ends the document's lines."""
    language: Language
    language_id: str = ""
    stated_indent: str = ""
    """What one step of depth is written with, as the project or the editor says; "" if neither does."""

    @cached_property
    def above(self) -> tuple[str, ...]:
        """Lines above with text, nearest last."""
        return _with_text(self.lines_above)

    @cached_property
    def below(self) -> tuple[str, ...]:
        """Lines below with text, nearest first."""
        return _with_text(self.lines_below)

    @property
    def follows_blank(self) -> bool:
        """Whether the line right above is blank."""
        return bool(self.lines_above) and not self.lines_above[-1].strip()

    @cached_property
    def style(self) -> IndentStyle:
        """How the document is indented."""
        current = (self.before + self.rest,) if (self.before + self.rest).strip() else ()
        # Nothing is told by a line that is missing between two, or not yet whole.
        if self.before.strip():
            parts = (*self.above, *current), self.below
        else:
            parts = self.above, (*current, *self.below)
        return indent_style(parts, self.language, self.stated_indent)

    @cached_property
    def indent_kind(self) -> str | None:
        """The character that all lines are indented with; None if lines may have either."""
        return indent_kind((*self.above, self.before, *self.below), self.language, self.style)

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


def place_at(document: Document, point: Point, stated_indent: str = "") -> FilterContext:
    """Read what stands around a point; costs a bounded number of lines.

    `stated_indent` is the context's field of that name.
    """
    text = document.text
    line = text.line(point.line)
    return FilterContext(
        line[max(0, point.column - LOOK_COLUMNS) : point.column],
        line[point.column : point.column + LOOK_COLUMNS],
        text.lines(point.line - LOOK_LINES, point.line),
        text.lines(point.line + 1, point.line + 1 + LOOK_LINES),
        text.line_end(point.line) or text.line_end(max(0, point.line - 1)) or "\n",
        language_of(document.language),
        document.language,
        stated_indent,
    )


def place_in(window: Window) -> FilterContext:
    """Read what stands around a window's cursor, as `place_at` does."""
    return FilterContext(
        window.line_prefix[-LOOK_COLUMNS:],
        window.line_suffix[:LOOK_COLUMNS],
        window.prefix.rsplit("\n", LOOK_LINES + 1)[-LOOK_LINES - 1 : -1],
        window.suffix.split("\n", LOOK_LINES + 1)[1 : LOOK_LINES + 1],
        "\n",
        language_of(window.language),
        window.language,
    )


def _with_text(lines: Sequence[str]) -> tuple[str, ...]:
    return tuple(line.rstrip("\r\n")[:LOOK_COLUMNS] for line in lines if line.strip())
