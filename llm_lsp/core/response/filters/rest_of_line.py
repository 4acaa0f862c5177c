"""Filters that join an answer to the rest of the cursor's line, without duplicating or losing anything."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from llm_lsp.core.generation import Finish
from llm_lsp.core.response.filter_context import FilterContext, FilterInput
from llm_lsp.core.text.brackets import CLOSERS, END_MARKS, is_closing, loose, partners
from llm_lsp.core.text.languages import Blocks, opens_block

# Alternatives of each kind for joining an answer to the rest of its line, and characters searched for brackets: an
# answer with a thousand closers takes no more time than ordinary code.
MAX_JOINTS = 4
JOINT_CHARS = 500
_TOKEN = re.compile(r"\w+|[^\w\s]")
_CLOSING_TAGS = re.compile(r"\s*(?:</[\w.:-]+>\s*)+[)}\];,]*$")


def keep_one_line_inside_a_line(draft: FilterInput, place: FilterContext) -> FilterInput:
    """Shorten the inserted text to one line if code follows on the cursor's line."""
    rest = place.rest
    if not place.before.strip() or not rest.strip() or is_closing(rest) or _are_closing_tags(rest, place):
        return draft
    return replace(draft, text=draft.text.partition("\n")[0])


def _are_closing_tags(rest: str, place: FilterContext) -> bool:
    return place.language.has_tags and _CLOSING_TAGS.match(rest) is not None


def merge_rest_of_line(draft: FilterInput, place: FilterContext) -> FilterInput:
    """Do not repeat what follows the cursor, nor close what is closed there.

    Of all ways to join the text and the rest of the line, take the one with the fewest unmatched brackets and
    quotes; of equal ones, the first.
    """
    if not place.rest.strip() or not (place.before.strip() or is_closing(place.rest)):
        return draft
    # Openers above that the rest of the line closes.
    above = "".join(partners(closer) for closer, _ in reversed(loose(place.before + place.rest).closers))
    return min(_joints(draft, place), key=lambda one: _count_loose(one, place, above))


def _joints(draft: FilterInput, place: FilterContext) -> Iterator[FilterInput]:
    """Yield the ways to join: without the overlap, unchanged, replacing the rest, cut at an unmatched closer."""
    text, rest = draft.text.rstrip(), place.rest.rstrip()
    sizes = (size for size in range(min(len(rest), len(text)), 0, -1) if text.endswith(rest[:size]))
    for size in islice((size for size in sizes if not rest[:size].isspace()), MAX_JOINTS):
        yield replace(draft, text=text[: len(text) - size])
    yield replace(draft, text=text) if is_closing(rest) and not place.before.strip() else draft
    if is_closing(rest) or _holds(text, rest):
        yield replace(draft, text=text, replaced=len(rest))
    if len(text) <= JOINT_CHARS:
        for _, at in loose(text).closers[:MAX_JOINTS]:
            cut = text[:at]
            yield replace(draft, text=cut.rstrip(" \t") if rest[0].isspace() else cut)


def _holds(text: str, rest: str) -> bool:
    """Check whether the text contains all words and marks of the rest in order, from a closer on up to its end."""
    if len(text) > JOINT_CHARS or len(rest) > JOINT_CHARS or rest[0] not in CLOSERS:
        return False
    tokens, wanted = _TOKEN.findall(text), _TOKEN.findall(rest)
    remaining = iter(tokens)
    return tokens[-1:] == wanted[-1:] and all(token in remaining for token in wanted)


def _count_loose(draft: FilterInput, place: FilterContext, above: str) -> int:
    code = above + place.before[-JOINT_CHARS:] + draft.text[-JOINT_CHARS:]
    code += place.rest[draft.replaced :][:JOINT_CHARS]
    found = loose(code)
    # A block that the line opens at its end is closed further down.
    opens = found.openers[-1:] == "{" and code.rstrip().endswith("{")
    return len(found.closers) + len(found.openers) - opens


def end_whole_lines(draft: FilterInput, place: FilterContext) -> FilterInput:
    """Before an existing line, end inserted lines with a line end, so that the line keeps its indentation."""
    if place.before.strip() or not place.rest[draft.replaced :].strip() or not draft.text:
        return draft
    if _begins_the_line(draft, place):
        return draft
    if is_closing(place.rest):
        return _before_closers(draft, place)
    return replace(draft, text=draft.text.rstrip() + "\n" + place.before)


def _before_closers(draft: FilterInput, place: FilterContext) -> FilterInput:
    """Put a block's closer on its own line, indented like the line that opened it; other closers follow the
    text.
    """
    above, text = place.above[-1] if place.above else "", draft.text.rstrip()
    is_block = place.rest[0] == "}" and place.language.blocks is Blocks.BRACES and text[-1:] in (";", "}")
    if not (is_block or "\n" in text) or not opens_block(above, place.language):
        return draft
    return replace(draft, text=f"{text}\n{above[: len(above) - len(above.lstrip())]}")


def _begins_the_line(draft: FilterInput, place: FilterContext) -> bool:
    """Check whether the text is meant to share a line with what follows, such as `result = ` before a call."""
    if draft.finish is not Finish.STOP or "\n" in draft.text or place.rest[0].isspace():
        return False
    last = draft.text[-1]
    return not (last.isalnum() or last in CLOSERS or last in END_MARKS + ":")
