"""The same change of tokens in other lines."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from llm_lsp.core.edits.line_changes import MAX_LINE_CHARS
from llm_lsp.core.edits.next_edit import EditKind, NextEdit, line_edit
from llm_lsp.core.edits.rewrite import WHOLE_SIDE, Rewrite, RewrittenLine, Shape
from llm_lsp.core.edits.situation import RewrittenAt, Situation
from llm_lsp.core.text.text import Point

# Rules of the last change that are tried, and places of one: beyond them it is no rule, but a habit of the language.
MAX_RULES = 6
MAX_PLACES = 8
# Tokens beside the place that agree: three, or all of a side and one more.
SOME_CONTEXT, WHOLE_CONTEXT = 3, WHOLE_SIDE + 1
# What a change that was made once must be to be shown: one line, with a whole side alike, few places nearby.
ONCE_LETTERS, ONCE_PLACES, ONCE_LINES = 8, 3, 20
# Shares of edits that were exact in the histories by which the rules were set, those in finished files counted as wrong:
# by what was changed, for a change that was made once, twice, and three times or more, with a whole side alike.
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
# Share of edits in comments that were right, by that of the others: what is said there twice is said in other words.
_IN_COMMENTS = 0.7


@dataclass(frozen=True, slots=True)
class _Place:
    line: int
    old: str
    match: RewrittenLine


def repeats(situation: Situation, kept: Collection[tuple[str, str]]) -> Iterator[NextEdit]:
    """Yield the places where the last change fits once more, for each of its rules.

    `kept` are names, old and new, that are not changed anywhere else: the new one means another thing there.
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
    """Yield the lines that a rule changes, up to one more than may be."""
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
    """Yield the lines that hold one of some texts."""
    if not anchors:
        return
    first, *others = anchors
    text = situation.document.text
    for start, block in zip(text.starts, text.blocks, strict=True):
        for offset, line in enumerate(block):
            if first in line or (others and any(other in line for other in others)):
                yield start + offset, text.line(start + offset)


def _confidence(rewrite: Rewrite, times: int, agreement: int, *, is_strong: bool) -> float:
    """Return how many such edits were right, by how often the change was made and how much of the line agrees."""
    if agreement >= WHOLE_CONTEXT:
        if times == 1 and is_strong:
            return _ONCE_STRONG
        return _WHOLE[rewrite.shape][min(times, 3) - 1]
    if agreement >= SOME_CONTEXT:
        return _SOME_RENAMED if times >= 3 and rewrite.shape == "name" else _SOME
    return _LITTLE
