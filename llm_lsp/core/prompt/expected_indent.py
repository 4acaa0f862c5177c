"""Determines the indentation that an empty line will have, where the lines around it leave no doubt.

A model completes an indented line better if the prompt already has its indentation: of 220 lines of HumanEval, asked for
at column 0, a 0.5B model passed 161 with it and 153 without (Qwen2.5-Coder 0.5B, seed 5).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from llm_lsp.core.text.indent_style import USUAL_STEPS, indent_style
from llm_lsp.core.text.languages import Blocks, Language, indent_of, language_of, opens_block
from llm_lsp.core.text.window import Window

# Lines on each side of the cursor that are examined.
LOOK_LINES = 128
# A statement that leaves a block: the line below it may be at any column.
_LEAVES = re.compile(r"\s*(?:return|raise|throw|break|continue|pass|goto|exit)\b")
_DOCSTRING_END = re.compile(r"(\"\"\"|''')\s*$")
_PYTHON_HEADER = re.compile(r"\s*(?:def|class|async def)\b.*:\s*(?:#.*)?$")


def expected_indent(window: Window) -> str:
    """Return the indentation of the cursor's line as an editor would insert it; "" if there is doubt."""
    language = language_of(window.language)
    if language.is_free:
        return ""
    above = [*window.prefix.rsplit("\n", LOOK_LINES + 1)[:-1][-LOOK_LINES:]]
    below = [
        line
        for line in (window.line_suffix + window.suffix).split("\n", LOOK_LINES)[:LOOK_LINES]
        if line.strip()
    ]
    with_text = [line for line in above if line.strip()]
    if not with_text:
        return ""
    head = with_text[-1]
    if opens_block(head, language):
        # Elsewhere, a line below a head may be at its column: a case, a closing bracket, an item of a list.
        return _inside(head, with_text, below, language) if language.needs_body else ""
    indent = _white(head)
    if language.blocks is Blocks.INDENT and _is_only_docstring(with_text):
        return indent
    # A block may end at a blank line.
    if not above[-1].strip() or _LEAVES.match(head) or not below:
        return ""
    return indent if indent_of(below[0]) >= indent_of(head) else ""


def _inside(head: str, above: Sequence[str], below: Sequence[str], language: Language) -> str:
    """Return the indentation of the lines in the block that a line opens."""
    if below and indent_of(below[0]) - indent_of(head) in USUAL_STEPS:
        return _white(below[0])
    style = indent_style((above, below), language)
    return style.written(indent_of(head) + style.columns)


def _white(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _is_only_docstring(above: Sequence[str]) -> bool:
    """Check whether the lines above end in a docstring right below its head: the block has no statement yet."""
    ends = _DOCSTRING_END.search(above[-1])
    if not ends:
        return False
    quotes = ends.group(1)
    starts = [number for number, line in enumerate(above) if quotes in line]
    # It begins on its last line, or on the line before with such quotes.
    start = starts[-1] if above[-1].count(quotes) > 1 else starts[-2] if len(starts) > 1 else 0
    return start > 0 and _PYTHON_HEADER.match(above[start - 1]) is not None
