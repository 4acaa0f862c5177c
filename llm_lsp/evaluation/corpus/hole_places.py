"""Finds where holes can be cut into a text.

Recognizes the structure by indentation, brackets and first words, like completion itself. So it works for every
language, while grammars are available for few.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import Literal

from llm_lsp.core.context.imports import is_import
from llm_lsp.core.text.languages import Blocks, Language, indent_of, language_of, opens_block, without_comment
from llm_lsp.core.text.text import Point, Text

Kind = Literal["line", "span", "block"]
"""The rest of a line, part of a line with code after it, or the lines of a block."""
KINDS: tuple[Kind, ...] = ("line", "span", "block")
Spot = Literal["import", "body", "argument"]

# Least number of missing characters; shorter holes are too easy to be informative.
MIN_CHARS = 4
# Characters. Longer lines are not typical of handwritten code.
MAX_LINE_CHARS = 160
# A block of one line is a line, and models do not write longer blocks in one answer (128 tokens).
MIN_BLOCK_LINES, MAX_BLOCK_LINES = 2, 12

_CALL = re.compile(r"\w[(]")
# Where users pause: at the start of a word or number.
_WORD_START = re.compile(r"(?<!\w)\w")
# Closing brackets and punctuation that editors insert, so that they follow the cursor already.
_CLOSED = re.compile(r"[\s)\]};:,{]+$")
# Delimiters of multi-line strings, which contain prose more often than code.
_LONG_STRINGS = ('"""', "'''")


@dataclass(frozen=True, slots=True)
class CutPoint:
    """The text to cut out, from `start` to `end`."""

    kind: Kind
    spot: Spot
    start: Point
    end: Point


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of code without line end, trailing comment and trailing blanks."""

    number: int
    code: str

    @property
    def indent_chars(self) -> int:
        return len(self.code) - len(self.code.lstrip())

    def cut(self, kind: Kind, spot: Spot, start: int, end: int) -> CutPoint:
        return CutPoint(kind, spot, Point(self.number, start), Point(self.number, end))


def cuts(text: Text, language_id: str, kind: Kind, spot: Spot, rng: Random) -> Iterator[CutPoint]:
    """Yield a cut for every suitable place; its start column is random."""
    language = language_of(language_id)
    lines = list(_code(text, language))
    if kind == "block":
        yield from _blocks(text, lines, language)
        return
    find = {"import": _in_import, "body": _in_body, "argument": _in_argument}[spot]
    for line in lines:
        if len(line.code.strip()) >= MIN_CHARS and len(line.code) <= MAX_LINE_CHARS:
            found = find(line, kind, rng)
            if found is not None and len(line.code[found[0] : found[1]].strip()) >= MIN_CHARS:
                yield line.cut(kind, spot, *found)


def _in_import(line: _Line, kind: Kind, rng: Random) -> tuple[int, int] | None:
    return _anywhere(line, kind, rng) if is_import(line.code) else None


def _in_body(line: _Line, kind: Kind, rng: Random) -> tuple[int, int] | None:
    is_body = line.indent_chars and not is_import(line.code)
    return _anywhere(line, kind, rng) if is_body else None


def _in_argument(line: _Line, kind: Kind, rng: Random) -> tuple[int, int] | None:
    """Cut the arguments of a call; for a span, the bracket after them stays, because editors insert it."""
    calls = [
        (call.end(), end) for call in _CALL.finditer(line.code) if (end := _closer(line.code, call.end()))
    ]
    if not calls or is_import(line.code):
        return None
    start, end = rng.choice(calls)
    return (start, end) if kind == "span" else (start, len(line.code))


def _anywhere(line: _Line, kind: Kind, rng: Random) -> tuple[int, int] | None:
    starts = [found.start() for found in _WORD_START.finditer(line.code)]
    if kind == "span":
        behind = _CLOSED.search(line.code)
        return (rng.choice(starts), behind.start()) if behind and starts else None
    # Half of them at the beginning of the line, where most completions are shown.
    return rng.choice([line.indent_chars, rng.choice(starts or [line.indent_chars])]), len(line.code)


def _closer(code: str, start: int) -> int | None:
    """Return the position of the bracket that closes the one before `start`; None if it is not on this line."""
    depth = 1
    for at in range(start, len(code)):
        depth += (code[at] in "([{") - (code[at] in ")]}")
        if not depth:
            return at
    return None


def _blocks(text: Text, lines: list[_Line], language: Language) -> Iterator[CutPoint]:
    """Cut the lines indented deeper than the one that opens the block; a closing bracket stays."""
    for opener, first in pairwise(lines):
        if not opens_block(opener.code, language) or indent_of(first.code) <= indent_of(opener.code):
            continue
        last = _last_of_block(text, first.number, indent_of(opener.code), language)
        if MIN_BLOCK_LINES <= last - first.number + 1 <= MAX_BLOCK_LINES:
            end = Point(last, len(text.line(last).rstrip()))
            yield CutPoint("block", "body", Point(first.number, first.indent_chars), end)


def _last_of_block(text: Text, first: int, depth: int, language: Language) -> int:
    last = first
    for number in range(first, min(first + MAX_BLOCK_LINES + 1, text.line_count)):
        line = text.line(number)
        if not line.strip():
            continue
        if indent_of(line) <= depth:
            break
        last = number
    return last


def _code(text: Text, language: Language) -> Iterator[_Line]:
    """Yield the lines of code: no blank lines, comments, documentation, or parts of multi-line strings."""
    inside = ""
    for number in range(text.line_count):
        line = text.line(number)
        was_inside, inside = inside, _open_after(line, inside, language)
        code = without_comment(line, language).rstrip()
        if code.strip() and not was_inside and not inside and not code.lstrip().startswith(_LONG_STRINGS):
            yield _Line(number, code)


def _open_after(line: str, inside: str, language: Language) -> str:
    """Return the closing mark of a string or comment that is still open at a line's end, or ""."""
    if inside:
        return "" if inside in line else inside
    if language.blocks is Blocks.BRACES:
        return "*/" if "/*" in line and "*/" not in line.partition("/*")[2] else ""
    return next((mark for mark in _LONG_STRINGS if line.count(mark) % 2), "")
