"""Which brackets and quotes of a piece of code have no partner in it; knows no language's grammar."""

from __future__ import annotations

import re
from dataclasses import dataclass

_PAIRS = {")": "(", "]": "[", "}": "{", "）": "（", "】": "【", "」": "「"}
_OPENERS = frozenset(_PAIRS.values())
_QUOTES = frozenset("\"'`")
CLOSERS = frozenset(_PAIRS) | _QUOTES


@dataclass(frozen=True, slots=True)
class UnmatchedBrackets:
    """What has no partner."""

    closers: tuple[tuple[str, int], ...]
    """Closers and their offsets, in order."""
    openers: str
    """Openers in order; a quote at the end is a string that goes on."""


def loose(code: str) -> UnmatchedBrackets:
    """Find the brackets without partner; brackets inside a string on one line are text.

    A quote after a letter (`don't`) or without partner on its line is no string's beginning, unless it is
    the last thing that is open.
    """
    stack: list[str] = []
    closers: list[tuple[str, int]] = []
    last_line = code.rfind("\n") + 1
    for match in _MARK.finditer(code):
        mark = match.group()
        if mark in _QUOTES:
            if match.start() >= last_line:
                stack.append(mark)
        elif mark in _OPENERS:
            stack.append(mark)
        elif (opener := _PAIRS.get(mark)) is not None:
            if stack and stack[-1] == opener:
                stack.pop()
            else:
                closers.append((mark, match.start()))
    return UnmatchedBrackets(tuple(closers), "".join(stack))


def imbalance(code: str) -> int:
    """Count the openers without partner less the closers without one; quotes do not count."""
    found = loose(code)
    return sum(opener in _OPENERS for opener in found.openers) - len(found.closers)


def _string(quote: str) -> str:
    return f"{quote}(?:[^{quote}\\\\\n]|\\\\.)*{quote}"


# A whole string, a quote without partner on its line, or a bracket; an apostrophe after a letter is none of them.
_MARK = re.compile(
    f"{_string(chr(34))}|{_string('`')}|(?<![^\\W_])(?:{_string(chr(39))}|')|[\"`{re.escape(''.join((*_PAIRS, *_OPENERS)))}]"
)
