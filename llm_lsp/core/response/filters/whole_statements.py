"""An answer that the token limit has cut ends at its last whole statement.

One reading of the text around the cursor and of the answer finds strings, comments and open brackets. A line ends a
statement if no bracket of the answer is open there but a block's, it ends in no operator, heads no block, and the next
one does not go on with it. Where the language has a grammar, a tree of the whole lines must agree: what spans the
line's end is a block, or was begun by the user.
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
# A line's end with which a statement goes on, and a line's beginning.
_GOES_ON = re.compile(
    r"(?:(?<!\+)\+|(?<!-)-|[=*/%&|^<~\\]|[=-]>|\b(?:and|or|not|in|is|extends|implements|from))$"
)
_CONTINUES = re.compile(r"\.(?!\.)|\?|:(?!:)|&&|\|+|\+|=|<<|(?:and|or)\b")
# What only goes with the statement below it: decorators, annotations, attributes.
_PREFACE = re.compile(r"@[\w.]+(?:\(.*\))?$|#!?\[.*\]$|template\s*<")
# What stands before a brace that is a value, and not a block; in Go a type does, without a blank between.
_BEFORE_VALUE = re.compile(r"(?:(?<![=!<>])=|[(\[,:?&|+]|\breturn)\s*$|[\w\]]$")
# A brace at a line's end, with the parameters of a closure.
_BLOCK = re.compile(r"\{\s*(?:\|[^|]*\||[\w\s,:()]*(?:->|\bin))?\s*$")
# Heads of braces that hold values or arms, each with a comma behind it, and of those that hold statements.
_VALUES = re.compile(r"\b(?:enum|switch|match)\b")
_STATEMENTS = re.compile(
    r"\)\s*(?:[-:=][^{]*|\w+\s*)?\{|=>\s*\{"
    r"|\b(?:impl|trait|mod|class|interface|namespace|module|fn|func|fun|if|else|for|while|loop|do|try|finally|unsafe)\b"
)
# Where reading begins in a language of indentation: hardly any string has such a line.
_BODY_HEAD = re.compile(r"(?:async\s+)?(?:def|class)\b")
# What a statement's last mark may be, in a language that wants one; Prolog's is a full stop.
_END_MARKS = (";", "}", ".")


@dataclass(frozen=True, slots=True)
class _Bracket:
    mark: str
    is_block: bool
    is_users: bool
    """Whether it was opened before the cursor."""
    has_values: bool
    """Whether what it holds is divided by commas."""


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the answer; strings and comments in it are blanked."""

    code: str
    """Without white space around it."""
    depth: int
    start: int
    """The offset of its code in the text that was read."""
    end: int
    """The offset of its line end there."""
    bracket: _Bracket | None
    """The innermost one that is open at its end."""
    is_in_tag: bool
    """Whether its end stands inside of a tag."""


def end_at_whole_statement(draft: FilterInput, place: FilterContext) -> FilterInput:
    """Cut an answer that the token limit ended behind its last whole statement; its only line stays as it is."""
    head, newline, _ = draft.text.rpartition("\n")
    if draft.finish is not Finish.LENGTH or not head.strip():
        return draft
    end = _last_end(draft.text, len(head), place)
    return replace(draft, text=head + newline if end is None else draft.text[:end] + newline)


def _last_end(answer: str, whole: int, place: FilterContext) -> int | None:
    """Return where the last whole statement of an answer ends; None if nothing tells.

    `whole` is the end of its last whole line.
    """
    language = place.language
    if language.is_prose and not language.has_tags:
        return None
    before = _text_before(place)
    masked = _masked(before + answer, len(before), language)
    if masked is None:
        return None
    # What was opened further above is opened here.
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
    """Return the text before the cursor that is read, from a line's start on."""
    text = "\n".join((*place.above, place.before))
    if len(text) > LOOK_CHARS:
        text = text[-LOOK_CHARS:].partition("\n")[2]
    if not place.language.needs_body:
        return text
    lines = text.split("\n")
    start = next((n for n, line in enumerate(lines) if _BODY_HEAD.match(line.lstrip())), 0)
    # A grammar wants a head above a line that is indented.
    head = ["if 1:"] if lines[start][:1].isspace() else []
    return "\n".join((*head, *lines[start:]))


def _masked(text: str, cursor: int, language: Language) -> str | None:
    """Blank the strings and comments of a text, their line ends too; None if the user's own one goes on at its end."""
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
    """Return the openers that a text's closers have above it."""
    return "".join(partners(closer) for closer, _ in reversed(loose(masked).closers) if closer in ")]}")


def _lines(masked: str, cursor: int, language: Language, stack: list[_Bracket]) -> Iterator[_Line]:
    """Yield the answer's lines, the first with what stands before the cursor on it."""
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
    """Check whether a line goes on with the statement of the one before it."""
    if _CONTINUES.match(following.code):
        return True
    return following.depth > line.depth and not language.has_items and language.blocks is not Blocks.END


def _agreed(ends: Sequence[int], text: str, masked: str, place: FilterContext, cursor: int) -> list[int]:
    """Return the ends that the language's grammar has as well; all if there is none.

    The tree is of the whole lines, with what is open in them closed.
    """
    stack: list[str] = []
    for match in _MARK.finditer(masked, 0, len(text)):
        if (mark := match.group()) in _CLOSERS:
            stack.append(_CLOSERS[mark])
        elif stack and stack[-1] == mark:
            stack.pop()
    return ends_between_statements(text + "\n" + "".join(reversed(stack)), place.language_id, ends, cursor)
