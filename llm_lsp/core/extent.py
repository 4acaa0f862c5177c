"""How far an answer goes, told line by line from the code around it; knows no stream and no model."""

from __future__ import annotations

from llm_lsp.core.brackets import imbalance
from llm_lsp.core.languages import Blocks, indent_of, language_of, opens_block
from llm_lsp.core.types import Mode
from llm_lsp.core.window import Window

# Lines that are read at most: more than anybody reads before accepting, and 128 tokens are about 12.
MAX_LINES = 40
# Equal lines in a row that show a model that turns in circles; all but the first are dropped later.
MAX_REPEATS = 3
# Characters. A shorter line may come back by chance, so it must stand equally deep.
TELLING_LINE_CHARS = 5


class Extent:
    """Takes an answer's lines while they are wanted.

    A LINE ends after the first line with text; where that line opens a block and `may_grow`, the block is
    taken too. A BLOCK ends before a line that stands less deep, closes what it did not open, or is the
    document's next line. A HOLE goes on to where the document's next line could follow.
    """

    def __init__(self, window: Window, mode: Mode, *, may_grow: bool = True) -> None:
        self.mode = mode
        """LINE becomes BLOCK where it grows."""
        self.lines: list[str] = []
        """The lines that are kept, without their ends."""
        self._window = window
        self._language = language_of(window.language)
        self._may_grow = may_grow
        self._next_line = next_line(window)
        self._next_depth = indent_of(self._next_line) if self._next_line else None
        self._first: int | None = None
        """The index of the first line with text."""
        self._header: int | None = None
        """The depth of the line that opened the block that is wanted."""
        self._floor = -1
        """A line at this depth or less deep ends the answer."""
        self._unsure = False
        """Only the document's next line shows that more than the first line was wanted."""
        self._wants_opener = False
        """The document's next line is the body of what the answer opens last."""
        self._balance = 0
        """Brackets that the answer opened and did not close."""
        self._blank = 0
        """Blank lines at the end."""
        self._repeats = 0
        self.may_follow = True
        """Whether what the model writes next could be wanted next: it did not reach what is there, nor turn in circles."""

    @property
    def has_first(self) -> bool:
        """Whether the first line with text is complete."""
        return self._first is not None

    @property
    def sure_lines(self) -> list[str]:
        """The lines that will stay, whatever comes."""
        end = len(self.lines) - self._blank
        if self._unsure and self._first is not None:
            end = self._first + 1
        return self.lines[:end]

    def take(self, line: str) -> bool:
        """Take the next line; True means that the answer is complete."""
        if not line.strip():
            return self._take_blank(line)
        if self._first is None:
            return self._take_first(line)
        if self._is_next(line):
            self._unsure = self.may_follow = False
            return True
        if self._ends_before(line):
            return True
        self._keep(line)
        return self._ends_after(line)

    def end(self, line: str, *, by_model: bool) -> str:
        """Take what came last, without a line end, and give what is kept of it.

        Where the model ended by itself it saw what follows, so all that it wrote was meant.
        """
        if self._first is None:
            self._blank = 0
            return line
        if not line.strip() or self._is_next(line) or self._ends_before(line):
            return ""
        self._unsure = self._unsure and not by_model
        if self._unsure:
            return ""
        self._blank = 0
        return line

    def _take_blank(self, line: str) -> bool:
        self._blank += 1
        self.lines.append(line)
        return self._first is not None and self._blank >= 2

    def _take_first(self, line: str) -> bool:
        on_new_line = bool(self.lines)
        whole = line if on_new_line else self._window.line_prefix + line
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
            return self._reach_next_line(depth, opens)
        if not on_new_line and not opens and opener is not None and self._window.line_prefix.strip():
            # What the cursor's line had opened is closed on it: `print(` was a call.
            return True
        header = depth if opener is None and opens else opener
        self._bound_block(depth, header)
        return False

    def _grows(self, depth: int) -> bool:
        """Go on with the block that the first line opens, unless the document goes on with it."""
        has_block = self._next_depth is not None and self._next_depth > depth
        if not self._may_grow or has_block or self._window.line_suffix.strip():
            return False
        self.mode = Mode.BLOCK
        self._bound_block(depth, depth)
        return True

    def _bound_block(self, depth: int, header: int | None) -> None:
        self._header = header
        self._floor = depth - 1 if header is None else header

    def _reach_next_line(self, depth: int, opens: bool) -> bool:
        """Tell from the depths of the first line and the document's next one how far a hole goes."""
        following = self._next_depth
        if following is not None and following > depth:
            self._wants_opener = self._unsure = not opens
            self._floor = min(0, depth - 1)
            return opens
        if following == depth:
            self._unsure = not opens
            self._bound_block(depth, depth if opens else None)
        elif depth > 0:
            # The rest of a block, or of a function where the file ends.
            self._floor = following or 0
        return False

    def _opener(self, on_new_line: bool) -> int | None:
        """Give the depth of the line above the first one, if it opens a block."""
        if self._window.line_prefix.strip():
            above = self._window.line_prefix
        else:
            lines = reversed(self._window.prefix.split("\n"))
            above = next((line for line in lines if line.strip()), "")
        return indent_of(above) if opens_block(above, self._language) else None

    def _keep(self, line: str) -> None:
        self._repeats = self._repeats + 1 if self.lines and self.lines[-1] == line else 1
        self._blank = 0
        self._balance += imbalance(line)
        self.lines.append(line)

    def _ends_before(self, line: str) -> bool:
        depth = indent_of(line)
        if depth <= self._floor:
            return self._header != depth or not self._belongs_to_block(line)
        if self._blank and depth == 0:
            # At the top level nothing is less deep: there a blank line ends what was asked for.
            return True
        return self._header is None and self._balance <= 0 and line.lstrip()[0] in ")]}"

    def _ends_after(self, line: str) -> bool:
        depth, opens = indent_of(line), opens_block(line, self._language)
        if self._wants_opener and opens and self._next_depth is not None and depth < self._next_depth:
            self._unsure = False
            return True
        # The closer at the opener's depth was the last line of the block.
        closes = depth == self._header and self._language.blocks is not Blocks.INDENT and not opens
        if self._repeats >= MAX_REPEATS or len(self.lines) >= MAX_LINES:
            self.may_follow = False
        return closes or not self.may_follow

    def _is_next(self, line: str) -> bool:
        """Say whether the document goes on with this very line."""
        if line.rstrip() == self._next_line:
            return True
        bare = line.strip()
        return len(bare) >= TELLING_LINE_CHARS and bare == self._next_line.strip()

    def _belongs_to_block(self, line: str) -> bool:
        """Say whether a line at the opener's depth closes the block or goes on with it."""
        bare = line.strip()
        return bare[0] in ")]}" or bare.split(None, 1)[0].rstrip(":;") in self._language.middles


def next_line(window: Window) -> str:
    """Give the line that the document goes on with, "" where it does not."""
    if window.line_suffix.strip() and not window.line_prefix.strip():
        return (window.line_prefix + window.line_suffix).rstrip()
    return next((line.rstrip() for line in window.suffix.split("\n") if line.strip()), "")
