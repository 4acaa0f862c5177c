"""The input and output of filters, and the text around the cursor that they can use."""

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

# Lines on each side with which an answer is compared.
LOOK_LINES = 32
# Columns of a long line that are used on each side.
LOOK_COLUMNS = 1000


@dataclass(frozen=True)
class FilterContext:
    """The text around a cursor; lines have no line ends.

    Has no slots: values that not every answer needs are computed and cached when first read.
    """

    before: str
    """The current line before the cursor."""
    rest: str
    """The current line after the cursor."""
    lines_above: Sequence[str]
    """Up to LOOK_LINES lines above, unchanged."""
    lines_below: Sequence[str]
    """Up to LOOK_LINES lines below, unchanged."""
    line_end: str
    """The document's line end."""
    language: Language
    language_id: str = ""
    stated_indent: str = ""
    """One indentation step as the project or the editor defines it; "" if neither does."""

    @cached_property
    def above(self) -> tuple[str, ...]:
        """Non-blank lines above, nearest last."""
        return _with_text(self.lines_above)

    @cached_property
    def below(self) -> tuple[str, ...]:
        """Non-blank lines below, nearest first."""
        return _with_text(self.lines_below)

    @property
    def follows_blank(self) -> bool:
        """Whether the line directly above is blank."""
        return bool(self.lines_above) and not self.lines_above[-1].strip()

    @cached_property
    def style(self) -> IndentStyle:
        """How the document is indented."""
        current = (self.before + self.rest,) if (self.before + self.rest).strip() else ()
        # An incomplete line is not used, nor is a step across the gap.
        if self.before.strip():
            parts = (*self.above, *current), self.below
        else:
            parts = self.above, (*current, *self.below)
        return indent_style(parts, self.language, self.stated_indent)

    @cached_property
    def indent_kind(self) -> str | None:
        """The character with which all lines are indented; None if lines may have either."""
        return indent_kind((*self.above, self.before, *self.below), self.language, self.style)

    def kind_after(self, text: str) -> TextKind:
        """Return the kind of text that follows a text inserted at the cursor."""
        return kind_at_end("\n".join((*self.above, self.before + text)), self.language)


@dataclass(frozen=True, slots=True)
class FilterInput:
    """An answer between two filters."""

    text: str
    finish: Finish
    replaced: int = 0
    """Number of characters after the cursor that the text replaces."""


Filter = Callable[[FilterInput, FilterContext], FilterInput | Skip]


def place_at(document: Document, point: Point, stated_indent: str = "") -> FilterContext:
    """Read the surroundings of a position, a limited number of lines.

    `stated_indent` is the field of that name.
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
    """Read the surroundings of a window's cursor, like `place_at`."""
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
