"""Repeats the last change of tokens in other lines."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from llm_lsp.core.edits.line_changes import MAX_LINE_CHARS
from llm_lsp.core.edits.next_edit import EditKind, NextEdit, line_edit
from llm_lsp.core.edits.rewrite import WHOLE_SIDE, Rewrite, RewrittenLine, Shape
from llm_lsp.core.edits.situation import RewrittenAt, Situation
from llm_lsp.core.text.text import Point

# Most rules of the last change that are tried, and most places for one: more places point to a common idiom.
MAX_RULES = 6
MAX_PLACES = 8
# Tokens next to the place that must agree: three, or all on one side and one more.
SOME_CONTEXT, WHOLE_CONTEXT = 3, WHOLE_SIDE + 1
# Conditions for repeating a change that was made once: one line, a whole side that agrees, few places nearby.
ONCE_LETTERS, ONCE_PLACES, ONCE_LINES = 8, 3, 20
# Share of exact edits in the histories used to set up the rules, where an edit in a finished file counts as wrong: by
# kind of change, for changes made once, twice, and three times or more, if a whole side agrees.
_WHOLE: Mapping[Shape, tuple[float, float, float]] = MappingProxyType(
    {
        "name": (0.5, 0.75, 0.9),
        "tokens": (0.45, 0.75, 0.88),
        "sequence": (0.4, 0.63, 0.84),
        "insertion": (0.2, 0.45, 0.7),
    }
)
_ONCE_STRONG = 0.66
# The same with less context.
_SOME_RENAMED, _SOME, _LITTLE = 0.75, 0.3, 0.2
# Factor for edits in comments: what a comment says about the same thing is rarely worded the same.
_IN_COMMENTS = 0.7


@dataclass(frozen=True, slots=True)
class _Place:
    line: int
    old: str
    match: RewrittenLine


def repeats(situation: Situation, kept: Collection[tuple[str, str]]) -> Iterator[NextEdit]:
    """Yield the places where a rule of the last change applies again.

    `kept` has old and new names that are changed nowhere else, because the new name has another meaning there.
    """
    for made in situation.last_made[:MAX_RULES]:
        if made.rewrite.renamed not in kept:
            yield from _repeats_of(situation, made)


def _repeats_of(situation: Situation, made: RewrittenAt) -> Iterator[NextEdit]:
    rewrite = made.rewrite
    places = list(_places(situation, rewrite))
    if not 0 < len(places) <= MAX_PLACES:
        return
    times = situation.times_made(rewrite)
    is_alone = (
        situation.is_one_line
        and not rewrite.is_deletion
        and rewrite.shape != "insertion"
        and rewrite.letters >= ONCE_LETTERS
        and len(places) <= ONCE_PLACES
    )
    own_region = situation.region(Point(made.line, rewrite.new_column))
    for place in places:
        region = situation.region(Point(place.line, place.match.start))
        if region != own_region:
            continue
        is_strong = is_alone and abs(situation.distance(place.line)) <= ONCE_LINES
        confidence = _confidence(rewrite, times, place.match.agreement, is_strong=is_strong)
        if region == "comment":
            confidence *= _IN_COMMENTS
        yield line_edit(EditKind.REPEAT, place.line, place.old, place.match.text, confidence)


def _places(situation: Situation, rewrite: Rewrite) -> Iterator[_Place]:
    """Yield the lines that a rule changes, stopping after one too many."""
    count = 0
    for number, line in _lines_with(situation, rewrite.anchors):
        if len(line) > MAX_LINE_CHARS or situation.is_just_changed(number):
            continue
        if match := rewrite.apply(line):
            yield _Place(number, line, match)
            count += 1
            if count > MAX_PLACES:
                return


def _lines_with(situation: Situation, anchors: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """Yield the lines that contain one of some texts."""
    if not anchors:
        return
    first, *others = anchors
    text = situation.document.text
    for start, block in zip(text.starts, text.blocks, strict=True):
        for offset, line in enumerate(block):
            if first in line or (others and any(other in line for other in others)):
                yield start + offset, text.line(start + offset)


def _confidence(rewrite: Rewrite, times: int, agreement: int, *, is_strong: bool) -> float:
    """Return the share of such edits that were right, by how often the change was made and how well the lines
    agree.
    """
    if agreement >= WHOLE_CONTEXT:
        if times == 1 and is_strong:
            return _ONCE_STRONG
        return _WHOLE[rewrite.shape][min(times, 3) - 1]
    if agreement >= SOME_CONTEXT:
        return _SOME_RENAMED if times >= 3 and rewrite.shape == "name" else _SOME
    return _LITTLE
