"""Determines line by line how far an answer goes, from the code around it."""

from __future__ import annotations

from functools import cached_property

from llm_lsp.core.request import Mode
from llm_lsp.core.response.fill_extent import FillExtent
from llm_lsp.core.response.filter_context import place_in
from llm_lsp.core.response.filters.repetition import MAX_REPEATS, is_circle
from llm_lsp.core.response.indentation import LinePlacement
from llm_lsp.core.response.line_likeness import is_fence, is_same_line, is_telling
from llm_lsp.core.response.text_kind import TextKind, kind_at_end
from llm_lsp.core.text.brackets import imbalance, is_closing
from llm_lsp.core.text.languages import Blocks, first_word, indent_of, indent_unit, language_of, opens_block
from llm_lsp.core.text.window import Window

# Most lines that are read: more than users read before accepting; 128 tokens are about 12 lines.
MAX_LINES = 40
# Most characters that are read and shown: MAX_LINES of 100. More comes only from an API that ignores limits, or in
# lines too long to be read before accepting.
MAX_ANSWER_CHARS = 4000
# Lines in a group whose repetition shows that the model is looping.
MAX_GROUP_LINES = 4


class CompletionExtent:
    """Takes an answer's lines as long as they are wanted.

    A LINE ends after the first non-blank line; if that line opens a block and `may_grow`, the block is taken
    too. A BLOCK ends before a line that is less indented, closes something it did not open, or is the
    document's next line. A HOLE goes on until the document's next line follows, or could follow: see
    FillExtent.
    """

    def __init__(self, window: Window, mode: Mode, *, may_grow: bool = True) -> None:
        self.mode = mode
        """LINE becomes BLOCK when it grows."""
        self.lines: list[str] = []
        """The lines taken, without line ends."""
        self._window = window
        self._language = language_of(window.language)
        self._may_grow = may_grow
        self._next_line = next_line(window)
        self._next_depth = indent_of(self._next_line) if self._next_line else None
        self._first: int | None = None
        """Index of the first non-blank line."""
        self._header: int | None = None
        """Indentation of the line that opened the wanted block."""
        self._floor = -1
        """A line indented at most this much ends the answer."""
        self._placement = LinePlacement(place_in(window))
        self._hole: FillExtent | None = None
        self._balance = 0
        """Number of brackets that the answer opened and did not close."""
        self._blank = 0
        """Number of blank lines at the end."""
        self.may_follow = True
        """Whether the model's further text may be the next wanted one: it neither repeats the document nor
        loops.
        """

    @property
    def has_first(self) -> bool:
        """Whether the first non-blank line is complete."""
        return self._first is not None

    @property
    def sure_lines(self) -> list[str]:
        """The lines that stay, whatever follows."""
        end = len(self.lines) - self._blank
        if self._hole is not None and self._hole.kept is not None and self._first is not None:
            end = self._first + self._hole.kept
        return self.lines[:end]

    def take(self, line: str) -> bool:
        """Add the next line; return whether the answer is complete."""
        if not line.strip():
            return self._take_blank(line)
        if self._first is None and self._is_fence(line):
            self.lines.append(line)
            return False
        if self._first is None:
            return self._take_first(line)
        placed = self._placed(line)
        if self._is_next(placed):
            self._hole, self.may_follow = None, False
            return True
        if self._ends_before(placed):
            return True
        self._keep(line)
        return self._ends_after(placed)

    def end(self, line: str, *, by_model: bool) -> str:
        """Add the last piece, which has no line end, and return what is kept of it.

        If the model ended by itself, it saw what follows, so everything it wrote is intended.
        """
        if self._first is None:
            self._blank = 0
            return line
        placed = self._placed(line)
        if self._is_next(placed):
            self._hole = None
            return ""
        if not line.strip() or self._ends_before(placed):
            return ""
        if by_model and self._may_stand_next(placed):
            self._hole = None
        if self._hole is not None and self._hole.kept is not None:
            return ""
        self._blank = 0
        return line

    def _take_blank(self, line: str) -> bool:
        self._blank += 1
        self.lines.append(line)
        if len(self.lines) >= MAX_LINES:
            self.may_follow = False
        return not self.may_follow or (self._first is not None and self._blank >= 2)

    def _is_fence(self, line: str) -> bool:
        """Check whether a line begins a code fence, which is removed later."""
        if not is_fence(line):
            return False
        before = self._window.prefix + self._window.line_prefix
        return kind_at_end(before, self._language) is TextKind.CODE

    def _take_first(self, line: str) -> bool:
        on_new_line = bool(self.lines)
        whole = self._placed_first(line, on_new_line=on_new_line)
        opener = self._opener(on_new_line)
        self._keep(line)
        self._first = len(self.lines) - 1
        if self._is_next(whole):
            self.may_follow = False
            return True
        depth, opens = indent_of(whole), opens_block(whole, self._language)
        if self.mode is Mode.LINE:
            return not (opens and self._grows(depth))
        if self.mode is Mode.HOLE:
            step = indent_of(indent_unit(self._window.prefix.split("\n")))
            self._hole = FillExtent(depth, self._next_depth, step)
            return self._hole.take(depth, 1, opens=opens)
        if not on_new_line and not opens and opener is not None and self._window.line_prefix.strip():
            # It closes what the cursor's line had opened: `print(` was only a call.
            return True
        header = depth if opener is None and opens else opener
        self._bound_block(depth, header)
        return False

    def _placed_first(self, line: str, *, on_new_line: bool) -> str:
        """Return the first non-blank line as it will be in the document."""
        window = self._window
        if window.line_prefix.strip() and on_new_line:
            self._placement.first(window.line_prefix, own=indent_of(window.line_prefix))
            return self._placed(line)
        whole = line if on_new_line else window.line_prefix + line
        column = self._placement.first(whole, own=0 if on_new_line else indent_of(window.line_prefix))
        return whole if column == indent_of(whole) else " " * column + whole.lstrip()

    def _placed(self, line: str) -> str:
        """Return a later line as it will be in the document: its indentation decides what it belongs to."""
        if not line.strip():
            return line
        column = self._placement.further(line)
        return line if column == indent_of(line) else " " * column + line.lstrip()

    def _grows(self, depth: int) -> bool:
        """Continue with the block that the first line opens, unless the document already contains it."""
        has_block = self._next_depth is not None and self._next_depth > depth
        if not self._may_grow or has_block or self._window.line_suffix.strip():
            return False
        self.mode = Mode.BLOCK
        self._bound_block(depth, depth)
        return True

    def _bound_block(self, depth: int, header: int | None) -> None:
        self._header = header
        self._floor = depth - 1 if header is None else header

    def _opener(self, on_new_line: bool) -> int | None:
        """Return the indentation of the line above the first one, if it opens a block."""
        if self._window.line_prefix.strip():
            above = self._window.line_prefix
        else:
            lines = reversed(self._window.prefix.split("\n"))
            above = next((line for line in lines if line.strip()), "")
        return indent_of(above) if opens_block(above, self._language) else None

    def _keep(self, line: str) -> None:
        self._blank = 0
        self._balance += imbalance(line)
        self.lines.append(line)

    def _ends_before(self, line: str) -> bool:
        depth = indent_of(line)
        if self._hole is not None:
            return self._ends_hole_before(self._hole, line, depth)
        if depth <= self._floor:
            return self._header != depth or not self._belongs_to_block(line)
        if self._blank and depth == 0:
            # At the top level nothing is less indented, so a blank line ends the answer.
            return True
        return self._header is None and self._balance <= 0 and line.lstrip()[0] in ")]}"

    def _ends_hole_before(self, hole: FillExtent, line: str, depth: int) -> bool:
        if hole.is_left(depth) or (self._blank and depth == 0):
            return True
        if hole.is_full(depth, belongs=self._belongs_to_block(line)):
            hole.kept = len(self.lines) - self._blank - (self._first or 0)
        return self._balance <= 0 and line.lstrip()[0] in ")]}" and not self._lacks_closer

    @cached_property
    def _lacks_closer(self) -> bool:
        """Check whether something that is opened before the cursor is not closed after it."""
        window = self._window
        around = imbalance(window.prefix + window.line_prefix), imbalance(window.line_suffix + window.suffix)
        return sum(around) > 0

    def _ends_after(self, line: str) -> bool:
        depth, opens = indent_of(line), opens_block(line, self._language)
        if self._hole is not None:
            count = len(self.lines) - (self._first or 0)
            return self._hole.take(depth, count, opens=opens) or self._is_too_much()
        # The closer at the opener's indentation is the last line of the block.
        closes = depth == self._header and self._language.blocks is not Blocks.INDENT and not opens
        return closes or self._is_too_much()

    def _is_too_much(self) -> bool:
        if len(self.lines) >= MAX_LINES or any(map(self._repeats, range(1, MAX_GROUP_LINES + 1))):
            self.may_follow = False
        return not self.may_follow

    def _repeats(self, size: int) -> bool:
        """Check whether the last group of lines occurred twice before, in direct succession."""
        last = self.lines[-MAX_REPEATS * size :]
        is_full = len(last) == MAX_REPEATS * size and last == last[-size:] * MAX_REPEATS
        return is_full and is_circle(last[-size:], MAX_REPEATS)

    def _is_next(self, line: str) -> bool:
        """Check whether this line equals the document's next line, apart from irrelevant differences."""
        if line.rstrip() == self._next_line:
            return True
        if self._next_depth is None or not is_same_line(line, self._next_line, self._language):
            return False
        if indent_of(line) == self._next_depth:
            return True
        last = next((line for line in reversed(self.lines) if line.strip()), "")
        stays = is_telling(line) and not self._belongs_to_block(line)
        return stays and (self.mode is not Mode.HOLE or self._may_stand_next(last))

    def _may_stand_next(self, last: str) -> bool:
        """Check whether the document's next line can follow a line: indented deeper if the line opens a block,
        else not.
        """
        if self._next_depth is None:
            return True
        return opens_block(last, self._language) == (self._next_depth > indent_of(last))

    def _belongs_to_block(self, line: str) -> bool:
        """Check whether a line at the opener's indentation closes or continues the block."""
        bare = line.strip()
        is_closer = bare[0] in ")]}" or (self._language.has_tags and bare.startswith("</"))
        return is_closer or first_word(bare, self._language) in self._language.middles


def next_line(window: Window) -> str:
    """Return the document's next line, "" if there is none."""
    rest = window.line_suffix
    if rest.strip() and not window.line_prefix.strip() and not is_closing(rest):
        return (window.line_prefix + window.line_suffix).rstrip()
    return next((line.rstrip() for line in window.suffix.split("\n") if line.strip()), "")
