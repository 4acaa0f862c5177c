"""Finds private keys in a text, line by line, even if their first or last line was cut off.

A line has a role by itself: it begins a key, ends one, or has a run of base64 as long as a key's lines are. What stands
before the run is of no account, so that a key is found in a comment, a string or a listing as well.

    between a beginning and an end         all of it, if there is base64 in it
    after a beginning without an end       what looks like a key's lines, up to the first that does not
    above an end without a beginning       the same, upwards
    neither                                two or more lines of base64 of one length below each other, unless they are
                                           marked as something else (a certificate, a public key)

Every expression is linear, and no line is looked at more than a few times.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from llm_lsp.core.secrets.randomness import is_machine_made

KeyRole = Literal["", "mark", "body"]
"""A mark begins or ends a key; a body line contains base64."""

# Lines in a private key: RSA with 16,384 bits has 200.
KEY_BLOCK_LINES = 256
# Characters. PEM wraps at 64 (RFC 7468), OpenSSH at 70, PGP at 64 or 76; some tools at 48.
MIN_BODY_CHARS = 40
# Columns of a line above that are looked at, at its end: a key of 4,096 bits on one line has 3,300.
LOOK_COLUMNS = 4096
_SHEET_CHARS = range(60, 81)
_MARK = re.compile(
    r"(?P<begin>-{4,5} ?BEGIN[ A-Z0-9_-]{0,60}PRIVATE KEY(?: BLOCK)? ?-{4,5}|PuTTY-User-Key-File-\d|Private-Lines: \d)"
    r"|-{4,5} ?END[ A-Z0-9_-]{0,60}PRIVATE KEY(?: BLOCK)? ?-{4,5}|Private-MAC:"
)
# Literals of which every mark contains one.
MARKS = ("PRIVATE KEY", "PuTTY-User-Key-File-", "Private-Lines: ", "Private-MAC:")
# Characters before a run of base64, such as a line's number and a comment's mark.
_MAX_BEFORE_CHARS = 40
_DIGITS = re.compile(r"\d+")
_OTHER_MARK = re.compile(r"-{4,5} ?(?:BEGIN|END) ")
_BODY = re.compile(rf"[A-Za-z0-9+/]{{{MIN_BODY_CHARS},}}+={{0,2}}")
_RUN = re.compile(r"[A-Za-z0-9+/]{16,}+={0,2}")
# The last line of a key, or the check of a PGP block, with what a comment, a string or a listing adds; base64 has
# groups of four.
_SHORT = re.compile(
    r"\W{0,24}(?:(?:\d{1,6}|echo)\W{1,8})?=?"
    r"(?:[A-Za-z0-9+/]{4}){0,16}(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)"
    r"(?:\\[nrt])*\W{0,12}(?:>\W{0,4}[\w./-]{1,60})?"
)
# Of a key with a password, or a PGP block: `Proc-Type: 4,ENCRYPTED`.
_HEADER = re.compile(r"\W{0,24}[A-Z][A-Za-z-]{2,30}: ")


class KeySpan(NamedTuple):
    """A part of a line that belongs to a key."""

    line: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Mark:
    line: int
    start: int
    end: int
    begins: bool


def key_roles(lines: Sequence[str], words: Collection[bytes]) -> Mapping[int, KeyRole]:
    """Return the roles of lines in private keys, by line number; `words` has the long words of the lines."""
    roles: dict[int, KeyRole] = {}
    if words and len(max(words, key=len)) >= MIN_BODY_CHARS:
        roles |= {
            number: "body"
            for number, line in enumerate(lines)
            if len(line) >= MIN_BODY_CHARS and _BODY.search(line)
        }
    for mark in MARKS:
        roles |= {number: "mark" for number, line in enumerate(lines) if mark in line and _MARK.search(line)}
    return roles


def key_spans(lines: Sequence[str], roles: Sequence[KeyRole]) -> Iterator[KeySpan]:
    """Yield the parts of lines that belong to private keys, in order; some may be empty."""
    marks = [
        _Mark(number, *match.span(), match["begin"] is not None)
        for number, role in enumerate(roles)
        if role == "mark"
        for match in _MARK.finditer(lines[number])
    ]
    floor, last = 0, _Mark(0, 0, 0, begins=False)
    """The first line after all earlier keys, and the mark before."""
    while marks:
        mark, following = marks.pop(0), marks[0] if marks else None
        if not mark.begins:
            yield from _above(lines, mark, floor, last.end if last.line == mark.line else 0)
        elif following and not following.begins and following.line - mark.line <= KEY_BLOCK_LINES:
            yield from _between(lines, mark, marks.pop(0))
            mark = following
        else:
            yield from _below(lines, mark, following or _Mark(len(lines), 0, 0, begins=True))
        floor, last = mark.line + 1, mark
    yield from _sheets(lines, roles)


def begun_above(above: Sequence[str]) -> str:
    """Return the line that begins a private key which continues below some lines, nearest last; "" if there is
    none.

    Placed before a text that was cut from there, it shows that the text's first lines belong to a key.
    """
    for number in range(len(above) - 1, max(-1, len(above) - 1 - KEY_BLOCK_LINES), -1):
        line = above[number][-LOOK_COLUMNS:].rstrip("\r\n")
        marks = [*_MARK.finditer(line)]
        if marks:
            return line if marks[-1]["begin"] is not None else ""
        if not (_is_body(line) or _is_beside_body(line)):
            return ""
    return ""


def is_in_key(above: Sequence[str], line: str, column: int) -> bool:
    """Check whether a position is in a private key that has begun: `above` has the lines before, nearest last."""
    marks = [*_MARK.finditer(line, 0, column)]
    if marks:
        return marks[-1]["begin"] is not None and column > marks[-1].end() and not _MARK.match(line, column)
    return begun_above(above) != ""


def _between(lines: Sequence[str], begin: _Mark, end: _Mark) -> Iterator[KeySpan]:
    """Yield everything between two marks, unless they are only mentioned in a text about keys."""
    spans = []
    for number in range(begin.line, end.line + 1):
        start = begin.end if number == begin.line else 0
        stop = end.start if number == end.line else len(lines[number])
        spans.append(KeySpan(number, start, stop))
    if any(_RUN.search(lines[span.line], span.start, span.end) for span in spans):
        yield from spans


def _below(lines: Sequence[str], begin: _Mark, following: _Mark) -> Iterator[KeySpan]:
    line = lines[begin.line]
    stop = following.start if following.line == begin.line else len(line)
    has_body = _RUN.search(line, begin.end, stop) is not None
    if has_body:
        yield KeySpan(begin.line, begin.end, stop)
    for number in range(begin.line + 1, min(following.line, begin.line + KEY_BLOCK_LINES)):
        line = lines[number]
        if _is_body(line):
            has_body = True
            yield KeySpan(number, 0, len(line))
        elif has_body and line.strip():
            if _SHORT.fullmatch(line):
                yield KeySpan(number, 0, len(line))
            return
        elif not _is_beside_body(line):
            return


def _above(lines: Sequence[str], end: _Mark, floor: int, column: int) -> Iterator[KeySpan]:
    """Yield the lines of a key above its last one, from line `floor` on, and its part from `column` on."""
    if _RUN.search(lines[end.line], column, end.start):
        yield KeySpan(end.line, column, end.start)
    top = end.line
    while top > max(floor, end.line - KEY_BLOCK_LINES) and _is_body(lines[top - 1]):
        top -= 1
    if top == end.line:
        # The last lines of a key, and the check of a PGP block, are short.
        short = top
        while short > max(floor, end.line - 2) and _SHORT.fullmatch(lines[short - 1]):
            short -= 1
        top = short
        while top > max(floor, end.line - KEY_BLOCK_LINES) and _is_body(lines[top - 1]):
            top -= 1
        if top == short and short > floor:
            return  # Words, and nothing of a key above them.
    yield from (KeySpan(number, 0, len(lines[number])) for number in range(top, end.line))


def _sheets(lines: Sequence[str], roles: Sequence[KeyRole]) -> Iterator[KeySpan]:
    sheet: list[KeySpan] = []
    form = ""
    for number in (*(number for number, role in enumerate(roles) if role == "body"), len(lines)):
        match = _BODY.search(lines[number]) if number < len(lines) else None
        this = _form(match) if match else ""
        if match and this and this == form and number == sheet[-1].line + 1:
            sheet.append(KeySpan(number, *match.span()))
            continue
        if len(sheet) > 1 and _is_base64(lines, sheet[0]):
            yield from _whole_sheet(lines, sheet)
        sheet, form = [KeySpan(number, *match.span())] if match and this else [], this


def _whole_sheet(lines: Sequence[str], sheet: Sequence[KeySpan]) -> Iterator[KeySpan]:
    """Yield a block of base64 lines and its short last line, unless it is marked as something else."""
    below = sheet[-1].line + 1
    if _is_marked(lines, sheet[0].line, below):
        return
    yield from sheet
    if below < len(lines) and _SHORT.fullmatch(lines[below]):
        yield KeySpan(below, 0, len(lines[below]))


def _form(match: re.Match[str]) -> str:
    """Return what stands before a line's run of base64, its digits apart, and the run's length; "" if it is of
    no sheet.
    """
    start, end = match.span()
    before = match.string[max(0, start - LOOK_COLUMNS) : start].strip()
    if end - start not in _SHEET_CHARS or len(before) > _MAX_BEFORE_CHARS:
        return ""
    return f"{_DIGITS.sub('0', before)} {end - start}"


def _is_base64(lines: Sequence[str], span: KeySpan) -> bool:
    text = lines[span.line][span.start : span.end]
    return text != text.lower() and text != text.upper() and is_machine_made(text)


def _is_marked(lines: Sequence[str], first: int, stop: int) -> bool:
    """Check whether lines are marked as a certificate or another block that is not secret."""
    around = (*lines[max(0, first - 3) : first], *lines[stop : stop + 2])
    return any(_OTHER_MARK.search(line) and not _MARK.search(line) for line in around)


def _is_body(line: str) -> bool:
    match = _RUN.search(line)
    return match is not None and (len(match[0]) >= MIN_BODY_CHARS or is_machine_made(match[0]))


def _is_beside_body(line: str) -> bool:
    """Check whether a line without base64 may be part of a key: a blank line, a header, the last line."""
    return not line.strip() or _HEADER.match(line) is not None or _SHORT.fullmatch(line) is not None
