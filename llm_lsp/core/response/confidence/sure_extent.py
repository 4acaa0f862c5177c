"""Decides whether an automatic suggestion is shown, and how much of it."""

from __future__ import annotations

from dataclasses import dataclass

from llm_lsp.core.generation import Generation
from llm_lsp.core.response.confidence.estimate import SHOWN_FROM, Calibration, Eagerness, chances
from llm_lsp.core.response.suggestion_length import goes_on


@dataclass(frozen=True, slots=True)
class SureExtent:
    """A part of an answer, and how likely it is right."""

    end: int
    """Offset in the generation."""
    chance: float
    least: float
    """The estimate from which it is shown."""

    @property
    def is_shown(self) -> bool:
        """Whether it is likely enough to be right."""
        return self.chance >= self.least


def sure_extent(
    generation: Generation,
    typed: int,
    ends: tuple[int, ...],
    *,
    starts_line: bool,
    eagerness: Eagerness,
    calibration: Calibration,
) -> SureExtent:
    """Return the longest part after `typed` characters that is likely enough to be right, else the first one.

    `ends` are the places at which the answer may be cut, ascending; at least one.
    """
    least, shift = SHOWN_FROM[eagerness], calibration.shift
    found = chances(generation.logprobs, typed, ends, starts_line=starts_line, shift=shift)
    # The estimate only falls along an answer.
    last = max(sum(chance >= least for chance in found) - 1, 0)
    return SureExtent(ends[last], found[last], least)


def cuts(generation: Generation, typed: int, end: int) -> tuple[int, ...]:
    """Return the places up to which the text from `typed` to `end` may be shown, ascending.

    They are those in a line that looks complete so far, the ends of lines, and `end`.
    """
    text = generation.text
    places = {place for place in generation.phrases if typed < place < end}
    at = text.find("\n", typed)
    while 0 <= at < end:
        if not goes_on(text[typed:at]):
            places.add(at)
        at = text.find("\n", at + 1)
    first = end - len(text[typed:end].lstrip())
    return (*sorted(place for place in places if place > first), end)
