"""Determines whether a position is in code, a comment, a string or prose, by reading the text before it.

Reading starts a limited number of characters earlier, and assumes code there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from llm_lsp.core.text.languages import Language

# Characters that are read before a position: 30 lines of 80, which usually include the beginning of a docstring.
LOOK_CHARS = 2400


class TextKind(Enum):
    """The kind of text at a position."""

    CODE = "code"
    COMMENT = "comment"
    STRING = "string"
    PROSE = "prose"


@dataclass(frozen=True, slots=True)
class Span:
    """A string or comment in a text."""

    kind: TextKind
    start: int
    end: int
    is_closed: bool
    """Whether it ends in the text."""


def kind_at_end(text: str, language: Language) -> TextKind:
    """Return the kind at the end of a text; only its last LOOK_CHARS are read, from the start of a line."""
    if language.is_prose:
        return TextKind.PROSE
    if len(text) > LOOK_CHARS:
        text = text[-LOOK_CHARS:].partition("\n")[2]
    for span in spans(text, language):
        if not span.is_closed:
            return span.kind
    is_inside = language.block_comment[0] == "/*" and text.rpartition("\n")[2].lstrip().startswith("* ")
    return TextKind.COMMENT if is_inside else TextKind.CODE


def spans(text: str, language: Language) -> Iterator[Span]:
    """Yield the strings and comments in a text, in order; only the last one may be open at the end."""
    mark, end = language.block_comment
    at = _end_of_begun_comment(text, mark, end)
    if at:
        yield Span(TextKind.COMMENT, 0, at, is_closed=True)
    last_line = text.rfind("\n") + 1
    pattern = _openers(language)
    while match := pattern.search(text, at):
        start, at = match.span()
        opener = match.group()
        is_line_comment = match.lastgroup == "line_comment"
        is_block = opener == mark
        closer = (
            "\n"
            if is_line_comment
            else end
            if is_block
            else opener
            if opener in language.long_strings
            else ""
        )
        kind = TextKind.COMMENT if is_line_comment or is_block else TextKind.STRING
        if closer:
            found = text.find(closer, at)
            # A line end does not belong to its comment.
            at = len(text) if found < 0 else found + len(closer) * (not is_line_comment)
            yield Span(kind, start, at, is_closed=found >= 0)
        elif len(opener) > 1:
            yield Span(kind, start, at, is_closed=True)
        elif start >= last_line:
            at = len(text)
            yield Span(kind, start, at, is_closed=False)


def _end_of_begun_comment(text: str, mark: str, end: str) -> int:
    """Return where a comment that began before the text ends, 0 if there is none; `**/*` ends none."""
    at = text.find(end) if end else -1
    if at < 0 or mark in text[:at]:
        return 0
    stands_alone = not text[:at].rpartition("\n")[2].strip() or text[at - 1].isspace()
    behind = at + len(end)
    return behind if stands_alone or not text[behind:].partition("\n")[0].strip() else 0


@lru_cache(maxsize=64)
def _openers(language: Language) -> re.Pattern[str]:
    """Compile what begins a string or comment, longest first; a string that ends on its line is a single match.

    Each alternative begins with a literal character, and looks behind only after it: `re` then skips the characters
    that begin none, which makes the search about ten times faster.
    """
    parts = [re.escape(mark) for mark in language.long_strings]
    if language.block_comment[0]:
        parts.append(re.escape(language.block_comment[0]))
    if mark := language.line_comment:
        # Not in a URL such as `http://`, nor in `$#` and `a%b`.
        parts.append(rf"{re.escape(mark)}(?<![^\s;{{}}()]{re.escape(mark)})(?P<line_comment>)")
    if not language.line_comment.startswith('"'):
        parts.append(r'"(?:[^"\\\n]|\\.)*"')
    parts += [r"'(?<![^\W_]')(?:[^'\\\n]|\\.)*'", '"', "`", r"'(?<![^\W_]')"]
    return re.compile("|".join(parts))
