"""Pairs each changed line with its earlier version."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from llm_lsp.core.context.edit_history import ChangedLines

# Characters. Longer lines are generated, and would take long to compare.
MAX_LINE_CHARS = 400
# Least share of common words for a line to count as a new version of another.
_LEAST_LIKENESS = 0.5

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class LineChange:
    """A changed line, without line ends."""

    line: int
    """Its position in the text after the change."""
    old: str
    new: str


def line_changes(change: ChangedLines) -> tuple[LineChange, ...]:
    """Pair changed lines with their earlier versions; lines that were only inserted or deleted have none."""
    old, new = (tuple(map(_without_end, lines)) for lines in (change.old, change.new))
    pairs = _pairs([line.strip() for line in old], [line.strip() for line in new])
    return tuple(
        LineChange(change.start + there, old[here], new[there])
        for here, there in pairs
        if old[here] != new[there] and max(len(old[here]), len(new[there])) <= MAX_LINE_CHARS
    )


def _pairs(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int, int]]:
    if len(old) == len(new):
        yield from zip(range(len(old)), range(len(new)), strict=True)
        return
    for tag, first, stop, new_first, new_stop in SequenceMatcher(
        None, old, new, autojunk=False
    ).get_opcodes():
        if tag != "replace":
            continue
        if stop - first == new_stop - new_first:
            yield from zip(range(first, stop), range(new_first, new_stop), strict=True)
        else:
            yield from _alike(old, range(first, stop), new, range(new_first, new_stop))


def _alike(
    old: Sequence[str], old_lines: range, new: Sequence[str], new_lines: range
) -> Iterator[tuple[int, int]]:
    """Pair each line with the most similar one after the previous pair."""
    words = {number: Counter(_WORD.findall(new[number])) for number in new_lines}
    first = new_lines.start
    for number in old_lines:
        mine = Counter(_WORD.findall(old[number]))
        found = max(
            range(first, new_lines.stop),
            key=lambda other: (_likeness(mine, words[other]), -other),
            default=None,
        )
        if found is not None and _likeness(mine, words[found]) >= _LEAST_LIKENESS:
            yield number, found
            first = found + 1


def _likeness(one: Counter[str], other: Counter[str]) -> float:
    total = one.total() + other.total()
    return 2 * (one & other).total() / total if total else 0.0


def _without_end(line: str) -> str:
    return line.rstrip("\r\n")
