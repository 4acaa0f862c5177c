"""Filters that take from an answer what the document has already; know nothing of indentation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from llm_lsp.core.generation import Finish
from llm_lsp.core.response.filter import FilterContext, FilterInput
from llm_lsp.core.skip import Reason, Skip
from llm_lsp.core.text.brackets import CLOSERS, loose

# Characters. A shorter line that comes again says nothing: `}` and `else:` do.
TELLING_LINE_CHARS = 5
# What may stand after a closer at a line's end.
END_MARKS = ";,"
# Ways of one kind to join an answer to the rest of its line, and characters that are looked at for brackets:
# a model that writes a thousand closers takes no more time than one that writes code.
MAX_JOINTS = 4
JOINT_CHARS = 500


def drop_echo(draft: FilterInput, place: FilterContext) -> FilterInput:
    """Take off the line's beginning where the answer writes it again: `x = max(` after `x = max(`.

    A beginning without a blank inside may well come twice: `max(max(`, `Array<Array<`.
    """
    line = place.before.strip()
    text = draft.text.lstrip(" \t")
    if len(line) < TELLING_LINE_CHARS or len(line.split()) < 2 or not text.startswith(line):
        return draft
    return replace(draft, text=text[len(line) :])


def drop_lines_that_follow(draft: FilterInput, place: FilterContext) -> FilterInput | Skip:
    """Drop last lines that are the document's next lines."""
    below = place.below
    if not place.before.strip() and place.rest.strip():
        below = (place.before + place.rest, *below)
    lines = (place.before + draft.text).split("\n")
    kept = [idx for idx, line in enumerate(lines) if line.strip()]
    for size in range(min(len(kept), len(below)), 0, -1):
        last = [lines[idx] for idx in kept[-size:]]
        if all(map(_same_line, last, below)) and _may_drop(lines, kept[-size], last):
            if kept[-size] == 0:
                return Skip(Reason.REPEATS_SUFFIX)
            return replace(draft, text="\n".join(draft.text.split("\n")[: kept[-size]]).rstrip() + "\n")
    return draft


def _same_line(one: str, other: str) -> bool:
    if one.rstrip() == other.rstrip():
        return True
    return len(one.strip()) >= TELLING_LINE_CHARS and one.strip() == other.strip()


def _may_drop(lines: list[str], start: int, last: list[str]) -> bool:
    """A line of closers only is dropped where it has no partner in the answer."""
    if any(any(map(str.isalnum, line)) for line in last):
        return True
    return len(loose("\n".join(lines[: start + len(last)])).closers) > 0


def drop_line_above(draft: FilterInput, place: FilterContext) -> FilterInput | Skip:
    """Refuse an answer that begins with the very line that stands above."""
    first, _, others = draft.text.partition("\n")
    line = place.before + first
    if not place.above or line.rstrip() != place.above[-1].rstrip() or len(line.strip()) < TELLING_LINE_CHARS:
        return draft
    if place.before.strip() or not others.strip():
        return Skip(Reason.REPEATS_PREFIX)
    return replace(draft, text=others.removeprefix(place.before))


def merge_rest_of_line(draft: FilterInput, place: FilterContext) -> FilterInput:
    """Do not write again what stands after the cursor, nor close what is closed there.

    Of all ways to join the text and the rest of the line, the one with the fewest brackets and quotes
    without partner is taken; of equal ones, the first.
    """
    if not place.rest.strip() or not place.before.strip():
        return draft
    return min(_joints(draft, place), key=lambda one: _count_loose(one, place))


def _joints(draft: FilterInput, place: FilterContext) -> Iterator[FilterInput]:
    """Give the ways to join: less what both have, as it is, in the place of mere closers, cut at a loose closer."""
    text, rest = draft.text.rstrip(), place.rest.rstrip()
    sizes = (size for size in range(min(len(rest), len(text)), 0, -1) if text.endswith(rest[:size]))
    for size in islice((size for size in sizes if not rest[:size].isspace()), MAX_JOINTS):
        yield replace(draft, text=text[: len(text) - size])
    yield draft
    if all(one in CLOSERS or one in END_MARKS for one in rest):
        yield replace(draft, text=text, replaced=len(rest))
    if len(text) <= JOINT_CHARS:
        for _, at in loose(text).closers[:MAX_JOINTS]:
            yield replace(draft, text=text[:at])


def _count_loose(draft: FilterInput, place: FilterContext) -> int:
    code = place.before[-JOINT_CHARS:] + draft.text[-JOINT_CHARS:]
    found = loose(code + place.rest[draft.replaced :][:JOINT_CHARS])
    return len(found.closers) + len(found.openers)


def end_whole_lines(draft: FilterInput, place: FilterContext) -> FilterInput:
    """Before a line that stands there already, inserted lines end with a line end, and that line keeps its depth."""
    if place.before.strip() or not place.rest.strip() or _begins_the_line(draft, place):
        return draft
    return replace(draft, text=draft.text.rstrip() + "\n" + place.before)


def _begins_the_line(draft: FilterInput, place: FilterContext) -> bool:
    """Say whether the text is meant to stand on one line with what follows: `result = ` before a call."""
    if draft.finish is not Finish.STOP or "\n" in draft.text or place.rest[0].isspace():
        return False
    last = draft.text[-1]
    return not (last.isalnum() or last in CLOSERS or last in END_MARKS + ":")
