"""From what a model wrote to what is inserted: a list of small filters; knows neither the model nor the time."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from llm_lsp.core.generation import Finish
from llm_lsp.core.privacy.redact import holds_mask
from llm_lsp.core.request import CompletionRequest
from llm_lsp.core.response.completion_extent import MAX_ANSWER_CHARS
from llm_lsp.core.response.filter import (
    LOOK_COLUMNS,
    LOOK_LINES,
    Filter,
    FilterContext,
    FilterInput,
    place_at,
)
from llm_lsp.core.response.indentation import (
    deepen_body,
    drop_extra_indent,
    drop_leading_blank_lines,
    follow_indent_style,
)
from llm_lsp.core.response.overlap import (
    END_MARKS,
    drop_echo,
    drop_line_above,
    drop_lines_that_follow,
    end_whole_lines,
    merge_rest_of_line,
)
from llm_lsp.core.skip import Reason, Skip
from llm_lsp.core.text.brackets import CLOSERS
from llm_lsp.core.text.invisible_chars import unsafe_characters
from llm_lsp.core.text.text import Point, Text

# A unit that comes this often in a row is a model that turns in circles.
MAX_REPEATS = 3


@dataclass(frozen=True, slots=True)
class Insertion:
    """The text that replaces everything from the request's point to `end`, which is on the same line."""

    text: str
    end: Point


def postprocess(text: str, finish: Finish, request: CompletionRequest) -> Insertion | Skip:
    """Make what remains to be inserted at the request's point fit to be inserted."""
    document, point = request.document, request.document.text.clamp(request.point)
    place = place_at(document, point)
    if len(text) > MAX_ANSWER_CHARS:
        text, finish = text[:MAX_ANSWER_CHARS], Finish.TRUNCATED
    draft = FilterInput(text.replace("\r\n", "\n").replace("\r", "\n"), finish)
    for step in FILTERS:
        done = step(draft, place)
        if isinstance(done, Skip):
            return done
        draft = done
    if not all(_occurs(one, document.text) for one in unsafe_characters(draft.text)):
        return Skip(Reason.UNSAFE)
    return Insertion(
        draft.text.replace("\n", place.line_end), Point(point.line, point.column + draft.replaced)
    )


def _occurs(character: str, text: Text) -> bool:
    return any(character in line for block in text.blocks for line in block)


_CONTROL_TOKEN = re.compile(
    r"<\|[a-z_]{2,20}\|>|<｜[^｜\n]{2,30}｜>|<(fim|file|repo)_[a-z]+>|<EOT>|<\|[a-z_]{0,20}$"
)


def cut_control_tokens(draft: FilterInput, place: FilterContext) -> FilterInput:
    """Cut at a control token that leaked, or at the beginning of one at the very end."""
    for match in _CONTROL_TOKEN.finditer(draft.text):
        around = (*place.above, place.before, place.rest, *place.below)
        if not any(match.group() in line for line in around):
            return replace(draft, text=draft.text[: match.start()])
    return draft


_FENCE = re.compile(r"^\s*```[\w+-]*\n")


def strip_fences(draft: FilterInput, place: FilterContext) -> FilterInput:
    """Take off a Markdown fence around an answer that is no Markdown."""
    if "```" not in draft.text or any("```" in line for line in (*place.above, *place.below)):
        return draft
    text = _FENCE.sub("", draft.text)
    return replace(draft, text=text.partition("\n```")[0])


def drop_truncated_line(draft: FilterInput, _place: FilterContext) -> FilterInput:
    """Drop a last line that a broken stream cut, or the token limit where others came before it."""
    if draft.finish not in (Finish.LENGTH, Finish.TRUNCATED):
        return draft
    head, newline, _ = draft.text.rpartition("\n")
    is_dropped = draft.finish is Finish.TRUNCATED or head.strip()
    return replace(draft, text=head + newline) if is_dropped else draft


def keep_one_line_inside_a_line(draft: FilterInput, place: FilterContext) -> FilterInput:
    """Where code follows on the line, what is inserted before it is one line."""
    if not place.before.strip() or not place.rest.strip("".join(CLOSERS) + END_MARKS + " \t"):
        return draft
    return replace(draft, text=draft.text.partition("\n")[0])


def cut_repetition(draft: FilterInput, place: FilterContext) -> FilterInput:
    """Cut lines, groups of lines and pieces of a line that come again and again to the first."""
    lines = (place.before + draft.text.rstrip("\n")).split("\n")
    for size in range(1, min(len(lines) // MAX_REPEATS, LOOK_LINES) + 1):
        count = _count_repeats(lines, size)
        if count >= MAX_REPEATS and any(map(str.strip, lines[-size:])):
            kept = lines[: len(lines) - (count - 1) * size]
            while len(kept) > size and kept[-1] == kept[-1 - size]:
                # The answer was cut inside a group.
                kept.pop()
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


def strip_end(draft: FilterInput, place: FilterContext) -> FilterInput:
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


def refuse_empty(draft: FilterInput, place: FilterContext) -> FilterInput | Skip:
    """Refuse what shows nothing, or the mark of a comment that says nothing."""
    if not draft.text or draft.text.strip() == place.language.line_comment != "":
        return Skip(Reason.EMPTY)
    return draft if draft.text.strip() else Skip(Reason.ONLY_WHITESPACE)


def refuse_mask(draft: FilterInput, place: FilterContext) -> FilterInput | Skip:
    """Refuse what copies the mask of a secret."""
    return Skip(Reason.MASKED) if holds_mask(draft.text) else draft


FILTERS: tuple[Filter, ...] = (
    cut_control_tokens,
    strip_fences,
    refuse_empty,
    drop_truncated_line,
    drop_echo,
    drop_leading_blank_lines,
    follow_indent_style,
    drop_extra_indent,
    drop_line_above,
    deepen_body,
    keep_one_line_inside_a_line,
    cut_repetition,
    drop_lines_that_follow,
    merge_rest_of_line,
    end_whole_lines,
    refuse_mask,
    strip_end,
    refuse_empty,
)
