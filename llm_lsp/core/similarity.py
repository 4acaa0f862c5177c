"""How alike two pieces of code are, by the words in them; knows no files and no cursor."""

from __future__ import annotations

import re
from collections.abc import Sequence, Set
from dataclasses import dataclass

# Lines of a window, and from one to the next: RepoCoder's (arXiv 2303.12570), which found whole files and single
# functions no better.
WINDOW_LINES = 20
STRIDE_LINES = 10
# Of a longer line only this many characters count: what is longer was written by a program.
_LINE_CHARS = 400

_WORD = re.compile(r"[^\W\d]\w{2,}")
# Lines shorter than this say nothing of where they come from: `}`, `else:`, `return`.
_TELLING_CHARS = 8


@dataclass(frozen=True, slots=True)
class Window:
    """Some lines of a text: from `start` up to and without `stop`, 0-based."""

    start: int
    stop: int
    words: frozenset[str]


def words_of(lines: Sequence[str]) -> frozenset[str]:
    """Give the words of three characters and more, which is nearly all names and few operators."""
    return frozenset(word for line in lines for word in _WORD.findall(line[:_LINE_CHARS]))


def windows_of(lines: Sequence[str]) -> tuple[Window, ...]:
    """Cut a text into windows that overlap by half; the last one ends with the text."""
    last = max(0, len(lines) - WINDOW_LINES)
    starts = [*range(0, last, STRIDE_LINES), last]
    found = []
    for start in starts:
        piece = lines[start : start + WINDOW_LINES]
        found.append(Window(start, start + len(piece), words_of(piece)))
    return tuple(found)


def jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    """Give the share of common words, 0 to 1; 0 where either has none."""
    common = len(one & other)
    return common / (len(one) + len(other) - common) if common else 0.0


def repeated_share(text: str, lines: Set[str]) -> float:
    """Give the share of a text's telling lines that stand among `lines`, stripped ones; 0 where it has none."""
    telling = telling_lines(text.splitlines())
    return len(telling & lines) / len(telling) if telling else 0.0


def telling_lines(lines: Sequence[str]) -> frozenset[str]:
    """Give the lines that tell where they come from, stripped."""
    stripped = (line[:_LINE_CHARS].strip() for line in lines)
    return frozenset(line for line in stripped if len(line) >= _TELLING_CHARS)
