"""Which brackets and quotes of a piece of code have no partner in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_PAIRS = {")": "(", "]": "[", "}": "{", "）": "（", "】": "【", "」": "「"}
_OPENERS = frozenset(_PAIRS.values())
_QUOTES = frozenset("\"'`")
CLOSERS = frozenset(_PAIRS) | _QUOTES
# What may stand after a closer at a line's end.
END_MARKS = ";,"
_CLOSING = "".join(CLOSERS) + END_MARKS + " \t"


@dataclass(frozen=True, slots=True)
class UnmatchedBrackets:
    """What has no partner."""

    closers: tuple[tuple[str, int], ...]
    """Closers and their offsets, in order."""
    openers: str
    """Openers in order; a quote at the end is a string that goes on."""


def is_closing(rest: str) -> bool:
    """Check whether the rest of a line is closers and end marks alone."""
    return rest.strip() != "" and not rest.strip(_CLOSING)


def partners(closers: str) -> str:
    """Return the openers of closers, in the same order."""
    return "".join(_PAIRS[closer] for closer in closers)


def loose(code: str) -> UnmatchedBrackets:
    """Find the brackets without partner; brackets inside a string on one line are text.

    A quote after a letter (`don't`) or without partner on its line is no string's beginning, unless it is
    the last thing that is open.
    """
    stack: list[str] = []
    closers: list[tuple[str, int]] = []
    last_line = code.rfind("\n") + 1
    unclosed: dict[str, int] = {}
    """By quote: the end of the line that has no string of it any more, so that no character is tried twice."""
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
    """Count the openers without partner less the closers without one; quotes do not count."""
    found = loose(code)
    return sum(opener in _OPENERS for opener in found.openers) - len(found.closers)


# A string on one line. What has no end there is a quote without partner, and so is each later one of its kind: a
# character that this one escapes, every string behind it escapes as well.
_STRINGS: Mapping[str, re.Pattern[str]] = {
    quote: re.compile(rf"{quote}(?:[^{quote}\\\n]+|\\.)*+{quote}") for quote in _QUOTES
}
# A quote or a bracket; an apostrophe after a letter is none of them.
_MARK = re.compile(rf"(?<![^\W_])'|[\"`{re.escape(''.join((*_PAIRS, *_OPENERS)))}]")
