"""Finds the brackets and quotes in a piece of code that have no partner."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_PAIRS = {")": "(", "]": "[", "}": "{", "）": "（", "】": "【", "」": "「"}
_OPENERS = frozenset(_PAIRS.values())
_QUOTES = frozenset("\"'`")
CLOSERS = frozenset(_PAIRS) | _QUOTES
# What may follow a closer at the end of a line.
END_MARKS = ";,"
_CLOSING = "".join(CLOSERS) + END_MARKS + " \t"


@dataclass(frozen=True, slots=True)
class UnmatchedBrackets:
    """The brackets and quotes without a partner."""

    closers: tuple[tuple[str, int], ...]
    """Closers and their offsets, in order."""
    openers: str
    """Openers in order; a quote at the end is an open string."""


def is_closing(rest: str) -> bool:
    """Check whether the rest of a line consists of closers and end marks."""
    return rest.strip() != "" and not rest.strip(_CLOSING)


def partners(closers: str) -> str:
    """Return the openers for closers, in the same order."""
    return "".join(_PAIRS[closer] for closer in closers)


def loose(code: str) -> UnmatchedBrackets:
    """Return the brackets without a partner; brackets inside a string on one line do not count.

    A quote after a letter (`don't`), or without a partner on its line, does not begin a string, unless it is
    the last thing that is open.
    """
    stack: list[str] = []
    closers: list[tuple[str, int]] = []
    last_line = code.rfind("\n") + 1
    unclosed: dict[str, int] = {}
    """By quote: the end of a line that has no more strings of it, so that no character is tried twice."""
    at = 0
    while match := _MARK.search(code, at):
        mark, at = match.group(), match.end()
        if mark in _QUOTES:
            start = match.start()
            string = _STRINGS[mark].match(code, start) if start >= unclosed.get(mark, 0) else None
            if string is not None:
                at = string.end()
                continue
            if start >= unclosed.get(mark, 0):
                end = code.find("\n", start)
                unclosed[mark] = end if end >= 0 else len(code)
            if start >= last_line:
                stack.append(mark)
        elif mark in _OPENERS:
            stack.append(mark)
        elif stack and stack[-1] == _PAIRS[mark]:
            stack.pop()
        else:
            closers.append((mark, match.start()))
    return UnmatchedBrackets(tuple(closers), "".join(stack))


def imbalance(code: str) -> int:
    """Return the number of unmatched openers minus that of unmatched closers; quotes do not count."""
    found = loose(code)
    return sum(opener in _OPENERS for opener in found.openers) - len(found.closers)


# A string on one line. If it has no end there, neither has a later quote of the same kind: each character that it
# escapes, the later string would escape as well.
_STRINGS: Mapping[str, re.Pattern[str]] = {
    quote: re.compile(rf"{quote}(?:[^{quote}\\\n]+|\\.)*+{quote}") for quote in _QUOTES
}
# A quote or a bracket, except an apostrophe after a letter.
_MARK = re.compile(rf"(?<![^\W_])'|[\"`{re.escape(''.join((*_PAIRS, *_OPENERS)))}]")
