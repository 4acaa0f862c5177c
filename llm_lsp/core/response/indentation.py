"""Filters that set an answer's lines at the depth where they belong; know nothing of what the lines say."""

from __future__ import annotations

import re
from dataclasses import replace

from llm_lsp.core.response.filter_context import FilterContext, FilterInput
from llm_lsp.core.text.languages import Language, indent_of, indent_unit, opens_block, without_comment


def drop_leading_blank_lines(draft: FilterInput, place: FilterContext) -> FilterInput:
    """On a line without text begin with the first line that has some, at the depth the cursor has already."""
    if place.before.strip() or not draft.text[:1].isspace():
        return draft
    lines = draft.text.split("\n")
    first = next((idx for idx, line in enumerate(lines) if line.strip()), 0)
    if first:
        lines = lines[first:]
        lines[0] = lines[0].removeprefix(place.before)
    return replace(draft, text="\n".join(lines))


def follow_indent_style(draft: FilterInput, place: FilterContext) -> FilterInput:
    """Indent further lines by tabs where all lines around do, and by blanks where these do."""
    first, *others = draft.text.split("\n")
    around = [line for line in (*place.above, place.before, *place.below) if line[:1] in _INDENTS]
    styles = {line[0] for line in around}
    if len(styles) != 1 or all(line[:1] in styles or line[:1] not in _INDENTS for line in others):
        return draft
    if "\t" in styles:
        width = len(indent_unit([line for line in others if not line.startswith("\t")]))
        done = [_with_tabs(line, width) for line in others]
    else:
        width = len(indent_unit(around))
        done = [line.expandtabs(width) if line.startswith("\t") else line for line in others]
    return replace(draft, text="\n".join([first, *done]))


_INDENTS = (" ", "\t")


def _with_tabs(line: str, width: int) -> str:
    code = line.lstrip(" ")
    steps, rest = divmod(len(line) - len(code), width)
    return "\t" * steps + " " * rest + code


def drop_extra_indent(draft: FilterInput, place: FilterContext) -> FilterInput:
    """Do not go deeper than the line above asks for, where the cursor stands at that depth already."""
    if place.before.strip() or not place.above or draft.text[:1] not in _INDENTS:
        return draft
    above, depth = place.above[-1], indent_of(place.before)
    if opens_block(above, place.language):
        unit = indent_unit((*place.above, *place.below))
        is_deep = depth - indent_of(above) >= indent_of(unit)
    else:
        # A line that does not end in a word may go on below, deeper.
        is_deep = place.before != "" and depth == indent_of(above) and above.rstrip()[-1:].isalnum()
    return replace(draft, text=draft.text.lstrip(" \t")) if is_deep else draft


def deepen_body(draft: FilterInput, place: FilterContext) -> FilterInput:
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
