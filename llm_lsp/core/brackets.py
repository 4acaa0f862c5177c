"""Which brackets and quotes of a piece of code have no partner in it; knows no language's grammar."""

from __future__ import annotations

from dataclasses import dataclass

_PAIRS = {")": "(", "]": "[", "}": "{", "）": "（", "】": "【", "」": "「"}
_OPENERS = frozenset(_PAIRS.values())
_QUOTES = "\"'`"
CLOSERS = frozenset(_PAIRS) | frozenset(_QUOTES)


@dataclass(frozen=True, slots=True)
class Loose:
    """What has no partner."""

    closers: tuple[tuple[str, int], ...]
    """Closers and their offsets, in order."""
    openers: str
    """Openers in order; a quote at the end is a string that goes on."""


def loose(code: str) -> Loose:
    """Find the brackets without partner; brackets inside a string on one line are text.

    A quote after a letter (`don't`) or without partner on its line is no string's beginning, unless it is
    the last thing that is open.
    """
    stack: list[str] = []
    closers: list[tuple[str, int]] = []
    at = 0
    while at < len(code):
        character = code[at]
        if character in _QUOTES and not (character == "'" and at and code[at - 1].isalnum()):
            end = _string_end(code, at)
            if end < 0 and "\n" not in code[at:]:
                stack.append(character)
            at = max(at, end)
        elif character in _OPENERS:
            stack.append(character)
        elif (opener := _PAIRS.get(character)) is not None:
            if stack and stack[-1] == opener:
                stack.pop()
            else:
                closers.append((character, at))
        at += 1
    return Loose(tuple(closers), "".join(stack))


def imbalance(code: str) -> int:
    """Count the openers without partner less the closers without one; quotes do not count."""
    found = loose(code)
    return sum(opener in _OPENERS for opener in found.openers) - len(found.closers)


def _string_end(code: str, start: int) -> int:
    at = start + 1
    while at < len(code) and code[at] != "\n":
        if code[at] == "\\":
            at += 1
        elif code[at] == code[start]:
            return at
        at += 1
    return -1
