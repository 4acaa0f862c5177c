"""How much of an answer fills a hole between two lines, told by depths."""

from __future__ import annotations

# Lines that are read on for the document's next line where the hole may be full already. Of 40 holes of several
# lines cut from HumanEval the next line came within nine.
MAX_DOUBTFUL = 12


class FillExtent:
    """Says what is kept of the lines read so far, were the document's next line never to come.

    Where that line comes, all before it fills the hole. Else the hole is full after the line that opens the
    body which stands there, after one statement where the code goes on at the same depth, and at the block's
    end where it goes on less deep.
    """

    def __init__(self, depth: int, next_depth: int | None, step: int) -> None:
        self.kept: int | None = None
        """How many lines, counted from the first one with text; None: all."""
        self._depth = depth
        """The depth of the first line."""
        self._next_depth = next_depth
        self._step = step
        self._wants_opener = next_depth is not None and next_depth > depth
        self._doubtful = 0

    def is_left(self, depth: int) -> bool:
        """Return whether a line so deep stands outside of what holds the hole, so that the next line can't come."""
        if self._next_depth is None or self._next_depth > self._depth:
            # The end of the file, or the body of what any block around may open: all but the top level.
            return depth == 0 < self._depth
        return depth < self._next_depth

    def is_full(self, depth: int, *, belongs: bool) -> bool:
        """Return whether a line so deep is one too many, unless the next line comes; `belongs` as an `else` does."""
        if self.kept is not None or self._next_depth is None or self._wants_opener:
            return False
        return depth <= self._next_depth and not (belongs and self._next_depth == self._depth)

    def take(self, depth: int, count: int, *, opens: bool) -> bool:
        """Add the `count`-th line; return whether the hole is full, whatever follows."""
        if count == 1 and (self._wants_opener or (self._next_depth == self._depth and not opens)):
            self.kept = 1
        if opens and self._wants_opener and self._holds_next(depth):
            self._wants_opener, self.kept = False, count
            return count == 1
        self._doubtful += self.kept is not None
        return self._doubtful > MAX_DOUBTFUL

    def _holds_next(self, depth: int) -> bool:
        return self._next_depth is not None and 0 < self._next_depth - depth <= self._step
