"""Turns what a model wrote into what is inserted, with a list of small filters."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import pairwise

from llm_lsp.core.generation import Finish
from llm_lsp.core.privacy.redact import holds_mask
from llm_lsp.core.request import CompletionRequest
from llm_lsp.core.response.completion_extent import MAX_ANSWER_CHARS, MAX_LINES
from llm_lsp.core.response.filter_context import Filter, FilterContext, FilterInput, place_at
from llm_lsp.core.response.filters.control_tokens import cut_control_tokens
from llm_lsp.core.response.filters.overlap import drop_echo, drop_line_above, drop_lines_that_follow
from llm_lsp.core.response.filters.repetition import without_repetition
from llm_lsp.core.response.filters.rest_of_line import (
    end_whole_lines,
    keep_one_line_inside_a_line,
    merge_rest_of_line,
)
from llm_lsp.core.response.filters.whole_statements import end_at_whole_statement
from llm_lsp.core.response.indentation import fit_indentation
from llm_lsp.core.response.text_kind import TextKind
from llm_lsp.core.skip import Reason, Skip
from llm_lsp.core.text.invisible_chars import first_hidden
from llm_lsp.core.text.text import Point, Text


@dataclass(frozen=True, slots=True)
class Insertion:
    """The text that replaces everything from the request's point to `end`, on the same line."""

    text: str
    end: Point


def postprocess(
    text: str, finish: Finish, request: CompletionRequest, *, is_continued: bool = False
) -> Insertion | Skip:
    """Filter the rest of an answer for insertion at the request's point.

    `is_continued` means that part of the answer was typed, so that the rest cannot be an echo of the line.
    """
    document, point = request.document, request.document.text.clamp(request.point)
    place = place_at(document, point, request.indent)
    if len(text) > MAX_ANSWER_CHARS:
        text, finish = text[:MAX_ANSWER_CHARS], Finish.TRUNCATED
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if len(lines) > MAX_LINES:
        # As many as the stop rule accepts, plus the empty piece after the last line end.
        lines, finish = [*lines[:MAX_LINES], ""], Finish.CUT
    draft = FilterInput("\n".join(lines), finish)
    for step in FILTERS:
        if is_continued and step is drop_echo:
            continue
        done = step(draft, place)
        if isinstance(done, Skip):
            return done
        draft = done
    if _hides_something(draft.text, place, document.text):
        return Skip(Reason.UNSAFE)
    return Insertion(
        draft.text.replace("\n", place.line_end), Point(point.line, point.column + draft.replaced)
    )


def _hides_something(inserted: str, place: FilterContext, text: Text) -> bool:
    """Check whether a text has a character that hides code, or an invisible one that the document does not
    contain.
    """

    def is_text(at: int) -> bool:
        return place.kind_after(inserted[:at]) is not TextKind.CODE

    allowed: set[str] = set()
    while found := first_hidden(inserted, place.before, place.rest, allowed, is_text=is_text):
        character, deceives = found
        if deceives or not _occurs(character, text):
            return True
        allowed.add(character)
    return False


def _occurs(character: str, text: Text) -> bool:
    return any(character in line for block in text.blocks for line in block)


_FENCE = re.compile(r"\s*```[\w+-]*\n")


def strip_fences(draft: FilterInput, place: FilterContext) -> FilterInput:
    """Remove a fence around code, and cut at a closing one; in prose, comments and strings they are kept.

    They are also kept if the lines above contain one.
    """
    if "```" not in draft.text or any("```" in line for line in place.above):
        return draft
    text = draft.text
    if (fence := _FENCE.match(text)) and place.kind_after("") is TextKind.CODE:
        text = text[fence.end() :]
    end = text.find("\n```")
    if end >= 0 and place.kind_after(text[:end]) is TextKind.CODE:
        text = text[:end]
    return replace(draft, text=text)


def drop_truncated_line(draft: FilterInput, _place: FilterContext) -> FilterInput:
    """Remove a last line that an interrupted stream cut."""
    if draft.finish is not Finish.TRUNCATED:
        return draft
    head, newline, _ = draft.text.rpartition("\n")
    return replace(draft, text=head + newline)


def cut_repetition(draft: FilterInput, place: FilterContext) -> FilterInput:
    """Reduce repeated lines, groups of lines and pieces of a line to the first ones."""
    return replace(draft, text=without_repetition(draft.text, place.before))


def strip_end(draft: FilterInput, place: FilterContext) -> FilterInput:
    """Remove trailing white space if nothing follows on the line.

    A blank after which the model ended by itself is kept: the next word is left to the user.
    """
    if draft.finish is Finish.STOP and "\n" not in draft.text and draft.text.strip():
        return draft
    if not place.rest.strip():
        return replace(draft, text=draft.text.rstrip())
    if place.before.strip() and draft.text.count("\n") == 1:
        return replace(draft, text=draft.text.removesuffix("\n"))
    return draft


def refuse_empty(draft: FilterInput, place: FilterContext) -> FilterInput | Skip:
    """Refuse an answer that shows nothing, or only a comment mark, except a blank line inside of a comment."""
    mark = place.language.line_comment
    if not draft.text or (draft.text.strip() == mark != "" and not _is_inside_comment(place, mark)):
        return Skip(Reason.EMPTY)
    return draft if draft.text.strip() else Skip(Reason.ONLY_WHITESPACE)


def _is_inside_comment(place: FilterContext, mark: str) -> bool:
    """Check whether two of the lines around are comments: both above, or one on each side."""
    above = [place.before] if place.before.strip() else []
    around = [*place.above[-2:], *above][-2:] + list(place.below[:1])
    is_comment = [line.lstrip().startswith(mark) for line in around]
    return len(is_comment) > 1 and any(one and other for one, other in pairwise(is_comment))


def refuse_mask(draft: FilterInput, place: FilterContext) -> FilterInput | Skip:
    """Refuse a text that contains the mask of a secret."""
    return Skip(Reason.MASKED) if holds_mask(draft.text) else draft


FILTERS: tuple[Filter, ...] = (
    cut_control_tokens,
    strip_fences,
    refuse_empty,
    drop_truncated_line,
    drop_echo,
    fit_indentation,
    end_at_whole_statement,
    drop_line_above,
    keep_one_line_inside_a_line,
    cut_repetition,
    drop_lines_that_follow,
    merge_rest_of_line,
    end_whole_lines,
    refuse_mask,
    strip_end,
    refuse_empty,
)
