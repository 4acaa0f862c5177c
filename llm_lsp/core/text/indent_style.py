"""Determines one indentation step of a document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from llm_lsp.core.text.languages import Language, heads_body, indent_of

TAB_COLUMNS = indent_of("\t")
# Common steps in columns; an answer with such steps keeps them if there is no other evidence.
USUAL_STEPS = (2, 4)


# Indented lines that are enough to show the character in a page of tags: many pages use both.
TAGS_LINES = 4


@dataclass(frozen=True, slots=True)
class IndentStyle:
    """One indentation step, and how certain it is."""

    unit: str
    """A tab, or blanks."""
    is_certain: bool
    """Whether every visible block shows it, or the editor or the project defines it."""

    @property
    def columns(self) -> int:
        """Return the columns of one step."""
        return indent_of(self.unit)

    def written(self, column: int) -> str:
        """Return the white space for a line that begins at a column."""
        if self.unit != "\t":
            return " " * column
        tabs, blanks = divmod(column, TAB_COLUMNS)
        return "\t" * tabs + " " * blanks


def indent_style(parts: Sequence[Sequence[str]], language: Language, stated: str = "") -> IndentStyle:
    """Return the style of a document from parts of it, which consist of non-blank lines.

    `stated` is the step in `.editorconfig` or from the editor, "" if neither defines it. The lines override it,
    and the language's usual step comes last. A recipe in a Makefile begins with a tab in any case.
    """
    if language.step == "\t" and language.opening is not None:
        return IndentStyle("\t", is_certain=True)
    lines = [line for part in parts for line in part]
    steps = Counter(step for part in parts for step in _steps(part, language))
    is_mixed = len({line[0] for line in lines if line.startswith(("  ", "\t"))}) > 1
    if len(steps) == 1 and not is_mixed:
        return IndentStyle(next(iter(steps)), is_certain=True)
    if stated:
        return IndentStyle(stated, is_certain=True)
    if steps:
        return IndentStyle(steps.most_common(1)[0][0], is_certain=False)
    depths = [indent_of(line) for line in lines]
    if any(line.startswith("\t") for line in lines):
        return IndentStyle("\t", is_certain=not is_mixed)
    if least := min((depth for depth in depths if depth > 1), default=0):
        return IndentStyle(" " * (least if least in USUAL_STEPS else 4), is_certain=False)
    return IndentStyle(language.step, is_certain=False)


def indent_kind(lines: Sequence[str], language: Language, style: IndentStyle) -> str | None:
    """Return the character with which all indented lines begin; None if both occur or there is no evidence."""
    if language.opening is not None and language.step == "\t":
        return "\t"
    kinds = Counter(line[0] for line in lines if line[:1] in (" ", "\t"))
    if len(kinds) == 1 and kinds.total() >= (TAGS_LINES if language.has_tags else 1):
        return next(iter(kinds))
    is_told = style.is_certain or language.step == "\t" or language.has_items
    return style.unit[0] if is_told and not kinds else None


def _steps(lines: Sequence[str], language: Language) -> list[str]:
    """Return the indentation step of each visible block."""
    found = []
    for line, following in pairwise(lines):
        columns = indent_of(following) - indent_of(line)
        if columns > 0 and heads_body(line, language):
            found.append("\t" if following.startswith("\t") else " " * columns)
    return found
