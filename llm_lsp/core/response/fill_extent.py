"""Determines by indentation how much of an answer fills a hole between two lines."""

from __future__ import annotations

# Lines that are read in search of the document's next line although the hole may be full. In 40 holes of several lines
# in HumanEval, the next line came within nine.
MAX_DOUBTFUL = 12


class FillExtent:
    """Tells how many of the lines read so far to keep, in case the document's next line does not follow.

    If that line follows, everything before it fills the hole. Otherwise the hole is full: after the line that
    opens the existing body, if the next line is deeper; after one statement, if it has the same indentation; at
    the end of the block, if it is less indented.
    """

    def __init__(self, depth: int, next_depth: int | None, step: int) -> None:
        self.kept: int | None = None
        """How many lines to keep, counted from the first non-blank one; None for all."""
        self._depth = depth
        """Indentation of the first line."""
        self._next_depth = next_depth
        self._step = step
        self._wants_opener = next_depth is not None and next_depth > depth
        self._doubtful = 0

    def is_left(self, depth: int) -> bool:
        """Check whether a line so indented has left the block around the hole, so that the next line cannot
        follow.
        """
        if self._next_depth is None or self._next_depth > self._depth:
            # At the end of the file, or in a body that any enclosing block may open, only the top level has left it.
            return depth == 0 < self._depth
        return depth < self._next_depth

    def is_full(self, depth: int, *, belongs: bool) -> bool:
        """Check whether a line is one too many, unless the next line follows; `belongs` is true for lines such
        as `else`.
        """
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
