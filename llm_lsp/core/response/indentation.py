"""Decides the columns of all lines of an answer; the only place that does.

A model writes the first line at the cursor's column, at its own, or at column 0, and the lines below it as they
would be in the file, or all from column 0. `first_column` determines the first line's column. The other lines
stay where they are if they agree with it, otherwise they are moved with it. At last, steps and white space are
converted to the file's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from llm_lsp.core.response.filter_context import FilterContext, FilterInput
from llm_lsp.core.response.first_column import (
    closes,
    first_column,
    inner_column,
    is_in_scalar,
    needs_deeper,
)
from llm_lsp.core.text.brackets import loose
from llm_lsp.core.text.languages import heads_body, indent_of, opens_block

# Columns of a step in an answer that are converted to the file's; others are alignment.
ANSWER_STEPS = (2, 4, 8)


class LinePlacement:
    """Determines the column of each line of an answer, in order."""

    def __init__(self, place: FilterContext) -> None:
        self._place = place
        self._first = ""
        """The first line's code."""
        self._column = self._written = self._own = 0
        """Where the first line belongs, where it is as written, and the column at which the model began to
        write it.
        """
        self._shift: int | None = None
        """By how many columns later lines are moved; None until a line shows it."""
        self._floor = 0
        """The column of the answer's outermost lines, as written."""
        self._is_open = False
        """Whether the last of these opened a block."""
        self._is_uniform = True
        """Whether all lines so far are indented with the same character."""

    def first(self, line: str, *, own: int, further: Sequence[str] = ()) -> int:
        """Return the column of the first non-blank line, given as it would be in the document.

        `own` is the column at which the model began to write it, `further` has the lines known to follow.
        """
        self._first, self._own = line.strip(), own
        self._is_uniform = not _is_mixed(line, further, self._place)
        self._written = self._written_column(line)
        cursor = indent_of(self._place.before)
        if self._place.before.strip():
            self._column = cursor
        else:
            plain = " " * self._written + self._first
            self._column = max(cursor, first_column(self._place, plain, further))
        self._floor, self._is_open = self._written - own, opens_block(self._first, self._place.language)
        return self._column

    def further(self, line: str) -> int:
        """Return the column of the next non-blank line."""
        column, code = self._written_column(line), line.strip()
        is_closer = closes(code, self._place)
        if self._shift is None and not self._is_comment(code):
            moved = self._column - self._written
            self._shift = moved if is_closer else self._shift_by(column, code)
            self._floor = self._written - self._own if is_closer else self._column - self._shift
        shift = self._column - self._written if self._shift is None else self._shift
        if column <= self._floor:
            above = self._place.above[-1] if self._place.above else ""
            if shift and is_closer and not self._is_open and opens_block(above, self._place.language):
                # It closes the block around the cursor; what follows has the same column.
                shift = self._shift = indent_of(above) - column
                self._floor = column
            self._is_open = opens_block(code, self._place.language)
        return max(0, column + shift)

    def _shift_by(self, column: int, code: str) -> int:
        """Return by how many columns all lines are moved, judging by the second line of the answer."""
        language, moved = self._place.language, self._column - self._written
        if moved == 0 and not self._is_uniform:
            return 0
        if column == self._column or (moved == 0 and (column > self._column or language.is_free)):
            is_flat = not heads_body(self._first, language) or language.is_free
            if is_flat or column > self._column:
                return 0
        if heads_body(self._first, language):
            # The last line of a multi-line head shows nothing: the head may begin anywhere to the left of it.
            is_last = loose(self._first).closers != () and not closes(self._first, self._place)
            if moved == 0 and (is_last or not needs_deeper(self._first, code, self._place)):
                return 0
            wanted = self._column + self._place.style.columns
            # Unchanged, moved like the first line, or counted from where the model began to write.
            shifts = (0, moved, moved + self._own)
            deeper = [shift for shift in shifts if column + shift > self._column]
            # After a head only the body follows; otherwise the answer may consist of a head.
            default = wanted - column if self._place.before.strip() else moved
            return min(deeper, key=lambda shift: abs(column + shift - wanted), default=default)
        # Without a head, nothing is indented deeper than the first line.
        return 0 if column <= self._column < column + moved else moved

    def _written_column(self, line: str) -> int:
        """Return the column of a line as written; in a file indented with blanks, a tab is one step."""
        is_step = line.startswith("\t") and self._place.indent_kind == " " and self._is_uniform
        return indent_of(line.expandtabs(self._place.style.columns) if is_step else line)

    def _is_comment(self, code: str) -> bool:
        mark = self._place.language.line_comment
        return mark != "" and code.startswith(mark)


def fit_indentation(draft: FilterInput, place: FilterContext) -> FilterInput:
    """Move an answer's lines to where they belong; on a blank line, remove blank lines at the start."""
    lines, own = draft.text.split("\n"), indent_of(place.before)
    start = 0 if place.before.strip() else next((idx for idx, line in enumerate(lines) if line.strip()), None)
    if start is None or (start == 0 and is_in_scalar(place)):
        return draft
    # After a removed first line, the next one has its whole indentation.
    head, further = (lines[start] if start else place.before + lines[0]), lines[start + 1 :]
    with_text = [line for line in further if line.strip()]
    if place.before.strip() and not with_text:
        return draft
    placement = LinePlacement(place)
    columns = [placement.first(head, own=0 if start else own, further=with_text)]
    columns += map(placement.further, with_text)
    columns = list(_in_steps(columns, [head.strip(), *map(str.strip, with_text)], place))
    text = lines[0] if place.before.strip() else _at_cursor(head, columns[0], place)
    return replace(draft, text="\n".join([text, *_indented(head, further, columns[1:], place)]))


def _indented(head: str, lines: Sequence[str], columns: Sequence[int], place: FilterContext) -> Iterator[str]:
    """Yield the lines after the first at their columns, with the file's white space."""
    rest, above = iter(columns), head
    kind = None if _is_mixed(head, lines, place) else place.indent_kind
    for line in lines:
        is_aligned = above.endswith("\\")
        yield _with_white(line, next(rest), None if is_aligned else kind, place) if line.strip() else line
        above = line


def _is_mixed(head: str, lines: Sequence[str], place: FilterContext) -> bool:
    """Check whether a model mixes blanks and tabs: then blanks are alignment, or a tab equals eight of them."""
    if not lines:
        return False
    written = lines if place.before else [head, *lines]
    if len({line[0] for line in written if line.startswith(("  ", "\t"))}) > 1:
        return True
    levels = [_level(line, place.style.columns) for line in (head, *lines)]
    return place.indent_kind == " " and any(inner > outer + 1 for outer, inner in pairwise(levels))


def _level(line: str, step: int) -> int:
    """Return how many steps a line is indented, counting a tab as one."""
    tabs = len(line) - len(line.lstrip("\t"))
    return tabs or indent_of(line) // step


def _in_steps(columns: Sequence[int], codes: Sequence[str], place: FilterContext) -> Sequence[int]:
    """Return the columns converted to the file's step size, if the lines consistently use another one."""
    pairs = pairwise(zip(columns, codes, strict=True))
    steps = {
        inner - inner_column(outer, head, place)
        for (outer, head), (inner, code) in pairs
        if heads_body(head, place.language) and not closes(code, place)
    }
    wanted, first, step = place.style.columns, columns[0], max(steps, default=0)
    if not place.style.is_certain or len(steps) != 1 or step not in ANSWER_STEPS or step == wanted:
        return columns
    if any((column - first) % step for column in columns):
        return columns
    return [column + max(0, column - first) // step * (wanted - step) for column in columns]


def _at_cursor(line: str, column: int, place: FilterContext) -> str:
    """Return the part of a line to insert at the cursor, with its indentation."""
    is_aligned = bool(place.above) and place.above[-1].endswith("\\")
    whole = _with_white(line, column, None if is_aligned else place.indent_kind, place)
    if not whole.startswith(place.before):
        before = place.style.written(indent_of(place.before))
        whole = place.before + place.style.written(column).removeprefix(before) + line.lstrip()
    return whole.removeprefix(place.before)


def _with_white(line: str, column: int, kind: str | None, place: FilterContext) -> str:
    """Return a line at a column; correct white space is left unchanged."""
    code = line.lstrip()
    white = line[: len(line) - len(code)]
    is_right = indent_of(white) == column and (kind is None or white[:1] in ("", kind))
    return line if is_right else place.style.written(column) + code
