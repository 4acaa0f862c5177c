"""Ends an answer that was cut by the token limit at its last complete statement.

One pass over the text around the cursor and the answer finds strings, comments and open brackets. A line ends a
statement if the answer has no open bracket there except those of blocks, the line does not end in an operator
or head a block, and the next line does not continue it. If the language has a grammar, the syntax tree of the
complete lines must agree: only a block, or something the user began, may span the line's end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from llm_lsp.core.generation import Finish
from llm_lsp.core.response.filter_context import FilterContext, FilterInput
from llm_lsp.core.response.text_kind import LOOK_CHARS, TextKind, spans
from llm_lsp.core.text.brackets import loose, partners
from llm_lsp.core.text.languages import Blocks, Language, indent_of, opens_block
from llm_lsp.core.text.syntax import ends_between_statements

_CLOSERS = {"(": ")", "[": "]", "{": "}"}
_MARK = re.compile(r"[()\[\]{}]")
# Ends and beginnings of lines with which a statement continues.
_GOES_ON = re.compile(
    r"(?:(?<!\+)\+|(?<!-)-|[=*/%&|^<~\\]|[=-]>|\b(?:and|or|not|in|is|extends|implements|from))$"
)
_CONTINUES = re.compile(r"\.(?!\.)|\?|:(?!:)|&&|\|+|\+|=|<<|(?:and|or)\b")
# Decorators, annotations and attributes, which belong to the statement below.
_PREFACE = re.compile(r"@[\w.]+(?:\(.*\))?$|#!?\[.*\]$|template\s*<")
# What precedes the brace of a value rather than a block; in Go a type does, without a blank in between.
_BEFORE_VALUE = re.compile(r"(?:(?<![=!<>])=|[(\[,:?&|+]|\breturn)\s*$|[\w\]]$")
# A brace at the end of a line, with the parameters of a closure.
_BLOCK = re.compile(r"\{\s*(?:\|[^|]*\||[\w\s,:()]*(?:->|\bin))?\s*$")
# Heads of braces that contain comma-separated values or arms, rather than statements.
_VALUES = re.compile(r"\b(?:enum|switch|match)\b")
_STATEMENTS = re.compile(
    r"\)\s*(?:[-:=][^{]*|\w+\s*)?\{|=>\s*\{"
    r"|\b(?:impl|trait|mod|class|interface|namespace|module|fn|func|fun|if|else|for|while|loop|do|try|finally|unsafe)\b"
)
# Where reading begins in an indentation-based language: such a line is hardly ever part of a string.
_BODY_HEAD = re.compile(r"(?:async\s+)?(?:def|class)\b")
# The end mark of a statement in languages that require one; Prolog's is a full stop.
_END_MARKS = (";", "}", ".")


@dataclass(frozen=True, slots=True)
class _Bracket:
    mark: str
    is_block: bool
    is_users: bool
    """Whether it was opened before the cursor."""
    has_values: bool
    """Whether its content is separated by commas."""


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the answer, with strings and comments blanked out."""

    code: str
    """Without surrounding white space."""
    depth: int
    start: int
    """The offset of its code in the text that was read."""
    end: int
    """The offset of its line end in that text."""
    bracket: _Bracket | None
    """The innermost bracket that is open at its end."""
    is_in_tag: bool
    """Whether its end is inside of a tag."""


def end_at_whole_statement(draft: FilterInput, place: FilterContext) -> FilterInput:
    """Cut an answer that the token limit ended after its last complete statement; a single line is left
    unchanged.
    """
    head, newline, _ = draft.text.rpartition("\n")
    if draft.finish is not Finish.LENGTH or not head.strip():
        return draft
    end = _last_end(draft.text, len(head), place)
    return replace(draft, text=head + newline if end is None else draft.text[:end] + newline)


def _last_end(answer: str, whole: int, place: FilterContext) -> int | None:
    """Return where the last complete statement of an answer ends; None if that is unknown.

    `whole` is the end of its last complete line.
    """
    language = place.language
    if language.is_prose and not language.has_tags:
        return None
    before = _text_before(place)
    masked = _masked(before + answer, len(before), language)
    if masked is None:
        return None
    # Add the openers of brackets that were opened further above.
    openers = _missing_openers(masked)
    masked, before = openers + masked, openers + before
    text, cursor = before + answer, len(before)
    brackets: list[_Bracket] = []
    lines = [line for line in _lines(masked, cursor, language, brackets) if line.code]
    ends = [
        line.end
        for line, following in zip_longest(lines, lines[1:])
        if line.end <= cursor + whole and _is_whole(line, following, language)
    ]
    if ends:
        ends = _agreed(ends, text[: cursor + whole], masked, place, cursor)
    return ends[-1] - cursor if ends else None


def _text_before(place: FilterContext) -> str:
    """Return the text before the cursor to read, from the start of a line on."""
    text = "\n".join((*place.above, place.before))
    if len(text) > LOOK_CHARS:
        text = text[-LOOK_CHARS:].partition("\n")[2]
    if not place.language.needs_body:
        return text
    lines = text.split("\n")
    start = next((n for n, line in enumerate(lines) if _BODY_HEAD.match(line.lstrip())), 0)
    # An indented line needs a head for the grammar.
    head = ["if 1:"] if lines[start][:1].isspace() else []
    return "\n".join((*head, *lines[start:]))


def _masked(text: str, cursor: int, language: Language) -> str | None:
    """Blank out strings and comments, including line ends; None if one from before the cursor is open at the
    end.
    """
    if language.is_prose:
        return text
    parts: list[str] = []
    at = 0
    for span in spans(text, language):
        if not span.is_closed and span.start < cursor:
            return None
        filler = " " if span.kind is TextKind.COMMENT else "_"
        parts += text[at : span.start], filler * (span.end - span.start)
        at = span.end
    return "".join((*parts, text[at:]))


def _missing_openers(masked: str) -> str:
    """Return the openers for a text's unmatched closers."""
    return "".join(partners(closer) for closer, _ in reversed(loose(masked).closers) if closer in ")]}")


def _lines(masked: str, cursor: int, language: Language, stack: list[_Bracket]) -> Iterator[_Line]:
    """Yield the answer's lines, the first one including the text before the cursor."""
    start = 0
    for line in masked.split("\n"):
        for match in _MARK.finditer(line):
            mark, at = match.group(), match.start()
            if mark in _CLOSERS:
                is_block = mark == "{" and _is_block(line, at, language)
                has_values = not is_block or _holds_values(line[: at + 1], language)
                stack.append(_Bracket(mark, is_block, start + at < cursor, has_values))
            elif stack and _CLOSERS[stack[-1].mark] == mark:
                stack.pop()
        end = start + len(line)
        if end >= cursor:
            code = line.strip()
            first = start + len(line) - len(line.lstrip())
            is_in_tag = language.has_tags and _is_in_tag(masked, end)
            yield _Line(code, indent_of(line), first, end, stack[-1] if stack else None, is_in_tag)
        start = end + 1


def _is_block(line: str, at: int, language: Language) -> bool:
    if language.needs_body or not _BLOCK.match(line, at):
        return False
    return _BEFORE_VALUE.search(line[:at]) is None


def _holds_values(head: str, language: Language) -> bool:
    return bool(_VALUES.search(head)) or not (language.needs_end_mark or _STATEMENTS.search(head))


def _is_in_tag(text: str, end: int) -> bool:
    at = text.rfind("<", 0, end)
    first = text[at + 1 : at + 2]
    return at >= 0 and (first.isalpha() or first == "/") and text.find(">", at, end) < 0


def _is_whole(line: _Line, following: _Line | None, language: Language) -> bool:
    """Check whether a statement ends with a line."""
    code, bracket = line.code, line.bracket
    if bracket is not None and not bracket.is_users and not bracket.is_block:
        return False
    if line.is_in_tag or code.endswith(":") or opens_block(code, language) or _PREFACE.match(code):
        return False
    if code.endswith(","):
        return bracket is not None and bracket.has_values
    if not language.is_prose and _GOES_ON.search(code):
        return False
    if language.needs_end_mark and not code.endswith(_END_MARKS) and not code.startswith("#"):
        return False
    return following is None or language.is_prose or not _goes_on(line, following, language)


def _goes_on(line: _Line, following: _Line, language: Language) -> bool:
    """Check whether a line continues the statement of the line before it."""
    if _CONTINUES.match(following.code):
        return True
    return following.depth > line.depth and not language.has_items and language.blocks is not Blocks.END


def _agreed(ends: Sequence[int], text: str, masked: str, place: FilterContext, cursor: int) -> list[int]:
    """Return the ends that agree with the language's grammar; all if there is none.

    The tree is built from the complete lines, with their open brackets closed.
    """
    stack: list[str] = []
    for match in _MARK.finditer(masked, 0, len(text)):
        if (mark := match.group()) in _CLOSERS:
            stack.append(_CLOSERS[mark])
        elif stack and stack[-1] == mark:
            stack.pop()
    return ends_between_statements(text + "\n" + "".join(reversed(stack)), place.language_id, ends, cursor)
