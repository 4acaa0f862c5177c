"""From what a model wrote to what is inserted: a list of small filters; knows neither the model nor the time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from llm_lsp.core.brackets import CLOSERS, loose
from llm_lsp.core.languages import (
    Language,
    indent_of,
    indent_unit,
    language_of,
    opens_block,
    without_comment,
)
from llm_lsp.core.redact import holds_mask
from llm_lsp.core.text import Text
from llm_lsp.core.types import CompletionRequest, Document, Finish, Point, Reason, Skip
from llm_lsp.core.unsafe import unsafe_characters

# Lines on each side that an answer is compared with.
LOOK_LINES = 32
# Columns of a long line that are looked at on each side.
LOOK_COLUMNS = 1000
# Characters. A shorter line that comes again says nothing: `}` and `else:` do.
TELLING_LINE_CHARS = 5
# A unit that comes this often in a row is a model that turns in circles.
MAX_REPEATS = 3
# What may stand after a closer at a line's end.
END_MARKS = ";,"


@dataclass(frozen=True, slots=True)
class Insertion:
    """The text that replaces everything from the request's point to `end`, which is on the same line."""

    text: str
    end: Point


@dataclass(frozen=True, slots=True)
class Place:
    """What stands around a cursor, lines without their ends."""

    before: str
    """The current line before the cursor."""
    rest: str
    """The current line after the cursor."""
    above: tuple[str, ...]
    """Lines above with text, nearest last."""
    below: tuple[str, ...]
    """Lines below with text, nearest first."""
    line_end: str
    """What ends the document's lines."""
    language: Language


@dataclass(frozen=True, slots=True)
class Draft:
    """An answer between two filters."""

    text: str
    finish: Finish
    replaced: int = 0
    """Characters of the rest of the line that the text stands for."""


Filter = Callable[[Draft, Place], Draft | Skip]


def postprocess(text: str, finish: Finish, request: CompletionRequest) -> Insertion | Skip:
    """Make what remains to be inserted at the request's point fit to be inserted."""
    document, point = request.document, request.document.text.clamp(request.point)
    place = place_at(document, point)
    draft = Draft(text.replace("\r\n", "\n").replace("\r", "\n"), finish)
    for step in FILTERS:
        done = step(draft, place)
        if isinstance(done, Skip):
            return done
        draft = done
    if (found := unsafe_characters(draft.text)) and not found <= _occurring(found, document.text):
        return Skip(Reason.UNSAFE)
    return Insertion(
        draft.text.replace("\n", place.line_end), Point(point.line, point.column + draft.replaced)
    )


def place_at(document: Document, point: Point) -> Place:
    """Read what stands around a point; costs a bounded number of lines."""
    text = document.text
    line = text.line(point.line)
    return Place(
        before=line[max(0, point.column - LOOK_COLUMNS) : point.column],
        rest=line[point.column : point.column + LOOK_COLUMNS],
        above=_with_text(text.lines(point.line - LOOK_LINES, point.line)),
        below=_with_text(text.lines(point.line + 1, point.line + 1 + LOOK_LINES)),
        line_end=text.line_end(point.line) or text.line_end(max(0, point.line - 1)) or "\n",
        language=language_of(document.language),
    )


def _with_text(lines: list[str]) -> tuple[str, ...]:
    return tuple(line.rstrip("\r\n")[:LOOK_COLUMNS] for line in lines if line.strip())


def _occurring(characters: frozenset[str], text: Text) -> frozenset[str]:
    return frozenset(one for one in characters if any(one in line for block in text.blocks for line in block))


_CONTROL_TOKEN = re.compile(
    r"<\|[a-z_]{2,20}\|>|<｜[^｜\n]{2,30}｜>|<(fim|file|repo)_[a-z]+>|<EOT>|<\|[a-z_]{0,20}$"
)


def cut_control_tokens(draft: Draft, place: Place) -> Draft:
    """Cut at a control token that leaked, or at the beginning of one at the very end."""
    around = "\n".join((*place.above, place.before, place.rest, *place.below))
    for match in _CONTROL_TOKEN.finditer(draft.text):
        if match.group() not in around:
            return replace(draft, text=draft.text[: match.start()])
    return draft


_FENCE = re.compile(r"^\s*```[\w+-]*\n")


def strip_fences(draft: Draft, place: Place) -> Draft:
    """Take off a Markdown fence around an answer that is no Markdown."""
    if "```" not in draft.text or any("```" in line for line in (*place.above, *place.below)):
        return draft
    text = _FENCE.sub("", draft.text)
    return replace(draft, text=text.partition("\n```")[0])


def drop_truncated_line(draft: Draft, _place: Place) -> Draft:
    """Drop a last line that the token limit or a broken stream cut, where others came before it."""
    if draft.finish not in (Finish.LENGTH, Finish.TRUNCATED):
        return draft
    head, newline, _ = draft.text.rpartition("\n")
    return replace(draft, text=head + newline) if head.strip() else draft


def drop_leading_blank_lines(draft: Draft, place: Place) -> Draft:
    """On a line without text begin with the first line that has some, at the depth the cursor has already."""
    if place.before.strip() or not draft.text[:1].isspace():
        return draft
    lines = draft.text.split("\n")
    first = next((idx for idx, line in enumerate(lines) if line.strip()), 0)
    if first:
        lines = lines[first:]
        lines[0] = lines[0].removeprefix(place.before)
    return replace(draft, text="\n".join(lines))


def drop_extra_indent(draft: Draft, place: Place) -> Draft:
    """Do not go deeper than the line above where nothing opens a block, and the cursor stands at its depth."""
    text = draft.text
    if place.before.strip() or not place.above or text[:1] not in (" ", "\t"):
        return draft
    above = place.above[-1]
    if indent_of(place.before) != indent_of(above) or not place.before:
        return draft
    if opens_block(above, place.language) or not above.rstrip()[-1:].isalnum():
        return draft
    return replace(draft, text=text.lstrip(" \t"))


def deepen_body(draft: Draft, place: Place) -> Draft:
    """Move the body of a block to its depth in a language where the depth is the block."""
    if place.before.strip() or not place.above or not place.language.needs_body:
        return draft
    above, line = place.above[-1], place.before + draft.text.partition("\n")[0]
    opens = without_comment(above, place.language).rstrip().endswith(":")
    if not opens or indent_of(line) > indent_of(above) or _goes_on(line, place.language):
        return draft
    unit = indent_unit((*place.above, *place.below))
    steps = (indent_of(above) - indent_of(line)) // indent_of(unit) + 1
    lines = draft.text.split("\n")
    return replace(draft, text="\n".join(unit * steps + one if one.strip() else one for one in lines))


def _goes_on(line: str, language: Language) -> bool:
    word = _FIRST_WORD.match(line)
    return word is not None and word.group(1) in language.middles


_FIRST_WORD = re.compile(r"\s*(\w+)")


def keep_one_line_inside_a_line(draft: Draft, place: Place) -> Draft:
    """Where code follows on the line, what is inserted before it is one line."""
    if not place.before.strip() or not place.rest.strip("".join(CLOSERS) + END_MARKS + " \t"):
        return draft
    return replace(draft, text=draft.text.partition("\n")[0])


def cut_repetition(draft: Draft, place: Place) -> Draft:
    """Cut lines, groups of lines and pieces of a line that come again and again to the first."""
    lines = (place.before + draft.text.rstrip("\n")).split("\n")
    for size in range(1, len(lines) // MAX_REPEATS + 1):
        count = _count_repeats(lines, size)
        if count >= MAX_REPEATS and any(map(str.strip, lines[-size:])):
            kept = lines[: len(lines) - (count - 1) * size]
            return replace(draft, text="\n".join(kept)[len(place.before) :])
    repeated = _REPEATED_PIECE.search(draft.text[-LOOK_COLUMNS:])
    if not repeated:
        return draft
    return replace(draft, text=draft.text[: len(draft.text) - len(repeated.group()) + len(repeated.group(1))])


def _count_repeats(lines: list[str], size: int) -> int:
    count = 1
    while lines[-(count + 1) * size : -count * size] == lines[-size:]:
        count += 1
    return count


# Tabby's figures: a piece of three and more characters, at least six times, at the end.
_REPEATED_PIECE = re.compile(r"(\S.{2,80}?)\1{5,}$")


def drop_lines_that_follow(draft: Draft, place: Place) -> Draft | Skip:
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


def drop_line_above(draft: Draft, place: Place) -> Draft | Skip:
    """Refuse an answer that begins with the very line that stands above."""
    first, _, others = draft.text.partition("\n")
    line = place.before + first
    if not place.above or line.rstrip() != place.above[-1].rstrip() or len(line.strip()) < TELLING_LINE_CHARS:
        return draft
    if place.before.strip() or not others.strip():
        return Skip(Reason.REPEATS_PREFIX)
    return replace(draft, text=others.removeprefix(place.before))


def merge_rest_of_line(draft: Draft, place: Place) -> Draft:
    """Do not write again what stands after the cursor, nor close what is closed there.

    Of all ways to join the text and the rest of the line, the one with the fewest brackets and quotes
    without partner is taken; of equal ones, the first.
    """
    if not place.rest.strip() or not place.before.strip():
        return draft
    return min(_joints(draft, place), key=lambda one: _count_loose(one, place))


def _joints(draft: Draft, place: Place) -> Iterator[Draft]:
    """Give the ways to join: less what both have, as it is, in the place of mere closers, cut at a loose closer."""
    text, rest = draft.text.rstrip(), place.rest.rstrip()
    for size in range(min(len(rest), len(text)), 0, -1):
        if text.endswith(rest[:size]) and not rest[:size].isspace():
            yield replace(draft, text=text[: len(text) - size])
    yield draft
    if all(one in CLOSERS or one in END_MARKS for one in rest):
        yield replace(draft, text=text, replaced=len(rest))
    for _, at in loose(text).closers:
        yield replace(draft, text=text[:at])


def _count_loose(draft: Draft, place: Place) -> int:
    found = loose(place.before + draft.text + place.rest[draft.replaced :])
    return len(found.closers) + len(found.openers)


def end_whole_lines(draft: Draft, place: Place) -> Draft:
    """Before a line that stands there already, inserted lines end with a line end, and that line keeps its depth."""
    if place.before.strip() or not place.rest.strip() or _begins_the_line(draft, place):
        return draft
    return replace(draft, text=draft.text.rstrip() + "\n" + place.before)


def _begins_the_line(draft: Draft, place: Place) -> bool:
    """Say whether the text is meant to stand on one line with what follows: `result = ` before a call."""
    if draft.finish is not Finish.STOP or "\n" in draft.text or place.rest[0].isspace():
        return False
    last = draft.text[-1]
    return not (last.isalnum() or last in CLOSERS or last in END_MARKS + ":")


def strip_end(draft: Draft, place: Place) -> Draft:
    """Take off white space at the end where nothing follows on the line.

    A model that ends by itself after a blank leaves the next word to the user: the blank is part of the line.
    """
    if draft.finish is Finish.STOP and "\n" not in draft.text and draft.text.strip():
        return draft
    if not place.rest.strip():
        return replace(draft, text=draft.text.rstrip())
    if place.before.strip() and draft.text.count("\n") == 1:
        return replace(draft, text=draft.text.removesuffix("\n"))
    return draft


def refuse_empty(draft: Draft, _place: Place) -> Draft | Skip:
    """Refuse what shows nothing."""
    if not draft.text:
        return Skip(Reason.EMPTY)
    return draft if draft.text.strip() else Skip(Reason.ONLY_WHITESPACE)


def refuse_mask(draft: Draft, place: Place) -> Draft | Skip:
    """Refuse what copies the mask of a secret."""
    return Skip(Reason.MASKED) if holds_mask(draft.text) else draft


FILTERS: tuple[Filter, ...] = (
    cut_control_tokens,
    strip_fences,
    refuse_empty,
    drop_truncated_line,
    drop_leading_blank_lines,
    drop_extra_indent,
    deepen_body,
    keep_one_line_inside_a_line,
    cut_repetition,
    drop_lines_that_follow,
    drop_line_above,
    merge_rest_of_line,
    end_whole_lines,
    refuse_mask,
    strip_end,
    refuse_empty,
)
