"""The window: the part of a document around the cursor that is sent, limited to a budget."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import unquote

from llm_lsp.core.text.document import Document
from llm_lsp.core.text.invisible_chars import plain_name
from llm_lsp.core.text.text import Point, Text
from llm_lsp.core.text.token_estimate import ASCII_CHARS_PER_TOKEN, estimate_tokens

# Shares of the budget; the rest is for the template's tokens. 10 % for the suffix, as in Cody: if the suffix comes
# last, all of it is read again when a line is added, and at each call if the API cannot force a line's beginning. In
# a recorded session the median call had 22 % new prompt with 17 % for the suffix, and 15 % with 10 %.
PREFIX_SHARE = 0.85
SUFFIX_SHARE = 0.10
# Tokens. A small budget gives the suffix up to this much of what the prefix leaves, in steps that keep it the same while a
# line is typed: of 24 lines of HumanEval that a 0.5B model completed with the whole suffix, 14 went wrong with 51 tokens.
LEAST_SUFFIX, SUFFIX_STEP = 192.0, 64.0
# Lines. The window starts at a multiple of this, so that it stays the same while lines are added, and the model
# server's cache of the prefix stays valid: 5 to 7 % of a prompt is new, compared to 66 to 94 % for a sliding window
# (simulated on three recorded typing sessions).
SNAP_LINES = 64
# Share of the prefix budget that such a window must fill at least; smaller steps are tried until it does.
LEAST_FILL = 0.5


@dataclass(frozen=True, slots=True)
class Window:
    """The text around a cursor, with LF as the only line end.

    The document is `prefix + line_prefix + line_suffix + suffix`, apart from what is cut off at both ends and, in a
    very long line, around the cursor.
    """

    prefix: str
    """Whole lines before the current one, with line ends."""
    line_prefix: str
    """The current line before the cursor."""
    line_suffix: str
    """The current line after the cursor, without its line end."""
    suffix: str
    """What follows: the current line's end, then whole lines; "" if the current line is the last."""
    language: str = ""
    """The LSP language identifier."""
    path: str = ""
    """The document's name for the model: the last parts of its URI."""

    def after(self, text: str) -> Window:
        """Return the window after `text` is inserted at the cursor."""
        above, newline, line_prefix = (self.line_prefix + text).rpartition("\n")
        return replace(self, prefix=self.prefix + above + newline, line_prefix=line_prefix)


def cut_window(document: Document, point: Point, budget_tokens: float) -> Window:
    """Cut the text around `point` to `budget_tokens`; the work is proportional to the budget.

    A long current line is cut first, then whole lines are added on both sides.
    """
    text = document.text
    point = text.clamp(point)
    for_prefix, for_suffix = budget_tokens * PREFIX_SHARE, budget_tokens * SUFFIX_SHARE
    line_prefix, line_suffix = _around(text.line(point.line), point.column, for_prefix, for_suffix)
    prefix = suffix = ""
    if len(line_prefix) == point.column:
        prefix = _lines_before(text, point.line, for_prefix - estimate_tokens(line_prefix))
    left = for_prefix - estimate_tokens(prefix) - estimate_tokens(line_prefix)
    for_suffix = max(for_suffix, min(LEAST_SUFFIX, left // SUFFIX_STEP * SUFFIX_STEP))
    if point.column + len(line_suffix) == len(text.line(point.line)):
        suffix = _lines_after(text, point.line, for_suffix - estimate_tokens(line_suffix))
    return Window(prefix, line_prefix, line_suffix, suffix, document.language, _name(document.uri))


def _around(line: str, column: int, for_prefix: float, for_suffix: float) -> tuple[str, str]:
    """Cut a line to the budgets on both sides of a column; by slicing only, since it may have a million columns."""
    before = line[max(0, column - int(for_prefix * ASCII_CHARS_PER_TOKEN)) : column]
    after = line[column : column + int(for_suffix * ASCII_CHARS_PER_TOKEN)]
    while estimate_tokens(before) > for_prefix:
        before = before[len(before) // 4 + 1 :]
    while estimate_tokens(after) > for_suffix:
        after = after[: len(after) * 3 // 4]
    return before, after


def _lines_before(text: Text, line_idx: int, budget: float) -> str:
    """Return the lines before a line, from a start that stays the same while lines are added at the end."""
    costs = _costs_upwards(text, line_idx, budget)
    total = sum(costs)
    snap = SNAP_LINES
    while True:
        first = line_idx - len(costs)
        start = -(-first // snap) * snap
        kept = costs[: max(0, line_idx - start)]
        if snap == 1 or first == 0 or sum(kept) >= LEAST_FILL * total:
            break
        snap //= 2
    return _with_lf(text.lines(min(start, line_idx), line_idx))


def _costs_upwards(text: Text, line_idx: int, budget: float) -> list[float]:
    """Return the cost of each line above, nearest first, while they fit: as an equivalent number of ASCII
    characters.
    """
    costs: list[float] = []
    left = budget * ASCII_CHARS_PER_TOKEN
    for block_end in range(line_idx, 0, -SNAP_LINES):
        lines = text.lines(max(0, block_end - SNAP_LINES), block_end)
        block = "".join(lines)
        # Most blocks are ASCII and fit completely, and this runs for every request.
        if len(block) <= left and block.isascii():
            costs += map(len, reversed(lines))
            left -= len(block)
            continue
        for line in reversed(lines):
            # Check the length first: no work on a line of a million columns.
            cost = estimate_tokens(line) * ASCII_CHARS_PER_TOKEN if len(line) <= left else left + 1
            if cost > left:
                return costs
            left -= cost
            costs.append(cost)
    return costs


def _lines_after(text: Text, line_idx: int, budget: float) -> str:
    """Return the end of a line and the lines after it; the end depends only on what follows, so it is stable
    too.
    """
    if line_idx + 1 >= text.line_count:
        return ""
    kept = ["\n"]
    used = 0.0
    for block_start in range(line_idx + 1, text.line_count, SNAP_LINES):
        for line in text.lines(block_start, block_start + SNAP_LINES):
            if len(line) > (budget - used) * ASCII_CHARS_PER_TOKEN:
                return _with_lf(kept)
            used += estimate_tokens(line)
            if used > budget:
                return _with_lf(kept)
            kept.append(line)
    return _with_lf(kept)


def _with_lf(lines: list[str]) -> str:
    return "".join(lines).replace("\r\n", "\n").replace("\r", "\n")


def _name(uri: str) -> str:
    # With the folder: `models/user.py` tells a model more than `user.py`, while the whole path would identify the user.
    return plain_name("/".join(unquote(uri.partition("://")[2]).split("/")[-2:]))
