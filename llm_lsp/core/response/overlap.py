"""Filters that take from an answer what the document has already: the line's beginning, the line above, the next lines."""

from __future__ import annotations

import re
from dataclasses import replace

from llm_lsp.core.response.filter_context import FilterContext, FilterInput
from llm_lsp.core.skip import Reason, Skip
from llm_lsp.core.text.brackets import loose
from llm_lsp.core.text.languages import indent_of, leaves_block
from llm_lsp.core.text.line_likeness import is_same_line, is_telling


def drop_lines_that_follow(draft: FilterInput, place: FilterContext) -> FilterInput | Skip:
    """Drop last lines that are the document's next lines."""
    below = place.below
    if not place.before.strip() and place.rest.strip():
        below = (place.before + place.rest, *below)
    lines = (place.before + draft.text).split("\n")
    kept = [idx for idx, line in enumerate(lines) if line.strip()]
    for size in range(min(len(kept), len(below)), 0, -1):
        last = [lines[idx] for idx in kept[-size:]]
        is_next = all(_is_next(one, other, place) for one, other in zip(last, below, strict=False))
        if is_next and _may_drop(lines, kept[-size], last, place):
            if kept[-size] == 0:
                return Skip(Reason.REPEATS_SUFFIX)
            return replace(draft, text="\n".join(draft.text.split("\n")[: kept[-size]]).rstrip() + "\n")
    return draft


def _is_next(line: str, other: str, place: FilterContext) -> bool:
    """Check whether a line of the answer is one of the document's; at another depth it must tell enough."""
    if line.rstrip() == other.rstrip():
        return True
    if not is_same_line(line, other, place.language) or not is_telling(line):
        return False
    return indent_of(line) == indent_of(other) or not _may_come_again(line, place)


def _may_come_again(line: str, place: FilterContext) -> bool:
    """Check whether a line often comes again at another depth: it closes something, or leaves the block."""
    bare = line.strip()
    return leaves_block(bare) or _CLOSER.match(bare) is not None or bare in place.language.middles


# A line that closes what other lines opened.
_CLOSER = re.compile(r"[)\]}]|</|#?\s*end\w*\b|(?:fi|done|esac)\b")
# One value of a list, or a tag alone: they may well stand there twice.
_VALUE = re.compile(r"\s*(?:[\"']?[\w.+-]+[\"']?,|<\w+ ?/?>)\s*")
_QUOTE_MARKS = " \t\"'`"


def _may_drop(lines: list[str], start: int, last: list[str], place: FilterContext) -> bool:
    """Check whether the document's lines can stand for the answer's last ones.

    A line of closers can where it has no partner in the answer. Some closers stand at no depth: there the lines
    above must have opened no more of them.
    """
    if len(last) == 1 and _VALUE.fullmatch(last[0]):
        return is_telling(last[0])
    if last[0][:1] == "<" and (tag := _CLOSING_TAG.match(last[0])):
        name = re.escape(tag[1])
        return _is_in_excess(rf"<{name}[\s>]", rf"</{name}>", lines[:start], last, place)
    if _ENDIF.match(last[0]):
        return _is_in_excess(r"^\s*#\s*if", _ENDIF.pattern, lines[:start], last, place)
    if any(any(map(str.isalnum, line)) for line in last):
        return True
    is_quotes = all(not line.strip(_QUOTE_MARKS) for line in last)
    return is_quotes or len(loose("\n".join(lines[: start + len(last)])).closers) > 0


# What closes at the left margin, whatever is around it.
_CLOSING_TAG = re.compile(r"</([\w.:-]+)>")
_ENDIF = re.compile(r"^\s*#\s*endif\b")


def _is_in_excess(opener: str, closer: str, kept: list[str], last: list[str], place: FilterContext) -> bool:
    before = (*place.above, *kept)
    opened = sum(len(re.findall(opener, line)) - len(re.findall(closer, line)) for line in before)
    closed = sum(len(re.findall(closer, line)) for line in last)
    # Of what was opened further above nothing is seen.
    return 0 < opened < 2 * closed


def drop_line_above(draft: FilterInput, place: FilterContext) -> FilterInput | Skip:
    """Refuse an answer that begins with the very line that stands above."""
    first, _, others = draft.text.partition("\n")
    if not first.strip() or not place.above or not _is_above(place.before + first, place):
        return draft
    if place.before.strip() or not others.strip():
        return Skip(Reason.REPEATS_PREFIX)
    return replace(draft, text=others.removeprefix(place.before))


def _is_above(line: str, place: FilterContext) -> bool:
    above = place.above[-1]
    if not is_telling(line) or indent_of(line) != indent_of(above) or _CLOSER.match(line.strip()):
        return False
    return is_same_line(line, above, place.language)
