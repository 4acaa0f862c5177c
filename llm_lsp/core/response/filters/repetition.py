"""Cuts the output of a looping model: equal lines, endless series of similar lines, repeated pieces of a line.

Ordinary repetition is kept: rules of dashes, rows of zeros, table cells, a handful of similar lines.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from llm_lsp.core.response.line_likeness import is_alike, tokens_of
from llm_lsp.core.text.languages import indent_of

# Equal groups of lines in a row that count as a loop; all but the first are removed.
MAX_REPEATS = 3
# Largest group of lines that is searched for.
MAX_GROUP_LINES = 32
# Equal lines that may still be data: numbers and marks, or one list value each.
MAX_DATA_LINES = 12
_DATA = re.compile(
    r"(?:\d\w*|[\W_]|\b(?:None|True|False|null|NULL|nil|nan|NaN|true|false|nullptr)\b)*|\s*[\"']?[\w.]+[\"']?,\s*"
)
# Similar lines in a row, and groups of such lines, that are written at once, including the cursor's.
MAX_SERIES_LINES, MAX_SERIES_GROUPS = 9, 4
# Lines in a group of a series: a short function.
MAX_SERIES_GROUP_LINES = 6
# Lines or groups of a series that are kept.
KEPT_OF_SERIES = 3
# Tabby's values: a piece of three or more characters, repeated at least six times at the end.
LEAST_PIECE_CHARS, MOST_PIECE_CHARS, PIECE_REPEATS = 3, 80, 6
# Characters of equal values in a row that may be on one line: `NULL, NULL, …`.
MAX_ROW_CHARS = 160
_LETTER = re.compile(r"[^\W\d_]")
_WORD = re.compile(r"[^\W\d_]{3,}")
_SEPARATOR = re.compile(r"[,;|&]")


def without_repetition(text: str, before: str) -> str:
    """Remove what is repeated at the end of a text; `before` is the beginning of its first line."""
    lines = (before + text.rstrip("\n")).split("\n")
    kept = _without_circle(lines) or _without_series(lines)
    return _without_piece(text) if kept is None else "\n".join(kept)[len(before) :]


def is_circle(group: Sequence[str], count: int) -> bool:
    """Check whether a group of lines that occurs `count` times in a row is a loop, not data."""
    if count < MAX_REPEATS or not any(map(str.strip, group)):
        return False
    return count * len(group) > MAX_DATA_LINES or not all(map(_DATA.fullmatch, group))


def _without_circle(lines: list[str]) -> list[str] | None:
    for size in range(1, min(len(lines) // MAX_REPEATS, MAX_GROUP_LINES) + 1):
        count = _count_groups(lines, size)
        if is_circle(lines[-size:], count):
            kept = lines[: len(lines) - (count - 1) * size]
            while len(kept) > size and kept[-1] == kept[-1 - size]:
                # The answer was cut within a group.
                kept.pop()
            return kept
    return None


def _count_groups(lines: list[str], size: int) -> int:
    count = 1
    while lines[-(count + 1) * size : -count * size] == lines[-size:]:
        count += 1
    return count


def _without_series(lines: list[str]) -> list[str] | None:
    if len(lines) <= MAX_SERIES_LINES:
        return None
    for size in range(1, min(len(lines) // MAX_SERIES_GROUPS, MAX_SERIES_GROUP_LINES) + 1):
        start = _series_start(lines, size)
        most = max(MAX_SERIES_LINES, MAX_SERIES_GROUPS * size)
        if len(lines) - start > most and _is_telling_series(lines[start : start + 2 * size], size):
            return lines[: start + KEPT_OF_SERIES * size]
    return None


def _series_start(lines: list[str], size: int) -> int:
    """Return the index from which each line is similar to the one `size` lines before."""
    at = len(lines)
    tokens = [tokens_of(line) for line in lines[at - size :]]
    while at > size:
        before = lines[at - 1 - size]
        # The tokens of the line at the front belong to the line at `at - 1`.
        line_tokens, before_tokens = tokens.pop(), tokens_of(before)
        if indent_of(lines[at - 1]) != indent_of(before) or not is_alike(line_tokens, before_tokens):
            break
        tokens.insert(0, before_tokens)
        at -= 1
    return max(0, at - size)


def _is_telling_series(lines: Sequence[str], size: int) -> bool:
    """Check whether two groups have two words in common: one word is a list item (`import a`, `case 1:`)."""
    one, other = ({token for line in lines[at : at + size] for token in tokens_of(line)} for at in (0, size))
    return sum(bool(_LETTER.match(token)) for token in one & other) >= 2


def _without_piece(text: str) -> str:
    end = text.rstrip("\n")
    for size in range(LEAST_PIECE_CHARS, min(MOST_PIECE_CHARS, len(end) // PIECE_REPEATS) + 1):
        piece = end[-size:]
        if not end.endswith(piece * PIECE_REPEATS) or not _WORD.search(piece):
            continue
        run = size * PIECE_REPEATS
        while end.endswith(piece, 0, len(end) - run):
            run += size
        is_row = len(set(_WORD.findall(piece))) == 1 and _SEPARATOR.search(piece)
        return text if is_row and run <= MAX_ROW_CHARS else end[: len(end) - run + size]
    return text
